"""Builds a model's twin on fresh memory, has it initialized as after the meta device, and compares the two.

The way over the meta device is `__init__` without memory, then `to_empty`, then the initializers. The twin is a deep copy whose memory
was exchanged for fresh one, which is the same for everything that a module registers.
"""

from __future__ import annotations

import copy
import inspect
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Literal, TypeAlias

import torch

from initcheck.construct.plumbing.holdings import held
from initcheck.construct.recording.recorder import Recorder
from initcheck.pretrained.likeness import alike, described
from initcheck.records.parity import Parity, Unlike
from initcheck.records.recording import ParameterRecord, Recording, TensorRecord, Write
from initcheck.records.source import Location
from initcheck.theory.schemes import describe

WHOLE = ("init_weights", "initialize_weights", "initialize_parameters", "init_parameters")
"""Methods by which the outermost module initializes all of itself."""
EACH = ("reset_parameters", "_reset_parameters")
"""Methods by which each module initializes what it holds itself."""

Kept: TypeAlias = ParameterRecord | TensorRecord


def parity_of(model: torch.nn.Module, recording: Recording, seed: int) -> Parity:
    """The comparison; the model and the random state are left as they are."""
    loaded = {one.name for arrival in recording.arrivals for one in arrival.named}
    recorder = Recorder()
    with torch.random.fork_rng(devices=[], device_type="cpu"):
        torch.manual_seed(seed)
        try:
            twin = copy.deepcopy(model)
            _forgotten(twin)
            with recorder:
                twin.to_empty(device="cpu")
                way, asked = _initialized(twin)
        except Exception as error:  # noqa: BLE001  (the user's code may raise anything; then there is no twin, and that is told)
            first = str(error).strip().splitlines()[0][:160] if str(error).strip() else ""
            return Parity(reason=f"{type(error).__name__}: {first}".rstrip(": "))
        again = recorder.resolve(twin)
    unlike = tuple(replace(one, asked=one.owner in asked) for one in _unlike(model, twin, recording, again) if one.name not in loaded)
    return Parity(way, unlike, compared=len(again.parameters) + len(again.tensors))


def _forgotten(twin: torch.nn.Module) -> None:
    """Takes away the marks by which transformers knows what it has initialized."""
    for thing in (*twin.modules(), *twin.parameters(), *twin.buffers()):
        if getattr(thing, "_is_hf_initialized", False):
            thing._is_hf_initialized = False  # noqa: SLF001  (its only name)


def _initialized(twin: torch.nn.Module) -> tuple[str, set[str]]:
    """Calls the initializers of a twin; says which way, and the classes that have taken part."""
    base: Any = getattr(sys.modules.get("transformers"), "PreTrainedModel", None)
    with torch.no_grad():
        if base is not None and isinstance(twin, base):
            live: Any = twin
            live.initialize_weights()
            live.tie_weights()
            return "initialize_weights", {type(module).__name__ for module in twin.modules()}
        own = next((name for name in WHOLE if _callable(twin, name)), "")
        if own:
            getattr(twin, own)()
            return own, {type(twin).__name__}
        return "reset_parameters of each module", set(_each(twin))


def _each(twin: torch.nn.Module) -> Iterator[str]:
    """Children before the modules that hold them, as `Module.apply` goes: attention sets the bias of its output layer last."""
    for module in reversed(list(twin.modules())):
        name = next((name for name in EACH if _callable(module, name)), "")
        if name:
            getattr(module, name)()
            yield type(module).__name__


def _callable(module: torch.nn.Module, name: str) -> bool:
    """Whether a module has a method of this name that takes no arguments."""
    method = getattr(module, name, None)
    if not callable(method):
        return False
    try:
        parameters = inspect.signature(method).parameters.values()
    except (TypeError, ValueError):
        return True
    variadic = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return all(one.default is not inspect.Parameter.empty or one.kind in variadic for one in parameters)


def _unlike(model: torch.nn.Module, twin: torch.nn.Module, before: Recording, again: Recording) -> Iterator[Unlike]:
    tensors = {**dict(model.named_parameters()), **dict(model.named_buffers())}
    twins = {**dict(twin.named_parameters()), **dict(twin.named_buffers())}
    known: dict[str, Kept] = {one.name: one for one in _kept(before)}
    for record in _kept(again):
        first = known.get(record.name)
        if record.name not in tensors or record.name not in twins or first is None:
            continue
        kind: Literal["parameter", "buffer"] = "parameter" if isinstance(record, ParameterRecord) else "buffer"
        one = Unlike(record.name, "differs", kind, record.owner, record.module, by=_line(first))
        size = tensors[record.name].numel()
        if record.unwritten:
            yield replace(one, how="skipped" if record.unwritten == size else "partly", built=_said(first, tensors[record.name]))
            continue
        built, now = _ruling(first), _ruling(record)
        if built is not None and now is not None and built.call.known() and built.call == now.call:
            continue
        if not alike(tensors[record.name], twins[record.name], drawn=_drawn(built) and _drawn(now)):
            yield replace(one, built=_said(first, tensors[record.name]), again=_said(record, twins[record.name]))
    yield from _staying(model)


def _kept(recording: Recording) -> tuple[Kept, ...]:
    return (*recording.parameters, *recording.tensors)


def _staying(model: torch.nn.Module) -> Iterator[Unlike]:
    for one in held(model):
        if one.kind == "attribute" and not one.tensor.is_meta:
            yield Unlike(one.name, "stays", "attribute", one.owner, one.module, built=described(one.tensor))


def _ruling(record: Kept) -> Write | None:
    return next((write for write in reversed(record.writes) if write.extent == "full"), None)


def _line(record: Kept) -> Location | None:
    ruling = _ruling(record)
    return ruling.location.get() if ruling is not None and ruling.location.known() else record.created


def _said(record: Kept, tensor: torch.Tensor) -> str:
    ruling = _ruling(record)
    return describe(ruling.call.get(), ruling.lineage) if ruling is not None and ruling.call.known() else described(tensor)


def _drawn(write: Write | None) -> bool:
    """Whether values were drawn at random, or may have been, for all that is known."""
    if write is None or not write.call.known():
        return True
    return any(word in call.name for call in (write.call.get(), *write.lineage) for word in _RANDOM)


_RANDOM = ("normal", "uniform", "rand", "xavier", "kaiming", "orthogonal", "sparse", "bernoulli", "exponential", "cauchy", "geometric")
