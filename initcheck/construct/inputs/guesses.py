"""Inputs to try on a model for which nobody gave one, most plausible first."""

from __future__ import annotations

import inspect
import itertools
import math
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch.nn import Module

from initcheck.construct.inputs.choices import Choices
from initcheck.construct.inputs.declared import Plan, arguments_of, declared, declared_image
from initcheck.construct.inputs.hub import configured, is_configured, token_model
from initcheck.construct.inputs.names import NODES, is_graph
from initcheck.construct.inputs.samples import Drawer, Form, Guess, Tree, describe
from initcheck.construct.inputs.shapes import affordable, scene
from initcheck.construct.inputs.shown import shown_plans
from initcheck.construct.inputs.source.reading import Key, Use, first_layer, read
from initcheck.construct.inputs.states import fresh_state, keeps_state, made_state

_LONG = 64
"""Signals that grow by more than this come in small batches."""
TRIES = 25
"""The most guesses for one model."""


def choose_batch(model: Module, settings_batch: int = 0) -> int:
    """The number of samples: what the settings say, else so many that a pass costs about as much as two images of 224 pixels."""
    if settings_batch > 0:
        return settings_batch
    inner = unwrapped(model)
    first = first_layer(inner)
    if token_model(inner) or (first is not None and first.kind in ("ids", "bag")):
        return 8
    size = sum(p.numel() for p in model.parameters() if not torch.nn.parameter.is_lazy(p))
    image = declared_image(inner)
    if (image and max(image[1:]) > 96) or _growth(model) > _LONG:
        return 4 if size < 60_000_000 else 2
    return 32 if size < 20_000_000 else 8 if size < 60_000_000 else 4 if size < 100_000_000 else 2


def _growth(model: Module) -> int:
    """How many times longer transposed convolutions make a signal: a vocoder turns a frame into a thousand samples."""
    strides = [module.stride[0] for module in model.modules() if isinstance(module, torch.nn.ConvTranspose1d)]
    return math.prod(stride for stride in strides if isinstance(stride, int))


def candidates(model: Module, batch: int, seed: int, *, exact: bool = False, examples: tuple[str, ...] = ()) -> Iterator[Guess]:
    """At most 25 different inputs, drawn one by one as they are asked for; the global random state is not touched.

    Args:
        model: is looked at, never run.
        batch: number of samples.
        seed: of the values; the same seed gives the same values.
        exact: keep `batch` for large images too, where it is otherwise cut down.
        examples: sample inputs that the user's source shows, see `shown_plans`.
    """
    seen: set[str] = set()
    names = tuple(parameter.name for parameter in arguments_of(unwrapped(model)))
    for plan in _plans(unwrapped(model), batch, examples, exact=exact):
        mark = repr((plan.args, plan.kwargs))
        if mark in seen:
            continue
        seen.add(mark)
        drawer = Drawer(seed, model)
        args, kwargs = drawer.draw(plan.args), drawer.draw(plan.kwargs)
        yield Guess(
            args,
            kwargs,
            describe(args, kwargs, plan.origin, plan.batch),
            plan.prepare,
            plan.inferred,
            plan.args,
            plan.kwargs,
            arguments=names,
            shown=plan.shown,
        )
        if len(seen) >= TRIES:
            return


def unwrapped(model: Any) -> Any:
    """The user's model inside compilers and parallel wrappers."""
    while True:
        inner = next((getattr(model, name, None) for name in ("_orig_mod", "module") if name in getattr(model, "_modules", {})), None)
        wrapped = type(model).__name__ in ("OptimizedModule", "DataParallel", "DistributedDataParallel", "FullyShardedDataParallel")
        if not wrapped or inner is None:
            return model
        model = inner


def _plans(model: Module, batch: int, examples: tuple[str, ...], *, exact: bool) -> Iterator[Plan]:
    yield from declared(model, batch, exact=exact)
    yield from (
        replace(plan, args=plan.args if exact else affordable(plan.args, batch))
        for plan in shown_plans(examples, batch)
        if _fits(model, plan)
    )
    if is_configured(model):
        yield from configured(model, batch)
    yield from _inferred(model, batch, exact=exact)


def _fits(model: Module, plan: Plan) -> bool:
    """Whether a call has as many arguments as the model takes; else it is one of another model in the same file."""
    listed = arguments_of(model)
    if not listed or any(parameter.kind is parameter.VAR_POSITIONAL for parameter in listed):
        return True
    positional = [parameter for parameter in listed if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)]
    return sum(parameter.default is parameter.empty for parameter in positional) <= len(plan.args) <= len(positional)


def _inferred(model: Module, batch: int, *, exact: bool) -> Iterator[Plan]:
    """Inputs from the layers that read the arguments."""
    required = _required(model)
    view = scene(model, batch)
    reading = read(model)
    if is_graph([*(p.name for p in required), *(str(key[-1]) for key in reading.parts)]):
        view = replace(view, batch=NODES, graph=True)
    state = next((found for p in required if (found := made_state(model, p.name, view.batch)) is not None), None)
    if state is not None:
        view = replace(view, batch=state[1])
    if any(p.name == "offsets" for p in required) or any(use.need.kind == "offsets" for use in reading.uses.values()):
        view = replace(view, offsets=True)
    masked = any("mask" in p.name for p in required)
    view = replace(view, entities=not masked and _has_entities(model, reading.uses))
    choices, origin = Choices(model, required, view, reading).made()
    stateful = keeps_state(model)
    for combination in _combined(choices):
        picked = combination if exact else affordable(combination, batch)
        args, kwargs = _bound(required, picked)
        rows = view.batch if any(_keeps(tree, view.batch) for tree in picked) else _rows(picked[0])
        prepare = partial(fresh_state, model, rows) if stateful else nullcontext
        yield Plan(args, kwargs, origin, rows, prepare, inferred=True)


def _bound(required: list[inspect.Parameter], picked: tuple[Tree, ...]) -> tuple[tuple[Tree, ...], dict[str, Tree]]:
    """Positional and keyword arguments; `*inputs` and `**batch` are spread."""
    args: list[Tree] = []
    kwargs: dict[str, Tree] = {}
    for index, tree in enumerate(picked):
        parameter = required[index] if index < len(required) else None
        if parameter is None or parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD):
            args.append(tree)
        elif parameter.kind is parameter.VAR_POSITIONAL:
            args.extend(tree if isinstance(tree, tuple) else (tree,))
        elif parameter.kind is parameter.VAR_KEYWORD:
            kwargs.update(tree if isinstance(tree, dict) else {})
        else:
            kwargs[parameter.name] = tree
    return tuple(args), kwargs


def _required(model: Module) -> list[inspect.Parameter]:
    """The arguments that must be given; the first one when none must."""
    listed = arguments_of(model)
    named = [p for p in listed if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    return [p for p in named if p.default is p.empty] or named[:1] or listed[:1]


def _has_entities(model: Module, uses: Mapping[Key, Use]) -> bool:
    """Several arguments that each enter a table of their own, and nothing in the model that works on sequences."""
    tables = [use.need.path for use in uses.values() if use.need.kind == "ids"]
    sequential = (torch.nn.RNNBase, torch.nn.MultiheadAttention, torch.nn.LayerNorm, torch.nn.Conv1d)
    return len(set(tables)) > 1 and not any(isinstance(module, sequential) for module in model.modules())


def _combined(choices: list[tuple[str, list[Tree]]]) -> Iterator[tuple[Tree, ...]]:
    """All combinations over the groups, those that deviate least from the first choices first."""
    lengths: dict[str, int] = {}
    for group, forms in choices:
        lengths[group] = max(lengths.get(group, 0), min(len(forms), TRIES))
    most = {1: TRIES, 2: TRIES, 3: 8}.get(len(lengths), 3 if len(lengths) < 8 else 1)
    lengths = {group: min(length, most) for group, length in lengths.items()}
    order = sorted(itertools.product(*(range(length) for length in lengths.values())), key=sum)[: 2 * TRIES]
    for indices in order:
        at = dict(zip(lengths, indices, strict=True))
        yield tuple(forms[min(at[group], len(forms) - 1)] for group, forms in choices)


def _keeps(tree: Tree, batch: int) -> bool:
    """Sequences may have the batch along axis 1; values that are no single tensor say nothing against it."""
    return not isinstance(tree, (Form, torch.Tensor)) or batch in tree.shape[:2]


def _rows(tree: Tree) -> int:
    return tree.shape[0] if isinstance(tree, Form) and tree.shape else 0
