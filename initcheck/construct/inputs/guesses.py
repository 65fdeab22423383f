"""Inputs to try on a model for which nobody gave one, most plausible first."""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import torch
from torch.nn import Module

from initcheck.construct.inputs.declared import Plan, arguments_of, declared, declared_image
from initcheck.construct.inputs.hub import configured, is_configured, token_model
from initcheck.construct.inputs.names import NODES, by_name, is_graph, plain
from initcheck.construct.inputs.needs import Need, need
from initcheck.construct.inputs.reading import Key, Use, first_layer, first_uses, resolve
from initcheck.construct.inputs.samples import Drawer, Form, Guess, Tree, describe
from initcheck.construct.inputs.shapes import Scene, affordable, options, scene

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
    if image and max(image[1:]) > 96:
        return 4 if size < 60_000_000 else 2
    return 32 if size < 20_000_000 else 8 if size < 60_000_000 else 4 if size < 100_000_000 else 2


def candidates(model: Module, batch: int, seed: int, *, exact: bool = False) -> Iterator[Guess]:
    """At most 25 different inputs, drawn one by one as they are asked for; the global random state is not touched.

    Args:
        model: is looked at, never run.
        batch: number of samples.
        seed: of the values; the same seed gives the same values.
        exact: keep `batch` for large images too, where it is otherwise cut down.
    """
    seen: set[str] = set()
    names = tuple(parameter.name for parameter in arguments_of(unwrapped(model)))
    for plan in _plans(unwrapped(model), batch, exact=exact):
        mark = repr((plan.args, plan.kwargs))
        if mark in seen:
            continue
        seen.add(mark)
        drawer = Drawer(seed, model)
        args, kwargs = drawer.draw(plan.args), drawer.draw(plan.kwargs)
        yield Guess(args, kwargs, describe(args, kwargs, plan.origin, plan.batch), plan.prepare, plan.inferred, plan.args, plan.kwargs, arguments=names)
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


def _plans(model: Module, batch: int, *, exact: bool) -> Iterator[Plan]:
    yield from declared(model, batch, exact=exact)
    if is_configured(model):
        yield from configured(model, batch)
    yield from _inferred(model, batch, exact=exact)


def _inferred(model: Module, batch: int, *, exact: bool) -> Iterator[Plan]:
    """Inputs from the layers that read the arguments."""
    required = _required(model)
    names = [parameter.name for parameter in required] or ["input"]
    view = scene(model, batch)
    if is_graph(names):
        view = replace(view, batch=NODES)
    choices, origin = _choices(model, names, required, view)
    for combination in _combined(choices):
        picked = combination if exact else affordable(combination, batch)
        kwargs = {p.name: tree for p, tree in zip(required, picked, strict=False) if p.kind is p.KEYWORD_ONLY}
        args = tuple(tree for index, tree in enumerate(picked) if names[index] not in kwargs)
        yield Plan(args, kwargs, origin, batch if _keeps(picked[0], batch) else _rows(picked[0]), inferred=True)


def _required(model: Module) -> list[inspect.Parameter]:
    """The arguments that must be given; the first one when none must."""
    named = [p for p in arguments_of(model) if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    return [p for p in named if p.default is p.empty] or named[:1]


def _choices(model: Module, names: list[str], required: list[inspect.Parameter], view: Scene) -> tuple[list[tuple[str, list[Tree]]], str]:
    """For each argument a group and its forms; arguments of one group take their forms together."""
    uses = first_uses(model)
    view = replace(view, entities=_has_entities(model, uses))
    found: list[tuple[str, list[Tree]] | None] = []
    origin = ""
    for position, name in enumerate(names):
        use = _structural(model, position) or uses.get((name,))
        if use is None and (bundle := _bundle(uses, name, view)) is not None:
            found.append((name, [bundle]))
        elif use is None:
            found.append(_named(name, required, position, view, _first_rows(found)))
        else:
            origin = origin or f"inferred from {_place(use.need)}"
            found.append((use.need.kind, options(use, view)))
    main = next((choice for choice in found if choice is not None and choice[1][:1] != [None]), None)
    if None in found and (main is None or found[0] is None):
        fallback = _fallback(model)
        origin = origin or (f"inferred from {_place(fallback[0])}" if fallback else "guessed")
        forms = [form for wish in fallback for form in options(Use(wish), view)] or [Form((view.batch, 32))]
        main = (fallback[0].kind if fallback else "guess", forms)
    return [choice if choice is not None else main or ("guess", [None]) for choice in found], origin or "guessed from the argument names"


def _has_entities(model: Module, uses: dict[Key, Use]) -> bool:
    """Several arguments that each enter a table of their own, and nothing in the model that works on sequences."""
    tables = [use.need.path for use in uses.values() if use.need.kind == "ids"]
    sequential = (torch.nn.RNNBase, torch.nn.MultiheadAttention, torch.nn.LayerNorm, torch.nn.Conv1d)
    return len(set(tables)) > 1 and not any(isinstance(module, sequential) for module in model.modules())


def _structural(model: Module, position: int) -> Use | None:
    """Models that are themselves a layer or a sequence of layers have no forward of their own to read."""
    if need(model, "", position) is not None or isinstance(model, (torch.nn.Sequential, torch.nn.ModuleList)):
        return resolve(model, "", position)
    return None


def _bundle(uses: dict[Key, Use], name: str, view: Scene) -> Tree:
    """A dictionary or tuple for an argument whose parts are read one by one."""
    parts = {key[1]: options(use, view)[0] for key, use in uses.items() if len(key) == 2 and key[0] == name}
    if not parts:
        return None
    if all(isinstance(key, int) for key in parts):
        last = max(key for key in parts if isinstance(key, int))
        return tuple(parts.get(index, Form((view.batch,), "int64", max(view.classes, 1))) for index in range(last + 1))
    return parts


def _named(name: str, required: list[inspect.Parameter], position: int, view: Scene, rows: int) -> tuple[str, list[Tree]] | None:
    forms = by_name(name, view, rows or view.batch)
    if forms is not None:
        return name, forms
    try:
        return name, [plain(required[position].annotation)]
    except (KeyError, TypeError, IndexError):
        return None


def _fallback(model: Module) -> list[Need]:
    """The first layer by registration, else what bare parameters look like."""
    first = first_layer(model)
    if first is not None:
        return [first]
    wishes: list[Need] = []
    for name, parameter in model.named_parameters():
        if parameter.dim() in (1, 2, 3):
            wishes += [Need("features", int(size), name, "shape") for size in dict.fromkeys(parameter.shape[-2:])]
        elif parameter.dim() == 4:
            wishes.append(Need("image", int(parameter.shape[1]), name, "shape"))
        if len(wishes) > 3:
            break
    return wishes


def _combined(choices: list[tuple[str, list[Tree]]]) -> Iterator[tuple[Tree, ...]]:
    """All combinations over the groups, those that deviate least from the first choices first."""
    lengths: dict[str, int] = {}
    for group, forms in choices:
        lengths[group] = max(lengths.get(group, 0), min(len(forms), TRIES))
    order = sorted(itertools.product(*(range(length) for length in lengths.values())), key=sum)[: 2 * TRIES]
    for indices in order:
        at = dict(zip(lengths, indices, strict=True))
        yield tuple(forms[min(at[group], len(forms) - 1)] for group, forms in choices)


def _place(wish: Need) -> str:
    return f"{wish.path}.{wish.source}" if wish.path else wish.source


def _first_rows(found: list[tuple[str, list[Tree]] | None]) -> int:
    return next((_rows(choice[1][0]) for choice in found if choice is not None and choice[1]), 0)


def _keeps(tree: Tree, batch: int) -> bool:
    """Sequences may have the batch along axis 1."""
    return not isinstance(tree, Form) or batch in tree.shape[:2]


def _rows(tree: Tree) -> int:
    return tree.shape[0] if isinstance(tree, Form) and tree.shape else 0
