"""How an initializing call is read: what its author named, which family it is, what gain it gives, how it is spoken of."""

from __future__ import annotations

import math
from collections.abc import Sequence

from initcheck.records.recording import InitCall, Plain
from initcheck.theory.calls.predict import bare_name, predicted
from initcheck.theory.gains import calculate_gain

_DEFAULT_SLOPE = math.sqrt(5.0)
"""torch's layers call kaiming_uniform_(a=sqrt(5)), which is U(-1/sqrt(fan_in), 1/sqrt(fan_in)) in disguise; pytorch#15314."""
_TOLERANCE = 1e-3
_NAMED_BY_GAIN = ("relu", "tanh", "selu")
_NAMED_SLOPES = (0.01, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3)
_FAMILIES = {
    "xavier_uniform": "xavier",
    "xavier_normal": "xavier",
    "glorot_uniform": "xavier",
    "glorot_normal": "xavier",
    "kaiming_uniform": "kaiming",
    "kaiming_normal": "kaiming",
    "lecun_uniform": "lecun",
    "lecun_normal": "lecun",
    "orthogonal": "orthogonal",
    "sparse": "sparse",
    "eye": "identity",
    "dirac": "identity",
    "constant": "constant",
    "fill": "constant",
    "full": "constant",
    "zero": "constant",
    "zeros": "constant",
    "ones": "constant",
    "normal": "normal",
    "randn": "normal",
    "uniform": "uniform",
    "rand": "uniform",
    "trunc_normal": "truncated",
    "trunc_normal_tf": "truncated",
    "delta_orthogonal": "orthogonal",
    "icnr": "kaiming",
}
_SIGNS = {"mul": "×", "div": "/", "add": "+", "sub": "-"}
_RANDOM = frozenset({"uniform", "normal", "truncated", "orthogonal", "sparse"})


def named_nonlinearity(call: InitCall) -> str | None:
    """The nonlinearity that the author of the call had in mind, as a role word.

    A kaiming scheme names it; Xavier and orthogonal ones name it by a gain that `calculate_gain` gives for it. `linear` stands for
    the gain of 1 that tanh, sigmoid and linear layers share.

    Returns:
        None for torch's default spelled out, for other gains and for schemes that have no gain.
    """
    name = bare_name(call.name)
    if name.startswith("kaiming"):
        return _named_by_kaiming(call)
    if name.startswith(("xavier", "glorot", "orthogonal")):
        return _named_by_gain(call.argument("gain", 1.0))
    return None


def scheme_gain(call: InitCall, shape: Sequence[int], fan_in: int, lineage: Sequence[InitCall] = ()) -> float | None:
    """The gain that the call gives a weight of this shape: its std times sqrt(fan_in), dimensionless.

    Args:
        call: the initializing call.
        shape: shape of the weight, from which torch takes its fans.
        fan_in: fan_in as the weight is used.
        lineage: the operations that made the values; may be left out.

    Returns:
        None where the values are not known to be random (constants too: their gain is their mean's business).
    """
    found = predicted(call, shape, lineage)
    if found is None or found.family == "constant":
        return None
    return (found.std if found.family in _RANDOM else found.rms) * math.sqrt(fan_in)


def family_of(call: InitCall) -> str:
    """The family: xavier, kaiming, lecun, orthogonal, constant, normal, uniform, truncated, identity, sparse, default or unknown.

    `default` is torch's own start of its layers; a kaiming scheme for `linear` is `lecun`.
    """
    if is_torch_default(call):
        return "default"
    found = _FAMILIES.get(bare_name(call.name), "unknown")
    if found == "kaiming" and named_nonlinearity(call) == "linear":
        return "lecun"
    return found


def is_torch_default(call: InitCall) -> bool:
    """Whether the call is what torch's linear and convolution layers do by themselves: `kaiming_uniform_(a=sqrt(5))`."""
    return (
        bare_name(call.name) == "kaiming_uniform"
        and call.argument("nonlinearity", "leaky_relu") == "leaky_relu"
        and call.argument("mode", "fan_in") == "fan_in"
        and _close(call.argument("a", 0.0), _DEFAULT_SLOPE)
    )


def describe(call: InitCall, lineage: Sequence[InitCall] = ()) -> str:
    """A short text for tables: `kaiming_uniform(a=√5)`, `normal(0, 0.02)`, `randn × 0.02`."""
    text = _described(call)
    names = [bare_name(step.name) for step in lineage]
    after = lineage[names.index(bare_name(call.name)) + 1 :] if bare_name(call.name) in names else ()
    return text + "".join(_step(step) for step in after)


def _step(step: InitCall) -> str:
    """What one step of arithmetic adds to the text; nothing for steps that only move values."""
    name, operand = bare_name(step.name), step.argument("other", step.argument("value"))
    if name in _SIGNS and isinstance(operand, (int, float)):
        return f" {_SIGNS[name]} {_short(operand)}"
    return " → erfinv" if name == "erfinv" else ""


def _described(call: InitCall) -> str:
    name = bare_name(call.name)
    if name.startswith("kaiming"):
        parts = _kaiming_parts(call)
    elif name.startswith("xavier") or name == "orthogonal":
        parts = [] if _close(call.argument("gain", 1.0), 1.0) else [f"gain={_short(call.argument('gain'))}"]
    elif name == "normal":
        parts = [_short(call.argument("mean", 0.0)), _short(call.argument("std", 1.0))]
    elif name.startswith("trunc_normal"):
        parts = [_short(call.argument("mean", 0.0)), _short(call.argument("std", 1.0)), *_cut(call)]
    elif name == "uniform":
        parts = [_short(call.argument("a", call.argument("from", 0.0))), _short(call.argument("b", call.argument("to", 1.0)))]
    elif name in ("constant", "fill", "full"):
        name = "constant"
        parts = [_short(call.argument("val", call.argument("value", call.argument("fill_value"))))]
    elif name == "sparse":
        parts = [_short(call.argument("sparsity")), _short(call.argument("std", 0.01))]
    else:
        name, parts = {"zero": "zeros"}.get(name, name), []
    return f"{name}({', '.join(parts)})" if parts else name


def _kaiming_parts(call: InitCall) -> list[str]:
    slope, mode, nonlinearity = call.argument("a", 0.0), call.argument("mode", "fan_in"), call.argument("nonlinearity", "leaky_relu")
    parts = [str(mode)] if mode != "fan_in" else []
    if nonlinearity != "leaky_relu":
        parts.append(str(nonlinearity))
    elif not _close(slope, 0.0):
        parts.append(f"a={_short(slope)}")
    return parts


def _cut(call: InitCall) -> list[str]:
    """The bounds, where they cut anything."""
    std, low, high = call.argument("std", 1.0), call.argument("a", -2.0), call.argument("b", 2.0)
    if not (isinstance(std, (int, float)) and isinstance(low, (int, float)) and isinstance(high, (int, float))):
        return []
    reach = 4.0 * std if bare_name(call.name) == "trunc_normal" else 4.0
    return [f"{_short(low)}…{_short(high)}"] if max(low, -high) > -reach else []


def _named_by_kaiming(call: InitCall) -> str | None:
    word, slope = str(call.argument("nonlinearity", "leaky_relu")), call.argument("a", 0.0)
    if word.startswith("conv"):
        return "linear"
    if word != "leaky_relu":
        return word
    if not isinstance(slope, (int, float)) or _close(slope, _DEFAULT_SLOPE):
        return None
    return "relu" if _close(slope, 0.0) else "leaky_relu"


def _named_by_gain(gain: Plain) -> str | None:
    if _close(gain, 1.0):
        return "linear"
    for role in _NAMED_BY_GAIN:
        if _close(gain, calculate_gain(role)):
            return role
    return "leaky_relu" if any(_close(gain, calculate_gain("leaky_relu", slope)) for slope in _NAMED_SLOPES) else None


def _close(value: Plain, wanted: float | None) -> bool:
    return wanted is not None and isinstance(value, (int, float)) and abs(value - wanted) <= _TOLERANCE


def _short(value: Plain) -> str:
    if not isinstance(value, (int, float)):
        return str(value)
    for square in (2, 3, 5, 6):
        if abs(abs(value) - math.sqrt(square)) < 1e-6:
            return f"{'-' if value < 0 else ''}√{square}"
    return "5/3" if abs(value - 5.0 / 3.0) < 1e-6 else f"{value:.4g}"
