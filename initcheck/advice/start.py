"""What one parameter should start with: the calls that make it so, as data."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from initcheck.records.evidence import Layer
from initcheck.records.finding import Step
from initcheck.records.recording import InitCall
from initcheck.theory.gains import calculate_gain
from initcheck.theory.schemes import describe


@dataclass(frozen=True, slots=True)
class Start:
    """The calls that start one parameter, in order, and why these; `scheme` says them in words."""

    steps: tuple[Step, ...]
    scheme: str
    reason: str


def start(name: str, call: InitCall, reason: str, *, blocks: int = 1, scheme: str = "", then: Iterable[Step] = ()) -> Start:
    """One parameter, one call (on each of `blocks` blocks of rows), and what is done to it afterwards."""
    words = scheme or spelled(call) + (f" on each of {blocks} blocks" if blocks > 1 else "")
    return Start((Step((name,), call, blocks), *then), words, reason)


def spelled(call: InitCall) -> str:
    """The call as a user would write it, without the arguments that are torch's defaults."""
    usual = {"mode": "fan_in", "a": 0.0, "mean": 0.0, "gain": 1.0, "val": None}
    shown = [(key, value) for key, value in call.kwargs if usual.get(key, key) != value or call.name == "uniform_"]
    said = ", ".join(f"{key}={value!r}" if isinstance(value, str) else f"{key}={value:.4g}" for key, value in shown if value is not None)
    return f"{call.name}({said})" if call.name.endswith("_") else describe(call)


def zeros() -> InitCall:
    """Zero throughout."""
    return InitCall("zeros_")


def constant(value: float) -> InitCall:
    """One value throughout, by the name that torch has for it."""
    named = {0.0: "zeros_", 1.0: "ones_"}.get(value)
    return InitCall(named) if named else InitCall("constant_", (("val", value),))


def normal(std: float) -> InitCall:
    """Centred normal numbers of this standard deviation, rounded to four digits."""
    return InitCall("normal_", (("mean", 0.0), ("std", float(f"{std:.4g}"))))


def uniform(bound: float) -> InitCall:
    """Uniform numbers between -bound and bound, rounded to four digits."""
    edge = float(f"{bound:.4g}")
    return InitCall("uniform_", (("a", -edge), ("b", edge)))


def on_layer(layer: Layer, call: InitCall, reason: str) -> Start:
    """The call on a layer's weight, so that it counts the fans that the use of the weight implies.

    torch counts fans from the shape alone, which is wrong for transposed convolutions, (in, out) storage, groups, packed projections
    and stacks; there each packed block is drawn by itself, or the std is written out.

    Raises:
        NotKnown: for a layer whose use was not seen.
    """
    family = call.name.partition("_")[0]
    if family not in ("kaiming", "xavier"):
        return start(layer.weight, call, reason)
    fan_in, fan_out = layer.fan_in.get(), layer.fan_out.get()
    seen = layer.torch_fans.get() if layer.torch_fans.known() else (0, 0)
    if family == "kaiming" and str(call.argument("mode", "fan_in")) == "fan_in" and seen[0] == fan_in:
        return start(layer.weight, call, reason)
    blocks = _equal_blocks(layer)
    if family == "xavier" and blocks > 1 and layer.kind == "linear":
        return start(layer.weight, call, reason, blocks=blocks)
    part = fan_out // max(len(layer.packed), 1)
    if family == "xavier" and seen == (fan_in, part):
        return start(layer.weight, call, reason)
    std = _std(call, fan_in, part)
    drawn = uniform(std * math.sqrt(3.0)) if "uniform" in call.name else normal(std)
    return start(layer.weight, drawn, f"{reason}; written out, since torch counts the fans of this weight otherwise")


def _std(call: InitCall, fan_in: int, fan_out: int) -> float:
    if call.name.startswith("xavier"):
        return _number(call, "gain", 1.0) * math.sqrt(2.0 / (fan_in + fan_out))
    gain = calculate_gain(str(call.argument("nonlinearity", "leaky_relu")), _number(call, "a", 0.0))
    fan = fan_in if str(call.argument("mode", "fan_in")) == "fan_in" else fan_out
    return (gain if gain is not None else 1.0) / math.sqrt(fan)


def _number(call: InitCall, key: str, default: float) -> float:
    value = call.argument(key, default)
    return float(value) if isinstance(value, (int, float)) else default


def _equal_blocks(layer: Layer) -> int:
    return len(layer.packed) if layer.packed and len(set(layer.packed)) == 1 and sum(layer.packed) == layer.shape[0] else 1
