"""The signal of one forward and backward pass, node by node, as plain numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from initcheck.measure.signal.elementwise import CLAMPS, RECTIFIERS, derivative, saturated
from initcheck.measure.signal.logits import ATTENTION, BATCHED, row_variance
from initcheck.measure.signal.moments import mean_square, real, sample, sum_of_squares
from initcheck.records.fact import Fact, Known, Unknown
from initcheck.records.stats import SignalStats

CONVOLUTIONS = frozenset(
    {"convolution", "_convolution", "mkldnn_convolution", "cudnn_convolution", "cudnn_convolution_transpose", "miopen_convolution"}
    | {f"{name}{dim}d" for name in ("conv", "conv_transpose", "slow_conv", "thnn_conv", "slow_conv_transpose") for dim in (1, 2, 3)}
    | {"convolution_overrideable", "_conv_depthwise2d", "conv_depthwise3d", "_slow_conv2d_forward", "slow_conv3d_forward"}
)
PRODUCTS = frozenset(
    {"addmm", "mm", "bmm", "baddbmm", "addbmm", "linear", "mkldnn_linear", "matmul", "mv", "addmv", "einsum", "_addmm_activation"}
    | {"_grouped_mm", "bilinear", "_trilinear", "embedding", "embedding_bag", "_embedding_bag", "_embedding_bag_forward_only"}
)
REGIONS = frozenset({"recurrent", "custom", "lstm", "gru", "rnn_tanh", "rnn_relu", "_thnn_fused_lstm_cell"})
NORMS = frozenset(
    {"native_layer_norm", "native_batch_norm", "native_group_norm", "layer_norm", "batch_norm", "group_norm", "instance_norm"}
    | {"cudnn_batch_norm", "miopen_batch_norm", "_native_batch_norm_legit", "_native_batch_norm_legit_no_training", "rms_norm"}
    | {"_batch_norm_with_update", "_batch_norm_impl_index", "_fused_rms_norm", "_weight_norm_interface"}
)
NONLINEARITIES = frozenset(
    {"tanh", "sigmoid", "gelu", "silu", "leaky_relu", "elu", "celu", "selu", "softplus", "mish", "hardswish", "hardsigmoid", "softsign"}
    | {"log_sigmoid_forward", "log_sigmoid", "prelu", "_prelu_kernel", "rrelu", "rrelu_with_noise", "glu", "sin", "cos", "erf"}
    | RECTIFIERS
    | CLAMPS
)
_BIAS_FIRST = frozenset({"addmm", "baddbmm", "addbmm", "addmv", "_addmm_activation"})
_WEIGHTED = CONVOLUTIONS | PRODUCTS | REGIONS
_PAIRED = frozenset({"add", "mul", "div"})
_SCORED = BATCHED | {ATTENTION, "softmax"}
_WANTED = _WEIGHTED | NORMS | NONLINEARITIES | _PAIRED | _SCORED

_EXACT = 1 << 16
"""Elements up to which the outputs of operations without a weight are read whole."""
_SAMPLE = 1 << 14
"""Elements sampled where a relative error of one or two percent does no harm."""


@dataclass(slots=True)
class _Seen:
    """What is kept of one node between the passes: numbers only."""

    op: str
    numel: int
    units: int
    second_moment: float
    sample_fraction: Fact[float] | None = None
    mean_square: float | None = None
    dead: float | None = None
    saturated: float | None = None
    derivative: float | None = None
    input_second_moment: float | None = None
    operands: tuple[float | None, ...] = ()
    row_variance: float | None = None
    gradient: Fact[float] | None = None
    lifted: bool = False


class SignalObserver:
    """Measures what the tracer shows it, and keeps no tensor.

    Args:
        batch: number of samples in the batch; gradients are summed over positions and averaged over this many samples.
    """

    def __init__(self, batch: int) -> None:
        self.batch = max(batch, 1)
        self._seen: dict[int, _Seen] = {}
        self._backward = False
        self._channels = 0
        self._channels_ndim = 0

    def wants(self, op: str) -> bool:
        """Whether an operation (canonical aten name) is measured at all."""
        return op in _WANTED or op.rstrip("_") in _WANTED

    def forward(self, node: int, op: str, output: Tensor, inputs: tuple[Tensor | None, ...]) -> None:
        """Measures one output; `inputs` are the tensor arguments in their order."""
        if op.rstrip("_") in ("mul", "div") and not _broadcasts(output, inputs):
            return  # gates and constant factors are many, and say nothing of a parameter
        values = real(output)
        if values is None or values.numel() == 0:
            return
        op = op if op in _WANTED else op.rstrip("_")
        axis = self._unit_axis(op, values)
        with torch.no_grad():
            if op in _WEIGHTED:
                self._seen[node] = _weighted(op, values, axis)
                self._seen[node].input_second_moment = _factor(op, inputs)
            else:
                self._seen[node] = _unweighted(op, values, axis, _source(output, inputs))
            if op in _PAIRED and len(inputs) > 1:
                self._seen[node].operands = tuple(_operand(tensor) for tensor in inputs)
            if op in _SCORED:
                self._seen[node].row_variance = row_variance(op, output, inputs)

    def backward(self, node: int, gradient: Tensor) -> None:
        """Measures the gradient with respect to the output of a node; the last call per node counts."""
        self._backward = True
        seen = self._seen.get(node)
        values = real(gradient)
        if seen is None or values is None:
            return
        with torch.no_grad():
            total = sum_of_squares(values) if values.numel() else 0.0
        seen.gradient = Unknown("the gradient holds NaN") if math.isnan(total) else Known(total / (self.batch * seen.units))

    def fill(self, other: SignalObserver) -> None:
        """Takes over gradients from a run of the same operations with its zero weights lifted, where this run saw exactly none."""
        for node, seen in self._seen.items():
            found = other._seen.get(node)
            empty = seen.gradient is None or (seen.gradient.known() and seen.gradient.get() == 0.0)
            if found is None or found.op != seen.op or found.gradient is None or not found.gradient.known() or not empty:
                continue
            if found.gradient.get() > 0.0:
                seen.gradient, seen.lifted = found.gradient, True

    def results(self) -> tuple[SignalStats, ...]:
        """Everything measured, in the order of execution."""
        return tuple(self._stats(node, seen) for node, seen in self._seen.items())

    def _stats(self, node: int, seen: _Seen) -> SignalStats:
        missing = "no gradient arrived here" if self._backward else "no backward pass"
        return SignalStats(
            node=node,
            numel=seen.numel,
            second_moment=seen.second_moment,
            nonfinite=not math.isfinite(seen.second_moment),
            sample_fraction=seen.sample_fraction,
            gradient=Unknown(missing) if seen.gradient is None else seen.gradient,
            dead=seen.dead,
            saturated=seen.saturated,
            mean_square=seen.mean_square,
            derivative=seen.derivative,
            input_second_moment=seen.input_second_moment,
            operands=seen.operands,
            row_variance=seen.row_variance,
            lifted=seen.lifted,
        )

    def _unit_axis(self, op: str, values: Tensor) -> int:
        """The axis of units: channels after a convolution, else the last one.

        A nonlinearity does not say which it is, so it takes after the nearest convolution before it with as many units.
        """
        if op in CONVOLUTIONS:
            self._channels, self._channels_ndim = (values.shape[1], values.dim()) if values.dim() > 2 else (0, 0)
            return 1 if values.dim() > 2 else 0
        last = int(values.dim()) - 1
        if last < 2 or op in _WEIGHTED:
            return last
        return 1 if (values.dim(), values.shape[1]) == (self._channels_ndim, self._channels) else last


def _weighted(op: str, values: Tensor, axis: int) -> _Seen:
    """The numbers of a weight's output, exact, in two reads."""
    total = sum_of_squares(values)
    units = values.shape[axis] if values.dim() else 1
    seen = _Seen(op, values.numel(), units, total / values.numel())
    if values.dim() < 2 or not math.isfinite(total):
        seen.sample_fraction = Unknown("one sample only" if math.isfinite(total) else "the signal is not finite")
        return seen
    images = op in CONVOLUTIONS and values.dim() > 2
    rows = values if images else values.reshape(-1, units)
    if total == 0.0:
        seen.sample_fraction = Unknown("the signal is zero")
        return seen
    mean = rows.mean(dim=0)
    unit_mean = mean.flatten(1).mean(dim=1) if images else mean
    seen.mean_square = min(sum_of_squares(unit_mean) / units / seen.second_moment, 1.0)
    seen.sample_fraction = _sample_fraction(rows, mean, total)
    return seen


def _factor(op: str, inputs: tuple[Tensor | None, ...]) -> float | None:
    """E[x^2] of the first factor; in addmm and its kin the bias comes before it."""
    position = 1 if op in _BIAS_FIRST else 0
    tensor = inputs[position] if len(inputs) > position else None
    values = None if tensor is None else real(tensor)
    return None if values is None or values.numel() == 0 else mean_square(values, _SAMPLE)


def _broadcasts(output: Tensor, inputs: tuple[Tensor | None, ...]) -> bool:
    """Whether one operand has fewer elements than the result: a parameter most often, or a statistic."""
    return any(tensor is not None and tensor.numel() < output.numel() for tensor in inputs)


def _operand(tensor: Tensor | None) -> float | None:
    values = None if tensor is None else real(tensor)
    return None if values is None or values.numel() == 0 else mean_square(values, _SAMPLE)


def _sample_fraction(rows: Tensor, mean: Tensor, total: float) -> Fact[float]:
    """E||z - mean||^2 / E||z||^2 over the first axis."""
    count = rows.shape[0]
    if count < 2:
        return Unknown("one sample only")
    fraction = 1.0 - sum_of_squares(mean) * count / total
    # The difference of two near equal sums says little in single precision: then subtract first.
    if fraction < 1e-3:
        shifted = rows - rows[:1]
        fraction = sum_of_squares(shifted - shifted.mean(dim=0)) / total
    return Known(min(max(fraction, 0.0), 1.0))


def _source(output: Tensor, inputs: tuple[Tensor | None, ...]) -> Tensor | None:
    """The operand of an elementwise operation, `None` when it was overwritten or is not of the output's shape."""
    first = inputs[0] if inputs else None
    if first is None or first.shape != output.shape or first.data_ptr() == output.data_ptr() or first.stride() != output.stride():
        return None
    return real(first)


def _unweighted(op: str, values: Tensor, axis: int, source: Tensor | None) -> _Seen:
    units = values.shape[axis] if values.dim() else 1
    seen = _Seen(op, values.numel(), units, mean_square(values, _EXACT if values.numel() <= _EXACT else _SAMPLE))
    if op not in NONLINEARITIES or not math.isfinite(seen.second_moment):
        return seen
    few = sample(values, _SAMPLE // 2)
    few_sources = None if source is None else sample(source, _SAMPLE // 2)
    seen.saturated = saturated(op, few, few_sources)
    seen.derivative = derivative(op, few, few_sources)
    if op in RECTIFIERS or (op in CLAMPS and float(few.min()) == 0.0):
        seen.dead = _dead(values, axis)
    return seen


def _dead(values: Tensor, axis: int) -> float | None:
    """The share of units that are zero everywhere; the sum over the batch of what is never negative is zero only then."""
    if values.dim() < 2:
        return None
    first = values[: values.shape[0] // 8]
    # A unit that lives in a part of the batch lives; most often that settles it.
    if first.shape[0] and axis and _silent(first, axis) == 0.0:
        return 0.0
    return _silent(values, axis)


def _silent(values: Tensor, axis: int) -> float:
    over_batch = values.sum(dim=0).movedim(axis - 1, 0) if axis else values
    per_unit = over_batch.flatten(1).sum(dim=1) if over_batch.dim() > 1 else over_batch
    return 1.0 - float(torch.count_nonzero(per_unit)) / int(per_unit.numel())
