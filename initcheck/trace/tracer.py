"""One real forward pass, every operation of it recorded as a graph of plain numbers and words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from initcheck.errors import InitcheckError
from initcheck.records.graph import Edge, Graph, Node
from initcheck.trace.naming import WITH_SHAPES, Naming, attributes, canonical, is_float, naming
from initcheck.trace.observer import Observer
from initcheck.trace.regions import Functions, Region, Stack
from initcheck.trace.values import Values
from initcheck.trace.views import REPRESENTATIONS, given_tensors, returned, tensors


class ForwardError(Exception):
    """The user's forward raised; `module` is the path of the innermost module that was running, `kind` its class name."""

    def __init__(self, module: str, kind: str, cause: BaseException) -> None:
        super().__init__(f"{kind} {module}: {type(cause).__name__}: {cause}")
        self.module = module
        self.kind = kind
        self.cause = cause


@dataclass(slots=True)
class Draft:
    """A node while it is being written."""

    id: int
    op: str
    module: str
    raw: str = ""
    inputs: list[Edge] = field(default_factory=list)
    shape: tuple[int, ...] = ()
    parameters: tuple[str, ...] = ()
    attributes: dict[str, Any] = field(default_factory=dict)
    region: str = ""

    def finish(self) -> Node:
        """The frozen node."""
        return Node(
            self.id,
            self.op,
            tuple(self.inputs),
            self.shape,
            self.parameters,
            self.module,
            tuple(sorted(self.attributes.items())),
            self.region,
        )


@dataclass(frozen=True, slots=True)
class Trace:
    """A run: the graph, the live float outputs with their nodes, and what links it to the autograd graph.

    `sequence` maps the sequence numbers of autograd nodes to (graph node, operator name), for the nodes that the observer
    wanted; `results` are the outputs that may be logits, for their names do not say that they are features; `ends` holds autograd
    nodes that are known directly: (autograd node, output number, graph node). `reached` names the parameters that were read.
    """

    graph: Graph
    outputs: list[tuple[int, Tensor]]
    results: list[tuple[int, Tensor]]
    reached: tuple[str, ...]
    sequence: Mapping[int, tuple[int, str]]
    ends: list[tuple[Any, int, int]]
    observer: Observer


class Tracer(TorchDispatchMode):
    """Records every operation that reaches the dispatcher; views make no nodes."""

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        # true would import the whole compiler for a mode that never meets compiled code
        return False

    def __init__(self, model: torch.nn.Module, observer: Observer, held: Mapping[str, Tensor]) -> None:
        super().__init__()
        self.observer = observer
        self.drafts: list[Draft] = []
        self.values = Values(self._leaf)
        self.values.adopt((name, parameter) for name, parameter in model.named_parameters() if _is_real(parameter))
        self.held = {self.values.key(tensor): name for name, tensor in held.items()}
        self.stack = Stack.of(model)
        self.functions = Functions()
        self.paused = False
        self.last = torch.autograd._get_sequence_nr()  # noqa: SLF001
        self.sequence: dict[int, tuple[int, str]] = {}
        self.ends: list[tuple[Any, int, int]] = []
        self.pending: set[int] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Runs the operation and writes down what it did."""
        kwargs = kwargs or {}
        if self.paused:
            return func(*args, **kwargs)
        sequence = torch.autograd._get_sequence_nr()  # noqa: SLF001
        made, self.last = sequence > self.last, sequence
        names = naming(func)
        region = self.stack.region
        if region is None and not torch.is_grad_enabled():
            region = self.functions.running(sequence, self.stack.path)
        given = given_tensors(args, kwargs)
        edges = [self.values.read(tensor) for tensor in given]
        shapes = [tuple(tensor.shape) for tensor in given] if names.name in WITH_SHAPES else []
        if self.pending:
            self._release(given, edges, region)
        out = func(*args, **kwargs)
        written, fresh = self._results(names, args, kwargs, given, out)
        if not written and not fresh:
            return out
        if region is not None:
            self._absorb(region, edges, written, fresh, sequence)
            return out
        draft = self._draft(names, args, kwargs, edges, shapes, (written or fresh)[0])
        if written:
            self._overwrite(names, draft, written, edges, given)
        else:
            self._produce(draft, fresh)
        if made:
            self._link(draft, sequence - 1)
        if self.observer.wants(draft.op):
            hidden = {id(tensor) for tensor in written}
            self.observer.forward(draft.id, draft.op, (written or fresh)[0], tuple(None if id(t) in hidden else t for t in given))
        return out

    def enter(self, value: Any) -> None:
        """Makes input nodes for all tensors of the model's arguments."""
        for tensor in tensors(value):
            if not self.values.knows(tensor):
                self.values.define(tensor, self._leaf("input", tensor, ""))

    def leave(self, region: Region, output: Any) -> None:
        """Closes a recurrent region: its first returned tensor is what the region made."""
        result = next(iter(tensors(output)), None)
        if region.node < 0 or result is None:
            return
        self.drafts[region.node].shape = tuple(result.shape)
        if self.observer.wants(region.op):
            self._show(region.node, region.op, result)
            if result.grad_fn is not None:
                self.ends.append((result.grad_fn, result.output_nr, region.node))

    def _leaf(self, op: str, tensor: Tensor, name: str) -> int:
        draft = Draft(len(self.drafts), op, "", shape=tuple(tensor.shape), parameters=(name,) if name else ())
        if not is_float(tensor):
            draft.attributes["integer"] = True
        if op == "constant" and (held := self.held.get(self.values.key(tensor))) is not None:
            draft.attributes["held"] = held
        self.drafts.append(draft)
        return draft.id

    def _draft(self, names: Naming, args: Any, kwargs: Any, edges: list[Edge], shapes: list[tuple[int, ...]], first: Tensor) -> Draft:
        found = attributes(names, args, kwargs)
        op = canonical(names.name, found)
        draft = Draft(len(self.drafts), op, self.stack.path, names.raw, list(edges), tuple(first.shape), attributes=found)
        for index, shape in enumerate(shapes):
            found[f"shape_{index}"] = shape
        if not is_float(first):
            found["integer"] = True
        if names.fresh:
            draft.op, draft.inputs, found["made"] = "constant", [], names.name
        self.drafts.append(draft)
        return draft

    def _results(self, names: Naming, args: Any, kwargs: Any, given: list[Tensor], out: Any) -> tuple[list[Tensor], list[Tensor]]:
        """The tensors that were overwritten, and those that are new memory (neither for a view)."""
        results = tensors(out) if isinstance(out, (Tensor, tuple, list)) else []
        if names.in_place:
            named = dict(zip(names.arguments, args, strict=False)) | kwargs
            written = [tensor for name in names.written for tensor in tensors(named.get(name))]
            mine = {id(tensor) for tensor in results}
            returned = [tensor for tensor in written if id(tensor) in mine]
            # running statistics and noise buffers are written on the side of a new result
            if returned or not results:
                return returned or written, []
        seen = {self.values.key(tensor) for tensor in given}
        return [], [tensor for tensor in results if self.values.key(tensor) not in seen]

    def _produce(self, draft: Draft, fresh: list[Tensor]) -> None:
        for index, tensor in enumerate(fresh):
            self.values.define(tensor, draft.id, index)
        if len(fresh) > 1:
            draft.attributes["floats"] = tuple(int(is_float(tensor)) for tensor in fresh)

    def _overwrite(self, names: Naming, draft: Draft, written: list[Tensor], edges: list[Edge], given: list[Tensor]) -> None:
        """In-place writes: of a whole value, or of a part of it (then a second node stands for old and new together)."""
        if names.name in ("copy", "fill", "zero") or "out" in names.written:
            mine = {id(tensor) for tensor in written}
            draft.inputs = [edge for edge, tensor in zip(edges, given, strict=True) if id(tensor) not in mine]
        for tensor in written:
            if not self.values.is_part(tensor):
                self.values.define(tensor, draft.id)
                continue
            old = self.values.slots[self.values.key(tensor)]
            merged = Draft(len(self.drafts), "slice_scatter", draft.module, inputs=[Edge(old.node, old.prefix), Edge(draft.id)])
            self.drafts.append(merged)
            self.values.patch(tensor, draft.id, merged.id)

    def _absorb(self, region: Region, edges: list[Edge], written: list[Tensor], fresh: list[Tensor], sequence: int) -> None:
        """An operation inside an opaque region: only what comes in from outside and what is made counts."""
        if region.node < 0:
            draft = Draft(len(self.drafts), region.op, region.module, attributes=dict(region.attributes), region=region.name)
            self.drafts.append(draft)
            region.node = draft.id
            if region.op == "custom":
                self.pending.add(draft.id)
                self._link(draft, sequence - 1)
        draft = self.drafts[region.node]
        for edge in edges:
            if edge.node != region.node and edge not in draft.inputs and self.drafts[edge.node].op != "constant":
                draft.inputs.append(edge)
        for tensor in (*written, *fresh):
            self.values.define(tensor, region.node)

    def _release(self, given: list[Tensor], edges: list[Edge], region: Region | None) -> None:
        """Shows the result of a custom function when it is read for the first time outside of it."""
        for tensor, edge in zip(given, edges, strict=True):
            if edge.node in self.pending and (region is None or region.node != edge.node):
                self.pending.discard(edge.node)
                draft = self.drafts[edge.node]
                draft.shape = tuple(tensor.shape)
                if self.observer.wants(draft.op):
                    self._show(draft.id, draft.op, tensor)

    def _link(self, draft: Draft, sequence: int) -> None:
        if self.observer.wants(draft.op):
            self.sequence[sequence] = (draft.id, draft.raw or draft.region)

    def _show(self, node: int, op: str, tensor: Tensor) -> None:
        self.paused = True
        try:
            with torch.no_grad():
                self.observer.forward(node, op, tensor.detach(), ())
        finally:
            self.paused = False


def trace(
    model: torch.nn.Module, args: tuple[Any, ...], kwargs: Mapping[str, Any], observer: Observer, held: Mapping[str, Tensor] | None = None
) -> Trace:
    """Runs the model once, as it is, and records it.

    `held` names tensors of the model that are no parameters; a `constant` node that is one of them says so in its attribute `held`.

    Raises:
        ForwardError: from the exception that the model's own code raised.
    """
    tracer = Tracer(model, observer, held or {})
    tracer.enter((args, dict(kwargs)))
    handles = tracer.stack.watch(tracer.leave)
    try:
        with tracer:
            result = model(*args, **kwargs)
    except InitcheckError:
        raise
    except Exception as error:
        raise ForwardError(tracer.stack.path, tracer.stack.kind or type(model).__name__, error) from error
    finally:
        for handle in handles:
            handle.remove()
    return _finish(tracer, result)


def returned_floats(result: Any) -> list[Tensor]:
    """The float tensors in what a model returned, results only."""
    return [tensor for _, tensor in returned(result) if is_float(tensor)]


def _finish(tracer: Tracer, result: Any) -> Trace:
    named = [(name, tensor) for name, tensor in returned(result) if is_float(tensor)]
    outputs = [tensor for _, tensor in named]
    edges = [tracer.values.read(tensor) for tensor in outputs]
    tracer._release(outputs, edges, None)  # noqa: SLF001
    graph = Graph(tuple(draft.finish() for draft in tracer.drafts), tuple(edges))
    reached = tuple(tracer.values.leaves)
    live = [(edge.node, tensor) for edge, tensor in zip(edges, outputs, strict=True)]
    results = [pair for pair, (name, _) in zip(live, named, strict=True) if not name.endswith(REPRESENTATIONS)]
    return Trace(graph, live, results, reached, tracer.sequence, tracer.ends, tracer.observer)


def _is_real(parameter: Tensor) -> bool:
    return not isinstance(parameter, torch.nn.parameter.UninitializedTensorMixin)
