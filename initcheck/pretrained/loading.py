"""Loads opened weights into a model, and proves afterwards that each of them is there, bit for bit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Literal

import torch

from initcheck.construct.arrivals.bits import same_bits
from initcheck.construct.arrivals.filling import fill
from initcheck.construct.recording.frames import storage_key
from initcheck.construct.weights.tensors import Entry
from initcheck.errors import TargetError
from initcheck.matching.pairing import Pairing, paired
from initcheck.matching.renaming import parsed
from initcheck.matching.shapes import why
from initcheck.pretrained.converting import converted
from initcheck.pretrained.sources import Source
from initcheck.records.arrival import Arrival, Arrived, Rename

_HALVES = ("float16", "bfloat16")


def load_into(model: torch.nn.Module, source: Source, renames: Sequence[str] = ()) -> Arrival:
    """Fills a model in place with all that fits. Names may change as `renames` say, and by what all of them have in front.

    Raises:
        UsageError: for a rename that cannot be read.
        TargetError: `load-failed` when the model's own code refuses.
    """
    own = {name: tensor for name, tensor in model.state_dict(keep_vars=True).items() if isinstance(tensor, torch.Tensor)}
    fits = {name: entry for name, entry in source.entries.items() if not _packed(name, entry, own)}
    pairing = paired(
        {name: tuple(tensor.shape) for name, tensor in own.items()}, {key: entry.shape for key, entry in fits.items()}, parsed(renames)
    )
    state = {name: fits[key].read() for name, key in pairing.pairs.items()}
    more, over = converted(model, source, pairing)
    if more:
        pairing = replace(pairing, unexpected=tuple(key for key in pairing.unexpected if key in over), renames=())
    try:
        fill(model, {**state, **more})
    except (RuntimeError, TypeError, ValueError, KeyError, AttributeError) as error:
        first = str(error).strip().splitlines()[0][:200] if str(error).strip() else ""
        message = f"{type(model).__name__}.load_state_dict refused the weights of {source.title}: {type(error).__name__}: {first}"
        raise TargetError(message, "load them in your own code, and check that: initcheck model.py", name="load-failed") from error
    present = {name: tensor for name, tensor in model.state_dict(keep_vars=True).items() if name in own}
    tensors = [*_arrived(present, state, pairing, fits), *_converted(present, more), *_left(present, pairing, source, more)]
    return Arrival(
        source.title,
        "initcheck load",
        owner=type(model).__name__,
        tensors=tuple(_ties(tensors, present)),
        stripped=pairing.change.strip,
        added=pairing.change.add,
        renames=(*pairing.renames, *(Rename(one.strip.strip("."), one.add.strip("."), one.fits) for one in pairing.undecided)),
        notes=tuple(_notes(source, pairing, more, tensors)),
    )


def _packed(name: str, entry: Entry, own: Mapping[str, torch.Tensor]) -> bool:
    """Whether a stored tensor of integers bears the name of a parameter: packed weights, which are no numbers to be copied."""
    return name in own and own[name].is_floating_point() and not entry.dtype.startswith(("float", "bfloat", "complex"))


def _arrived(
    present: Mapping[str, torch.Tensor], state: Mapping[str, torch.Tensor], pairing: Pairing, entries: Mapping[str, Entry]
) -> Iterator[Arrived]:
    for name, tensor in state.items():
        key = pairing.pairs[name]
        one = replace(_of(name, present), key="" if key == name else key, stored_shape=entries[key].shape, stored_dtype=entries[key].dtype)
        if not same_bits(present[name], tensor):
            one = replace(
                one,
                state="changed",
                because="the model's own code changed it while it was loaded, or the file holds two tensors for one memory",
            )
        yield one


def _converted(present: Mapping[str, torch.Tensor], more: Mapping[str, torch.Tensor]) -> Iterator[Arrived]:
    for name, tensor in more.items():
        one = replace(_of(name, present), stored_shape=tuple(tensor.shape), because="converted by transformers from tensors of other names")
        yield one if same_bits(present[name], tensor) else replace(one, state="changed")


def _left(present: Mapping[str, torch.Tensor], pairing: Pairing, source: Source, more: Mapping[str, torch.Tensor]) -> Iterator[Arrived]:
    for name, key in pairing.mismatched.items():
        if name not in more:
            stored = source.entries[key]
            one = replace(
                _of(name, present), state="mismatched", key="" if key == name else key, stored_shape=stored.shape, stored_dtype=stored.dtype
            )
            yield replace(one, because=why(name, stored.shape, one.shape))
    for name in pairing.missing:
        if name in more:
            continue
        stored_as = source.entries.get(name)
        packed = f"the file holds packed {stored_as.dtype} values under this name" if stored_as is not None else ""
        yield replace(_of(name, present), state="missing", because=packed)
    for key in pairing.unexpected:
        yield Arrived(key, "unexpected", kind="stored", stored_shape=source.entries[key].shape, stored_dtype=source.entries[key].dtype)


def _of(name: str, present: Mapping[str, torch.Tensor]) -> Arrived:
    tensor = present[name]
    kind: Literal["parameter", "buffer"] = "parameter" if isinstance(tensor, torch.nn.Parameter) else "buffer"
    return Arrived(name, "loaded", kind=kind, shape=tuple(tensor.shape), dtype=str(tensor.dtype).removeprefix("torch."))


def _ties(tensors: Sequence[Arrived], present: Mapping[str, torch.Tensor]) -> Iterator[Arrived]:
    """The same; a name without a stored tensor is loaded when the memory that it shares is."""
    memory: dict[object, str] = {}
    for one in sorted(tensors, key=lambda one: one.state != "loaded"):
        if one.kind == "parameter":
            memory.setdefault(_memory(present[one.name]), one.name)
    states = {one.name: one.state for one in tensors}
    for one in tensors:
        first = memory.get(_memory(present[one.name]), one.name) if one.kind == "parameter" else one.name
        if first == one.name:
            yield one
        elif one.state == "missing" and states[first] == "loaded":
            yield replace(one, state="loaded", tied=first, because=f"shares the memory of {first}")
        else:
            yield replace(one, tied=first)


def _memory(tensor: torch.Tensor) -> object:
    return (storage_key(tensor), tensor.storage_offset(), tuple(tensor.shape)) if tensor.numel() and not tensor.is_meta else id(tensor)


def _notes(source: Source, pairing: Pairing, more: Mapping[str, torch.Tensor], tensors: Sequence[Arrived]) -> Iterator[str]:
    yield from source.notes
    change = pairing.change
    if change.strip or change.add:
        yield (
            f"stored names read with `{change.add}` in the place of `{change.strip}`"
            if change.strip and change.add
            else (
                f"stored names read without `{change.strip}` in front"
                if change.strip
                else f"stored names read with `{change.add}` in front"
            )
        )
    if pairing.undecided:
        places = " or ".join(f"`{one.add or one.strip}`" for one in pairing.undecided)
        yield f"the stored names fit in several places, {places}: say which with --rename"
    if more:
        yield f"{len(more):,} tensors were converted by transformers, as for its own models"
    for kind in dict.fromkeys(one.stored_dtype for one in tensors if one.state == "loaded" and one.stored_dtype not in ("", one.dtype)):
        into = next(one.dtype for one in tensors if one.stored_dtype == kind and one.state == "loaded")
        loss = ", with rounding" if into in _HALVES and kind not in _HALVES else ""
        yield f"cast from {kind} to {into}{loss}"
