"""Steps put into a live module, all or as many as its parameters allow; what was written can be put back byte for byte."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from initcheck.errors import InitcheckError
from initcheck.fix.module.calls import made, seeded
from initcheck.fix.module.slots import Refusal, Slot, slot_of
from initcheck.records.finding import Step
from initcheck.records.fixing import Refused


@dataclass(slots=True)
class Applied:
    """What was written, what was refused, and the way back."""

    slots: dict[str, Slot] = field(default_factory=dict)
    refused: list[Refused] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)

    @property
    def written(self) -> tuple[str, ...]:
        """The parameters that were written."""
        return tuple(self.slots)

    def restore(self) -> None:
        """Puts every byte back."""
        for slot in reversed(self.slots.values()):
            slot.restore()


def apply(model: nn.Module, steps: Sequence[Step], seed: int) -> Applied:
    """Makes the calls on a model's parameters. Neither the random state nor any other tensor changes.

    A parameter that refuses one of its steps is left as it was and stands in `refused`; the steps of the others are made.
    """
    done = Applied()
    for name in dict.fromkeys(name for step in steps for name in step.parameters):
        own = [step for step in steps if name in step.parameters]
        try:
            slot = slot_of(model, name)
            if any(slot.key == other.key for other in done.slots.values()):
                continue  # another name of what has just been drawn
            _write(slot, own, seed)
        except (Refusal, InitcheckError) as refusal:
            done.refused.append(Refused(name, refusal.message if isinstance(refusal, InitcheckError) else str(refusal)))
            continue
        done.slots[name] = slot
    written = set(done.slots)
    for step in steps:
        names = tuple(name for name in step.parameters if name in written)
        if names:
            done.steps.append(Step(names, step.call, step.blocks, step.block))
    return done


def _write(slot: Slot, steps: Sequence[Step], seed: int) -> None:
    value, generator = slot.read(), seeded(seed, slot.name)
    for step in steps:
        value = made(step, value, generator)
    slot.save()
    slot.write(value)


def untouched(model: nn.Module, written: Iterable[Slot]) -> tuple[int, str]:
    """The number of parameters and buffers whose memory no slot writes, and a SHA-256 over their names and bytes."""
    own = {_memory(tensor) for slot in written for tensor in slot.backing}
    digest, count = hashlib.sha256(), 0
    for name, tensor in (*model.named_parameters(), *model.named_buffers()):
        if _hashable(tensor) and _memory(tensor) not in own:
            digest.update(name.encode())
            digest.update(raw(tensor))
            count += 1
    return count, digest.hexdigest()


def raw(tensor: Tensor) -> bytes:
    """The bytes of a tensor's values, in order."""
    plain = tensor.detach().cpu().contiguous().reshape(-1)
    return plain.view(torch.uint8).numpy().tobytes() if plain.numel() else b""


def _hashable(tensor: Tensor) -> bool:
    return not (torch.nn.parameter.is_lazy(tensor) or tensor.is_meta or tensor.is_quantized or tensor.layout != torch.strided) and (
        type(tensor) in (Tensor, nn.Parameter, nn.Buffer)
    )


def _memory(tensor: Tensor) -> tuple[int, int, tuple[int, ...]]:
    shown = tensor.detach()
    return (shown.untyped_storage().data_ptr() if shown.numel() else 0), shown.storage_offset(), tuple(shown.shape)
