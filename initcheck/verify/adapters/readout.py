"""From what a model returns to ten logits: its own head where it has ten outputs, else pooling and a linear readout."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from initcheck.trace.naming import is_float
from initcheck.trace.views import returned


@dataclass(frozen=True, slots=True)
class Readout:
    """Which returned tensor is read (`index` among the float ones), where its batch is, and what is done to the rest.

    `width` features remain for each sample after pooling; `own` says that they are the logits already; `probabilities` that they are
    positive and add up to one, so that their logarithm is taken. `shape` is that of one sample, for the words.
    """

    index: int
    axis: int
    shape: tuple[int, ...]
    channels: int
    width: int
    own: bool
    probabilities: bool = False

    def features(self, result: Any) -> Tensor:
        """The features [B, width] in what the model returned; float32."""
        tensor = floats(result)[self.index].movedim(self.axis, 0).float()
        if tensor.dim() == 1:
            tensor = tensor[:, None]
        if tensor.dim() > 2:
            tensor = tensor.movedim(self.channels, -1).flatten(1, -2).mean(1)
        return tensor.clamp_min(1e-9).log() if self.probabilities else tensor

    def told(self, classes: int) -> tuple[str, ...]:
        """In words."""
        shape = "×".join(map(str, self.shape)) or "1"
        pooled = f"the mean over the positions of its outputs {shape}" if len(self.shape) > 1 and self._positions() > 1 else ""
        if self.own:
            whose = "the model's own outputs are the classes"
            whose = f"{pooled} gives the classes" if pooled else whose
            return (f"{whose} (probabilities, so their logarithm)" if self.probabilities else whose,)
        read = f"a linear readout of {self.width} → {classes} is put on the model's {'outputs' if not pooled else 'pooled outputs'}"
        few = f"; {self.width} outputs are a narrow way for {classes} classes" if self.width < classes - 1 else ""
        return tuple(part for part in (pooled, f"{read}{few}") if part)

    def _positions(self) -> int:
        total = 1
        for size in self.shape:
            total *= size
        return total // max(self.width, 1)


def floats(result: Any) -> list[Tensor]:
    """The float tensors in what a model returned."""
    return [tensor for _, tensor in returned(result) if is_float(tensor)]


def readouts(large: Any, small: Any, sizes: tuple[int, int], classes: int) -> list[Readout]:
    """The ways to read a model that was run on two batches of these sizes, the best first: ten outputs, then what has most features."""
    found = []
    for index, (one, other) in enumerate(zip(floats(large), floats(small), strict=False)):
        axis = _batch_axis(one.shape, other.shape, sizes)
        if axis is None or not one.requires_grad:
            continue
        made = _readout(index, axis, one.detach().movedim(axis, 0), classes)
        if made is not None:
            found.append(made)
    return sorted(found, key=lambda one: (not one.own, len(one.shape) > 1, -min(one.width, classes), one.index))


def _batch_axis(one: Sequence[int], other: Sequence[int], sizes: tuple[int, int]) -> int | None:
    """The axis that is as long as the batch in both runs, where all others agree."""
    if len(one) != len(other):
        return None
    differing = [axis for axis, pair in enumerate(zip(one, other, strict=True)) if pair[0] != pair[1]]
    return differing[0] if len(differing) == 1 and (one[differing[0]], other[differing[0]]) == sizes else None


def _readout(index: int, axis: int, tensor: Tensor, classes: int) -> Readout | None:
    shape = tuple(tensor.shape[1:])
    if 0 in shape:
        return None
    channels = 1 if len(shape) > 2 else -1  # an image or a volume has its features first, a sequence last
    if len(shape) == 2 and shape[1] != classes and shape[0] == classes:
        channels = 1
    width = 1 if not shape else shape[channels if channels < 0 else channels - 1]
    own = width == classes
    return Readout(index, axis, shape, channels, width, own, own and len(shape) == 1 and _probabilities(tensor))


def _probabilities(values: Tensor) -> bool:
    total = values.float().sum(-1)
    return bool((values >= 0).all()) and torch.allclose(total, torch.ones_like(total), atol=1e-3)
