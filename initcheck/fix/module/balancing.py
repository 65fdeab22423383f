"""Data-dependent scaling: one pass in the order of execution, in which each layer's weight is scaled before its result goes on.

Source: Mishkin & Matas 2016, arXiv:1511.06422. There every layer takes forward passes of its own; here a layer's result, which is linear in
its weight, is corrected on the spot, so that one pass serves all layers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from initcheck.fix.module.slots import Refusal, Slot, slot_of
from initcheck.records.fixing import Refused

TOLERANCE = 0.05
"""Largest relative distance of a second moment from its target."""
_PASSES = 3
_SMALLEST = 1e-20


def balance(
    model: nn.Module, run: Callable[[], object], targets: Mapping[str, float], scaled: dict[str, Slot]
) -> tuple[dict[str, float], list[Refused]]:
    """Scales weights until the pre-activations that they make have their target second moments, in at most three passes.

    Args:
        model: as it is to be run.
        run: one forward pass.
        targets: second moment by the name of the weight.
        scaled: the slots of weights that were saved before; those that are scaled here are added.

    Returns:
        The second moments reached, by weight in the order of execution, and the weights that could not be scaled, with reasons.
    """
    refused: dict[str, str] = {}
    moments: dict[str, float] = {}
    for _ in range(_PASSES):
        moments = _pass(model, run, targets, scaled, refused)
        if all(abs(moments[name] / targets[name] - 1.0) <= TOLERANCE for name in moments):
            break
    missed = {
        name: "no module of its own gives its result, so it cannot be corrected on the way" for name in targets if name not in moments
    }
    return moments, [Refused(name, reason) for name, reason in (missed | refused).items()]


def _pass(
    model: nn.Module, run: Callable[[], object], targets: Mapping[str, float], scaled: dict[str, Slot], refused: dict[str, str]
) -> dict[str, float]:
    moments: dict[str, float] = {}
    handles = []
    for path, module in model.named_modules():
        name = f"{path}.weight" if path else "weight"
        if name in targets and name not in refused:
            handles.append(module.register_forward_hook(_hook(model, name, targets[name], moments, scaled, refused)))
    try:
        with torch.no_grad():
            run()
    finally:
        for handle in handles:
            handle.remove()
    return moments


def _hook(
    model: nn.Module, name: str, target: float, moments: dict[str, float], scaled: dict[str, Slot], refused: dict[str, str]
) -> Callable[[nn.Module, Any, Any], Tensor | None]:
    def correct(module: nn.Module, _: Any, output: Any) -> Tensor | None:
        if name in moments or name in refused or not isinstance(output, Tensor):
            return None
        shift = _bias(module, output)
        free = output.detach().double() - shift
        factor = _factor(free, shift, target)
        if factor is None:
            refused[name] = "its result is zero or not finite, whatever its scale"
            return None
        before = float((free + shift).square().mean())
        if abs(before / target - 1.0) <= TOLERANCE:
            moments[name] = before
            return None
        try:
            slot = scaled[name] if name in scaled else slot_of(model, name)
            if name not in scaled:
                slot.save()
            slot.write(slot.read().cpu().float() * factor)
        except Refusal as refusal:
            refused[name] = str(refusal)
            return None
        scaled[name] = slot
        corrected = free * factor + shift
        moments[name] = float(corrected.square().mean())
        return corrected.to(output.dtype)

    return correct


def _bias(module: nn.Module, output: Tensor) -> Tensor:
    """The bias in the shape of the output, zero where there is none."""
    bias = getattr(module, "bias", None)
    if not isinstance(bias, Tensor):
        return output.new_zeros((), dtype=torch.float64)
    shown = bias.detach().double()
    if isinstance(module, nn.modules.conv._ConvNd):  # noqa: SLF001  (the one class that all convolutions have in common)
        shown = shown.reshape(-1, *(1,) * (module.weight.dim() - 2))
    return shown


def _factor(free: Tensor, shift: Tensor, target: float) -> float | None:
    """The positive s with E[(s u + b)^2] = target; the one that ignores the bias where the bias alone is larger."""
    square, cross, rest = (float(value) for value in (free.square().mean(), (free * shift).mean(), (free * 0 + shift).square().mean()))
    if not math.isfinite(square) or square < _SMALLEST:
        return None
    inside = cross**2 - square * (rest - target)
    root = (-cross + math.sqrt(inside)) / square if inside > 0 else 0.0
    return root if root > 0 else math.sqrt(target / square)
