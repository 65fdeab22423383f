"""What a model that was only read gives as evidence: provenance, the numbers that follow from it for certain, and layers."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator

from initcheck.discover.static.facts.derived import statistics, tables
from initcheck.discover.static.facts.losses import replaced, untied
from initcheck.discover.static.facts.placed import layers
from initcheck.discover.static.facts.surroundings import Network
from initcheck.discover.static.known.tensors import INITIALIZERS
from initcheck.discover.static.reader.machine import Application, Machine
from initcheck.discover.static.reader.values import Class, Deed, Opaque, Tensor, Thing, elements, inside
from initcheck.discover.static.reading import Read
from initcheck.records.evidence import ConstantUse, Evidence, Layer
from initcheck.records.fact import Known, Unknown
from initcheck.records.recording import Applied, InitCall, ParameterRecord, Recording, TensorRecord, Undone, Write
from initcheck.records.stats import GradientFlow, WeightStats
from initcheck.records.target import Target

_INITIALIZING = frozenset(INITIALIZERS) | frozenset(name[:-1] for name in INITIALIZERS) | {"fill_", "zero_", "reset_parameters"}
_OPERATIONS = {"linear": "linear", "matmul": "mm", "conv": "convolution", "conv_transpose": "convolution", "scale": "mul", "bias": "add"}


def evidence_of(target: Target, read: Read) -> Evidence:
    """The evidence; what only a run can tell is unknown in it."""
    named = _named(read.model)
    recording = _recording(read, named)
    network = Network(read.ops, read.returned)
    stats = statistics(recording, {names[0]: tensor for names, _, tensor in named}, read.model)
    found = layers(network, [(names, thing, tensor) for names, thing, tensor in named], recording, stats)
    return Evidence(
        target=target,
        recording=recording,
        layers=found,
        chains=(),
        weights=stats,
        tables=tables(read.model, recording, stats),
        constants=_constants(read),
        flows=_dead(found, stats),
    )


def _dead(layers: tuple[Layer, ...], stats: tuple[WeightStats, ...]) -> tuple[GradientFlow, ...]:
    """Two weights of zeros in series: what each is multiplied with is zero, so neither ever gets a gradient."""
    zero = {one.parameter for one in stats if one.second_moment == 0}
    readers: dict[str, list[str]] = defaultdict(list)
    for layer in layers:
        for name in layer.outgoing:
            readers[name].append(layer.weight)
    found: list[str] = []
    for layer in layers:
        sole = len(layer.outgoing) == 1 and layer.feeds == Known(("weight_layer",)) and not layer.merges and not layer.bias
        if layer.weight in zero and sole and layer.uses == 1:
            after = next((other for other in layers if other.weight == layer.outgoing[0]), None)
            alone = after is not None and readers[after.weight] == [layer.weight] and after.fed_by == Known(("weight_layer",))
            if after is not None and alone and after.weight in zero and after.uses == 1:
                found += [layer.weight, after.weight]
    return tuple(GradientFlow(name, "dead") for name in dict.fromkeys(found))


def parameters_of(read: Read) -> int:
    """The number of parameters, 0 where the source does not settle it."""
    tree = [thing for _, thing in read.model.tree()]
    named = _named(read.model)
    sizes = [elements(tensor.shape) for _, _, tensor in named if tensor.shape is not None]
    open_ = any(thing.doubt or any(isinstance(one, Opaque) and not one.number for one in thing.attributes.values()) for thing in tree)
    return sum(sizes) if len(sizes) == len(named) and not open_ else 0


def _named(model: Thing) -> list[tuple[list[str], tuple[str, Thing], Tensor]]:
    """Every parameter with all of its names, and the path and the module of the first of them."""
    found: dict[int, tuple[list[str], tuple[str, Thing], Tensor]] = {}
    for path, thing in model.tree():
        for name, tensor in thing.tensors():
            if tensor.kind == "parameter":
                found.setdefault(id(tensor), ([], (path, thing), tensor))[0].append(f"{path}.{name}" if path else name)
    return list(found.values())


def _recording(read: Read, named: list[tuple[list[str], tuple[str, Thing], Tensor]]) -> Recording:
    _entrust(read, named)
    parameters = tuple(_record(names, path, thing, tensor) for names, (path, thing), tensor in named)
    alive = {deed.location for _, _, tensor in named for deed in tensor.deeds}
    names = {id(tensor): full[0] for full, _, tensor in named}
    lost = tuple(dict.fromkeys(one for one in read.machine.lost if one.location not in alive))
    return Recording(
        parameters,
        tensors=tuple(_plain_tensors(read.model)),
        undone=tuple(_undone(read.machine, read.model, named)),
        discarded=(*lost, *dict.fromkeys(replaced(read.machine, read.model, alive))),
        untied=tuple(dict.fromkeys(untied(read.machine, read.model, names))),
        applied=tuple(_applied(read, application) for application in read.machine.applied if _names_initializers(application)),
    )


def _entrust(read: Read, named: list[tuple[list[str], tuple[str, Thing], Tensor]]) -> None:
    """Leaves open what is allocated in a class that an initializing function of the file asks for: a larger model may call it."""
    asked: set[str] = set()
    for node in ast.walk(read.machine.tree):
        if isinstance(node, ast.FunctionDef) and _words(node) & _INITIALIZING:
            tests = [inner for inner in ast.walk(node) if isinstance(inner, ast.Call) and ast.unparse(inner.func) == "isinstance"]
            asked.update(name for test in tests for name in _words(test))
    for _, (_, thing), tensor in named:
        if tensor.allocated and thing.name in asked and _unwritten(tensor):
            tensor.doubt = "a function of the file initializes it, which nothing calls here"


def _record(names: list[str], path: str, thing: Thing, tensor: Tensor) -> ParameterRecord:
    writes = _writes(names[0], tensor)
    missing = _unwritten(tensor)
    if missing and not tensor.deeds:
        place = Known(tensor.created)
        writes = (Write(names[0], Known(InitCall("empty")), place, "never written"),)
    return ParameterRecord(
        name=names[0],
        shape=tensor.shape or (),
        dtype="float32",
        trainable=tensor.trainable,
        module=path,
        owner=thing.name,
        writes=writes,
        tied=tuple(names[1:]),
        unwritten=missing,
        created=tensor.created,
    )


def _unwritten(tensor: Tensor) -> int:
    """The number of elements that nothing ever writes; 0 where the source does not settle it."""
    if not tensor.allocated or tensor.doubt or tensor.derived or not tensor.shape or any(not deed.partial for deed in tensor.deeds):
        return 0
    rows = {row for part in tensor.parts if part is not None for row in range(*part)}
    settled = len(tensor.parts) == len(tensor.deeds) and None not in tensor.parts
    return elements(tensor.shape) // tensor.shape[0] * (tensor.shape[0] - len(rows)) if settled and tensor.shape[0] else 0


def _writes(name: str, tensor: Tensor) -> tuple[Write, ...]:
    made = [write_of(name, deed) for deed in tensor.deeds]
    if tensor.doubt:
        made.append(Write(name, Unknown(tensor.doubt), Unknown(tensor.doubt), "unknown"))
    elif tensor.allocated and made and all(write.extent == "partial" for write in made) and not _unwritten(tensor):
        reason = "written in parts; which, the source does not settle"
        made.append(Write(name, Unknown(reason), Unknown(reason), "unknown"))
    return tuple(made)


def write_of(name: str, deed: Deed) -> Write:
    """A write as a record."""
    call = Known(deed.call) if deed.call is not None else Unknown(deed.reason or "the source does not settle it")
    lineage = deed.lineage or ((deed.call,) if deed.call is not None else ())
    return Write(name, call, Known(deed.location), deed.origin, "partial" if deed.partial else "full", lineage)


def _plain_tensors(model: Thing) -> Iterator[TensorRecord]:
    """Tensors that are neither parameters nor buffers, and the parameters of modules in plain lists."""
    registered = {id(thing) for _, thing in model.tree()}
    for path, thing in model.tree():
        prefix = f"{path}." if path else ""
        for name, value in thing.attributes.items():
            if isinstance(value, Tensor) and value.kind != "parameter" and value.shape is not None and not value.doubt:
                yield _tensor_record(f"{prefix}{name}", "attribute" if value.kind == "tensor" else "buffer", path, thing, value)
            elif isinstance(value, (list, tuple, dict)):
                yield from _hidden(f"{prefix}{name}", path, thing, value, registered)


def _hidden(name: str, path: str, owner: Thing, value: object, registered: set[int]) -> Iterator[TensorRecord]:
    for index, member in enumerate(one for one in inside(value) if isinstance(one, Thing) and one.module and id(one) not in registered):
        for inner, thing in member.tree():
            for key, tensor in thing.tensors():
                if tensor.kind == "parameter" and id(thing) not in registered:
                    yield _tensor_record(f"{name}[{index}].{f'{inner}.' if inner else ''}{key}", "hidden", path, owner, tensor)


def _tensor_record(name: str, kind: str, path: str, owner: Thing, tensor: Tensor) -> TensorRecord:
    return TensorRecord(
        name=name,
        kind=kind,  # type: ignore[arg-type]
        shape=tensor.shape or (),
        dtype="float32",
        trainable=tensor.trainable,
        module=path,
        owner=owner.name,
        writes=tuple(write_of(name, deed) for deed in tensor.deeds),
        unwritten=_unwritten(tensor) if kind == "buffer" else 0,
        created=tensor.created,
    )


def _constants(read: Read) -> tuple[ConstantUse, ...]:
    """The uses of tensors that are no parameters."""
    names: dict[int, str] = {}
    registered = {id(thing) for _, thing in read.model.tree()}
    for path, thing in read.model.tree():
        for name, value in thing.attributes.items():
            full = f"{path}.{name}" if path else name
            if isinstance(value, Tensor) and value.kind != "parameter":
                names[id(value)] = full
            elif isinstance(value, (list, tuple, dict)):
                for record, tensor in _hidden_tensors(full, value, registered):
                    names[id(tensor)] = record
    found: dict[str, list[str]] = defaultdict(list)
    for op in read.ops:
        for tensor in op.weights:
            if id(tensor) in names and not op.doubt:
                found[names[id(tensor)]].append(_OPERATIONS.get(op.kind, op.role))
    return tuple(ConstantUse(name, tuple(dict.fromkeys(operations))) for name, operations in found.items())


def _hidden_tensors(name: str, value: object, registered: set[int]) -> Iterator[tuple[str, Tensor]]:
    for index, member in enumerate(one for one in inside(value) if isinstance(one, Thing) and one.module and id(one) not in registered):
        for inner, thing in member.tree():
            for key, tensor in thing.tensors():
                yield f"{name}[{index}].{f'{inner}.' if inner else ''}{key}", tensor


def _undone(machine: Machine, model: Thing, named: list[tuple[list[str], tuple[str, Thing], Tensor]]) -> Iterator[Undone]:
    """Deliberate writes of whole parameters that a later whole write replaced."""
    reach: dict[object, set[int]] = defaultdict(set)
    for _, _, tensor in named:
        for deed in (*tensor.deeds, *(one for pair in tensor.undone for one in pair)):
            for key in {deed.sweep or deed.location, deed.location.function}:
                reach[key].add(id(tensor))
    for names, _, tensor in named:
        for lost, by in tensor.undone if not tensor.doubt else ():
            first, second = _class_of(machine, lost), _class_of(machine, by)
            yield Undone(
                names[0],
                write_of(names[0], lost),
                write_of(names[0], by),
                refined=_general(lost, by, reach),
                inherited=first != second and bool(first) and bool(second) and _descends(machine, second, first),
                elsewhere=first not in ("", second, model.name),
            )


def _general(lost: Deed, by: Deed, reach: dict[object, set[int]]) -> bool:
    """Whether a general pass went first and a more specific write followed."""
    if lost.sweep and lost.sweep == by.sweep:
        return True
    here, there = lost.location.function, by.location.function
    special = here.rpartition(".")[2] in ("__init__", "<module>")
    if here == there and not special and not lost.looped and not by.looped:
        return True
    widest = len(reach[lost.sweep or lost.location])
    if here != there and not lost.sweep and not special:
        widest = max(widest, len(reach[here]))
    if widest > len(reach[by.sweep or by.location]):
        return True
    return not by.sweep and not by.looped and (bool(lost.sweep) or lost.looped)


def _class_of(machine: Machine, deed: Deed) -> str:
    function = machine.callers.get(deed.sweep, deed.location.function)
    parts = function.split(".<locals>.")[-1].split(".")
    return parts[-2] if len(parts) > 1 else ""


def _descends(machine: Machine, name: str, ancestor: str) -> bool:
    from initcheck.discover.static.reader.attributes import lineage

    cls = machine.world.names.get(name)
    return isinstance(cls, Class) and any(isinstance(base, Class) and base.node.name == ancestor for base in lineage(machine, cls))


def _names_initializers(application: Application) -> bool:
    return bool(_words(application.node) & _INITIALIZING)


def _words(node: ast.AST) -> set[str]:
    attributes = {inner.attr for inner in ast.walk(node) if isinstance(inner, ast.Attribute)}
    return attributes | {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}


def _applied(read: Read, application: Application) -> Applied:
    tests: list[str] = []
    for inner in ast.walk(application.node):
        if isinstance(inner, ast.Call) and isinstance(inner.func, ast.Name) and inner.func.id == "isinstance" and len(inner.args) == 2:
            named = inner.args[1].elts if isinstance(inner.args[1], ast.Tuple) else [inner.args[1]]
            tests += [ast.unparse(one).rpartition(".")[2] for one in named]
    owners = {thing.name for _, thing in application.module.tree() if any(len(tensor.shape or (0, 0)) > 1 for _, tensor in thing.tensors())}
    path = next((path for path, thing in read.model.tree() if thing is application.module), "")
    initializers = tuple(sorted(_words(application.node) & _INITIALIZING))
    return Applied(application.function, application.location, path, initializers, tuple(dict.fromkeys(tests)), tuple(sorted(owners)))
