"""What an initializing call draws from: its name and arguments, the tensor's shape, and the arithmetic that followed."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from statistics import NormalDist
from typing import Literal

from initcheck.errors import NotKnown
from initcheck.records.recording import InitCall, ParameterRecord
from initcheck.theory.calls.distributions import UNCUT, Distribution, constant, normal, truncated, uniform
from initcheck.theory.fans import torch_fans
from initcheck.theory.gains import calculate_gain


def predicted(call: InitCall, shape: Sequence[int], lineage: Sequence[InitCall] = ()) -> Distribution | None:
    """The distribution that a call gives a tensor of this shape.

    Args:
        call: a function of `torch.nn.init`, or a tensor operation that makes values (`randn`, `normal_`, `fill_`, …).
        shape: the shape of the tensor.
        lineage: the operations that made the values, oldest first (`randn`, then `mul` by 0.02); may be left out.

    Returns:
        None when the call, one of its arguments or a step of the lineage is not understood.
    """
    try:
        return _predict(call, shape, lineage)
    except (NotKnown, ZeroDivisionError, OverflowError):
        return None


def predicted_of(record: ParameterRecord) -> Distribution | None:
    """The distribution that a parameter's recorded writes give it, later arithmetic in place included.

    Returns:
        None when it was never written in full, or afterwards changed by anything but arithmetic with numbers on the whole.
    """
    ruling = record.ruling()
    if ruling is None or not ruling.call.known():
        return None
    found = predicted(ruling.call.get(), record.shape, ruling.lineage)
    for write in record.later():
        if found is None or not write.call.known() or bare_name(write.call.get().name) not in _STEPS:
            return None
        try:
            found = _STEPS[bare_name(write.call.get().name)](found, write.call.get())
        except (NotKnown, ZeroDivisionError):
            return None
    return found


def understood(call: InitCall) -> bool:
    """Whether the call by its name alone says what values it makes."""
    return bare_name(call.name) in _SOURCES


def _predict(call: InitCall, shape: Sequence[int], lineage: Sequence[InitCall]) -> Distribution:
    names = [bare_name(step.name) for step in lineage]
    own = bare_name(call.name)
    if own in names:
        start = names.index(own)
        return _follow(_source(lineage[start], shape), lineage[start + 1 :], shape)
    if own in _SOURCES:
        # The lineage of a torch.nn.init function is its own inner arithmetic, which its name already stands for.
        return _source(call, shape)
    first = next((index for index, name in enumerate(names) if name in _SOURCES), None)
    if first is None:
        raise NotKnown(f"what `{call.name}` draws from is not known")
    return _follow(_source(lineage[first], shape), lineage[first + 1 :], shape)


def _follow(start: Distribution, steps: Sequence[InitCall], shape: Sequence[int]) -> Distribution:
    found = start
    for step in steps:
        name = bare_name(step.name)
        if name in _SOURCES:
            found = _source(step, shape)
        elif name in _STEPS:
            found = _STEPS[name](found, step)
        elif name not in _INERT:
            raise NotKnown(f"what `{step.name}` does to a distribution is not known")
    return found


def _source(call: InitCall, shape: Sequence[int]) -> Distribution:
    if math.prod(shape) == 0:
        raise NotKnown("a tensor without elements is drawn from nothing")
    return _SOURCES[bare_name(call.name)](call, shape)


def bare_name(name: str) -> str:
    """The bare name: `torch.nn.init.xavier_normal_` and `aten::normal_` are `xavier_normal` and `normal`."""
    return name.rsplit("::", maxsplit=1)[-1].rsplit(".", maxsplit=1)[-1].strip("_").removesuffix("_like").removeprefix("new_")


def _number(call: InitCall, *keys: str, default: float | None = None) -> float:
    given = dict(call.kwargs)
    value = next((given[key] for key in keys if given.get(key) is not None), default)
    if not isinstance(value, (int, float)):
        raise NotKnown(f"`{keys[0]}` of `{call.name}` is not a number")
    return float(value)


def _uniform_call(call: InitCall, _: Sequence[int]) -> Distribution:
    return uniform(_number(call, "a", "from", "low", default=0.0), _number(call, "b", "to", "high", default=1.0))


def _normal_call(call: InitCall, _: Sequence[int]) -> Distribution:
    return normal(_number(call, "mean", default=0.0), _number(call, "std", default=1.0))


def _truncated_call(call: InitCall, _: Sequence[int]) -> Distribution:
    mean, std = _number(call, "mean", default=0.0), _number(call, "std", default=1.0)
    return truncated(mean, std, _number(call, "a", default=-2.0), _number(call, "b", default=2.0))


def _scaled_truncated_call(call: InitCall, _: Sequence[int]) -> Distribution:
    unit = truncated(0.0, 1.0, _number(call, "a", default=-2.0), _number(call, "b", default=2.0))
    return unit.affine(_number(call, "std", default=1.0), _number(call, "mean", default=0.0))


def _symmetric(law: Literal["uniform", "normal"], std: float) -> Distribution:
    return uniform(-math.sqrt(3.0) * std, math.sqrt(3.0) * std) if law == "uniform" else normal(0.0, std)


def _xavier(law: Literal["uniform", "normal"]) -> Callable[[InitCall, Sequence[int]], Distribution]:
    def read(call: InitCall, shape: Sequence[int]) -> Distribution:
        fans = torch_fans(shape)
        return _symmetric(law, _number(call, "gain", default=1.0) * math.sqrt(2.0 / (fans.fan_in + fans.fan_out)))

    return read


def _kaiming(law: Literal["uniform", "normal"]) -> Callable[[InitCall, Sequence[int]], Distribution]:
    def read(call: InitCall, shape: Sequence[int]) -> Distribution:
        fans = torch_fans(shape)
        fan = fans.fan_out if str(call.argument("mode", "fan_in")).lower() == "fan_out" else fans.fan_in
        gain = calculate_gain(str(call.argument("nonlinearity", "leaky_relu")), _number(call, "a", default=0.0))
        if gain is None:
            raise NotKnown(f"torch has no gain for `{call.argument('nonlinearity')}`")
        return _symmetric(law, gain / math.sqrt(fan))

    return read


def _orthogonal(call: InitCall, shape: Sequence[int]) -> Distribution:
    rows, columns = _matrix(shape)
    gain = abs(_number(call, "gain", default=1.0))
    return Distribution("orthogonal", gain / math.sqrt(max(rows, columns)), 0.0, -gain, gain)


def _delta_orthogonal(call: InitCall, shape: Sequence[int]) -> Distribution:
    _matrix(shape)
    gain = abs(_number(call, "gain", default=1.0))
    if shape[1] > shape[0]:
        raise NotKnown("a delta-orthogonal kernel needs at least as many outputs as inputs")
    return Distribution("sparse", gain / math.sqrt(shape[0] * math.prod(shape[2:])), 0.0, -gain, gain)


def _sparse(call: InitCall, shape: Sequence[int]) -> Distribution:
    rows, _ = _matrix(shape)
    zeros = math.ceil(_number(call, "sparsity") * rows)
    return Distribution("sparse", _number(call, "std", default=0.01) * math.sqrt(1.0 - zeros / rows))


def _ones_among(ones: int, count: int) -> Distribution:
    share = ones / count
    return Distribution("identity", math.sqrt(share * (1.0 - share)), share, 0.0, 1.0)


def _eye(_: InitCall, shape: Sequence[int]) -> Distribution:
    rows, columns = _matrix(shape)
    return _ones_among(min(rows, columns), rows * columns)


def _dirac(call: InitCall, shape: Sequence[int]) -> Distribution:
    _matrix(shape)
    groups = int(_number(call, "groups", default=1))
    return _ones_among(groups * min(shape[0] // groups, shape[1]), math.prod(shape))


def _matrix(shape: Sequence[int]) -> tuple[int, int]:
    if len(shape) < 2:
        raise NotKnown("not a matrix")
    return shape[0], math.prod(shape[1:])


def _multiply(found: Distribution, call: InitCall) -> Distribution:
    return found.affine(_number(call, "other", "scalar", "value"))


def _divide(found: Distribution, call: InitCall) -> Distribution:
    return found.affine(1.0 / _number(call, "other", "scalar", "value"))


def _add(found: Distribution, call: InitCall) -> Distribution:
    return found.affine(1.0, _number(call, "alpha", default=1.0) * _number(call, "other", "value"))


def _subtract(found: Distribution, call: InitCall) -> Distribution:
    return found.affine(1.0, -_number(call, "alpha", default=1.0) * _number(call, "other", "value"))


def _clamp(found: Distribution, call: InitCall) -> Distribution:
    low, high = _number(call, "min", default=-math.inf), _number(call, "max", default=math.inf)
    inner_low, inner_high = max(found.low, found.mean - UNCUT * found.std), min(found.high, found.mean + UNCUT * found.std)
    # Rounding of a bound must not read as a cut.
    slack = 1e-5 * found.std
    if low > inner_low + slack or high < inner_high - slack:
        raise NotKnown("the clamp moves values to its bounds")
    return dataclasses.replace(found, low=max(found.low, low), high=min(found.high, high))


def _erfinv(found: Distribution, _: InitCall) -> Distribution:
    if found.family != "uniform" or found.low < -1.0 - 1e-6 or found.high > 1.0 + 1e-6:
        raise NotKnown("erfinv of something other than a uniform distribution")
    ends = [NormalDist().inv_cdf(0.5 + 0.5 * end) if abs(end) < 1.0 else math.copysign(math.inf, end) for end in (found.low, found.high)]
    return truncated(0.0, 1.0, ends[0], ends[1]).affine(math.sqrt(0.5))


_SOURCES: dict[str, Callable[[InitCall, Sequence[int]], Distribution]] = {
    "uniform": _uniform_call,
    "rand": lambda *_: uniform(0.0, 1.0),
    "normal": _normal_call,
    "randn": lambda *_: normal(0.0, 1.0),
    "trunc_normal": _truncated_call,
    "trunc_normal_tf": _scaled_truncated_call,
    "xavier_uniform": _xavier("uniform"),
    "xavier_normal": _xavier("normal"),
    "kaiming_uniform": _kaiming("uniform"),
    "kaiming_normal": _kaiming("normal"),
    "orthogonal": _orthogonal,
    "delta_orthogonal": _delta_orthogonal,
    "icnr": _kaiming("normal"),
    "sparse": _sparse,
    "eye": _eye,
    "dirac": _dirac,
    "zero": lambda *_: constant(0.0),
    "zeros": lambda *_: constant(0.0),
    "ones": lambda *_: constant(1.0),
    "constant": lambda call, _: constant(_number(call, "val", "value")),
    "fill": lambda call, _: constant(_number(call, "value", "val")),
    "full": lambda call, _: constant(_number(call, "fill_value", "value")),
}
_STEPS: dict[str, Callable[[Distribution, InitCall], Distribution]] = {
    "mul": _multiply,
    "multiply": _multiply,
    "div": _divide,
    "true_divide": _divide,
    "divide": _divide,
    "add": _add,
    "sub": _subtract,
    "neg": lambda found, _: found.affine(-1.0),
    "clamp": _clamp,
    "erfinv": _erfinv,
}
_INERT = frozenset(
    {"empty", "clone", "copy", "detach", "alias", "to", "to_copy", "float", "double", "half", "bfloat16", "contiguous", "lift_fresh"}
    | {"t", "transpose", "permute", "view", "reshape", "unsqueeze", "squeeze", "expand", "slice", "select", "flatten", "unsafe_view"}
)
"""Operations that move or round values but keep what each is drawn from."""
