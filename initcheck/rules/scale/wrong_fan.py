"""IC205."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from initcheck.records.evidence import Evidence, Layer
from initcheck.records.finding import Finding, Fix, Severity
from initcheck.records.recording import InitCall, ParameterRecord
from initcheck.records.rule import Example, Mends
from initcheck.records.stats import WeightStats
from initcheck.rules.base import DRIFTS, LayerRule, tolerance, written_at
from initcheck.rules.remedies import safety_of
from initcheck.theory.mean_field import compounding
from initcheck.theory.sampling import scale_error
from initcheck.theory.schemes import family_of, is_torch_default, predicted

KINDS = ("linear", "conv", "conv_transpose", "matmul", "bilinear")
SCHEMES = ("xavier", "kaiming", "lecun")


@dataclass(frozen=True, slots=True)
class Miscount:
    """A scheme that counted other fans than the ones in use.

    what: which axes it took for which; ratio: std over the one that the right fans give; std: that one, right: the fans it comes from,
    counted: the fans that torch saw; remedy: what to write instead, as text and as a call (None where no single call will do).
    """

    what: str
    ratio: float
    std: float
    right: str
    counted: str
    remedy: str
    call: InitCall | None

    @property
    def factor(self) -> float:
        """By how much the std is off, at least 1."""
        return max(self.ratio, 1 / self.ratio)


@dataclass(frozen=True)
class WrongFan(LayerRule):
    """The scheme took its fan from the wrong axes of the tensor: torch reads (out, in, kernel...), and this weight is used otherwise.

    Why: the std is g / sqrt(fan); a fan counted over the experts of a stack, the groups of a convolution or the steps of its stride, or over the
        output axis of a weight that is stored as (in, out), makes the weights too small or too large by the square root of that factor.
    Silent when: the values were drawn per matrix or on a reshaped view (the measured std shows it), the weight is rescaled or computed at run time,
        the default start of torch was left alone (but for bilinear layers), or `fan_out` and Xavier's average land as near to the used fan_in.
        Info only in front of a normalization (from a factor of 3), in a residual branch up to a factor of 3, for packed projections, and for a
        small output layer.
    Source: fans of every kind of layer measured as E[y^2] / (Var(w) E[x^2]); He et al. 2015, arXiv:1502.01852; pytorch issue 15314.
    """

    code: ClassVar[str] = "IC205"
    severity: ClassVar[Severity] = "warning"
    mends: ClassVar[Mends] = "either"
    explains: ClassVar[tuple[str, ...]] = (
        *DRIFTS,
        "scheme-nonlinearity-mismatch",
        "weight-too-large",
        "weight-too-small",
        "dead-units",
        "saturated-units",
        "initial-loss-too-high",
        "correlated-outputs",
        "scale-outlier",
    )
    explains_from: ClassVar[Severity] = "warning"
    factor: float = tolerance(1.25, "smallest factor in std that matters where the scheme names one fan")
    spread: float = tolerance(1.5, "smallest factor in std that matters where a scheme may use either fan")
    muffled: float = tolerance(3.0, "smallest factor in std that matters behind a normalization or in a residual branch")
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            bad="import torch\nfrom torch import nn\n\n\nclass Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
            "        self.weight = nn.Parameter(torch.empty(64, 512))\n        nn.init.kaiming_normal_(self.weight, nonlinearity='relu')\n"
            "        self.head = nn.Linear(512, 4)\n\n    def forward(self, x):\n        return self.head(torch.relu(x @ self.weight))\n\n\nmodel = Net()\n",
            good="import torch\nfrom torch import nn\n\n\nclass Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
            "        self.weight = nn.Parameter(torch.empty(64, 512))\n        nn.init.kaiming_normal_(self.weight.t(), nonlinearity='relu')\n"
            "        self.head = nn.Linear(512, 4)\n\n    def forward(self, x):\n        return self.head(torch.relu(x @ self.weight))\n\n\nmodel = Net()\n",
            input_shape=(64,),
        ),
        Example(
            bad="from torch import nn\n\nmodel = nn.Sequential(nn.Conv2d(3, 96, 16, 16), nn.GELU(), nn.Flatten(), nn.Linear(384, 4))\n"
            "nn.init.xavier_uniform_(model[0].weight)\n",
            good="from torch import nn\n\nmodel = nn.Sequential(nn.Conv2d(3, 96, 16, 16), nn.GELU(), nn.Flatten(), nn.Linear(384, 4))\n"
            "nn.init.xavier_uniform_(model[0].weight.flatten(1), gain=1.5)\n",
            input_shape=(3, 32, 32),
        ),
    )

    def check(self, layer: Layer, evidence: Evidence) -> Iterator[Finding]:
        record, stats = evidence.record(layer.weight), evidence.stats(layer.weight)
        if record is None or stats is None or layer.kind not in KINDS or layer.derived or stats.numel < 32 or stats.constant:
            return
        found = _bilinear_default(record, stats) if layer.kind == "bilinear" else None
        found = found or _miscounted(layer, record, stats)
        if found is None:
            return
        severity = self._severity(layer, found, record)
        if severity is not None:
            yield self._say(layer, evidence, found, severity, stats)

    def _severity(self, layer: Layer, found: Miscount, record: ParameterRecord) -> Severity | None:
        ruling = record.ruling()
        call = ruling.call.get() if ruling is not None and ruling.call.known() else InitCall("")
        one_fan = layer.kind == "bilinear" or (family_of(call) != "xavier" and call.argument("mode", "fan_in") == "fan_in")
        factor, limit = found.factor, self.factor if one_fan or layer.packed else self.spread
        if factor < limit:
            return None
        feeds = set(layer.feeds.get())
        head = feeds <= {"output", "softmax", "log_softmax"} and found.ratio < 1
        if layer.norm or head:
            return "info" if factor >= self.muffled else None
        if layer.packed or feeds <= {"attention"}:
            return "info"
        if layer.inside_branch or layer.closes_branch:
            return "warning" if factor >= self.muffled else "info"
        return "warning"

    def _say(self, layer: Layer, evidence: Evidence, found: Miscount, severity: Severity, stats: WeightStats) -> Finding:
        size = "large" if found.ratio > 1 else "small"
        where = "; a normalization follows" if layer.norm else ""
        error = scale_error(stats.numel, stats.kurtosis)
        return self.finding(
            (layer.weight,),
            found.what,
            severity=severity,
            observed=f"std {stats.std:.3g} ± {100 * error:.1g} %, {found.factor:.3g} times too {size}: counted {found.counted}",
            expected=f"std {found.std:.3g} from {found.right}{where}",
            location=written_at(evidence.record(layer.weight)),
            fix=Fix((layer.weight,), found.call, safety_of((layer.weight,), evidence), found.remedy),
            note=f"{found.factor:.3g} times too {size}",
            why=_why(layer, found),
        )


def _why(layer: Layer, found: Miscount) -> str:
    square = found.ratio**2
    if layer.norm:
        return f"The normalization removes the scale from the signal; the effective learning rate of this weight is {1 / square:.2g} times the usual one."
    return f"Each such layer multiplies the second moment by {square:.2g} too much or too little: {compounding(square)}."


def _miscounted(layer: Layer, record: ParameterRecord, stats: WeightStats) -> Miscount | None:
    """What the recorded call counted wrongly, provided that the tensor really has the std that the miscount gives."""
    ruling = record.ruling()
    if ruling is None or not ruling.call.known() or ruling.origin not in ("user", "library"):
        return None
    call = ruling.call.get()
    if family_of(call) not in SCHEMES or is_torch_default(call):
        return None
    made = predicted(call, record.shape)
    # on a view, per block, or rescaled afterwards: the tensor is then not what the call gives one of this shape
    if (
        made is None
        or made.std <= 0
        or record.later()
        or abs(math.log(stats.std / made.std)) > 0.02 + 4.42 * scale_error(stats.numel, stats.kurtosis)
    ):
        return None
    fan_in, fan_out = layer.fan_in.get(), layer.fan_out.get()
    if layer.kind == "matmul" and len(record.shape) > 2:
        # one input may meet all matrices of a stack at once; the scheme is meant for each of them
        fan_out = record.shape[-1] if record.shape[-2] == fan_in else record.shape[-2]
    blocks = len(layer.packed)
    part = fan_out // blocks if layer.kind == "linear" and blocks > 1 and family_of(call) == "xavier" else fan_out
    if part == fan_out and (fan_in, fan_out) == layer.torch_fans.get():
        return None
    nearest = _nearest(made.std, call, fan_in, part)
    if nearest is None:
        return None
    std, right = nearest
    what, remedy = _words(layer, call, record.shape, blocks if part != fan_out else 1)
    return Miscount(
        what, stats.std / std, std, right, _counted(layer, call), remedy, InitCall("normal_", (("mean", 0.0), ("std", float(f"{std:.4g}"))))
    )


def _nearest(std: float, call: InitCall, fan_in: int, fan_out: int) -> tuple[float, str] | None:
    """The std that the scheme gives with the fans in use; where it may take either, the one nearer to the tensor's."""
    wanted = [((fan_out, fan_in), f"fan_in {fan_in}")]
    if family_of(call) == "xavier":
        wanted = [((fan_out, fan_in), f"fan_in {fan_in} and fan_out {fan_out}"), ((fan_in, fan_in), f"fan_in {fan_in}")]
    elif str(call.argument("mode", "fan_in")).lower() == "fan_out":
        wanted = [((fan_out, fan_in), f"fan_out {fan_out}"), ((fan_in, fan_in), f"fan_in {fan_in}")]
    found = [(made.std, text) for shape, text in wanted if (made := predicted(call, shape)) is not None and made.std > 0]
    return min(found, key=lambda pair: abs(math.log(pair[0] / std)), default=None)


def _counted(layer: Layer, call: InitCall) -> str:
    fan_in, fan_out = layer.torch_fans.get()
    if family_of(call) == "xavier":
        return f"fan_in {fan_in} and fan_out {fan_out}"
    return f"fan_out {fan_out}" if str(call.argument("mode", "fan_in")).lower() == "fan_out" else f"fan_in {fan_in}"


def _words(layer: Layer, call: InitCall, shape: tuple[int, ...], blocks: int) -> tuple[str, str]:
    """The fault and its remedy in words."""
    name = call.name
    if blocks > 1:
        return (
            f"`{name}` takes {blocks} packed projections for one",
            f"call it on each block: for block in weight.detach().chunk({blocks}): {name}(block)",
        )
    if layer.kind == "conv_transpose":
        return (
            f"`{name}` reads the axes of a transposed convolution the other way round, and no stride",
            "draw from normal_ with the std of the used fan",
        )
    if layer.kind == "conv":
        many, wide = (
            layer.groups > 1,
            "counts the fan_out over all groups" if layer.groups > 1 else "counts the fan_out as if the stride were 1",
        )
        instead = f"{name}(weight.flatten(1))" if family_of(call) == "xavier" and not many else f"{name} with mode='fan_in'"
        return f"`{name}` {wide}", f"use {instead}" if family_of(call) != "xavier" or not many else "use kaiming_normal_ with mode='fan_in'"
    if len(shape) > 2:
        turned = ".t()" if shape[-2] == layer.fan_in.get() != shape[-1] else ""
        return (
            f"`{name}` takes a stack of matrices for one tensor",
            f"call it on each matrix: for matrix in weight.detach(): {name}(matrix{turned})",
        )
    return (
        f"`{name}` takes the input axis for the output axis: this weight is stored as (in, out)",
        f"call it on weight.t(): {name}(weight.t())",
    )


def _bilinear_default(record: ParameterRecord, stats: WeightStats) -> Miscount | None:
    """torch's own start of a bilinear layer takes its bound from the first input alone; told where that makes the output large."""
    ruling = record.ruling()
    if ruling is None or ruling.origin != "framework default" or record.later() or len(record.shape) != 3:
        return None
    first, second = record.shape[1:]
    std = (first * second) ** -0.5
    if stats.std / std < 2.0:
        return None
    return Miscount(
        "the default start of a bilinear layer counts the first of its two inputs only",
        stats.std / std,
        std,
        f"fan_in {first * second} = {first} × {second}",
        f"{first} of {first * second}",
        f"draw from normal_ with std {std:.3g}",
        InitCall("normal_", (("mean", 0.0), ("std", float(f"{std:.4g}")))),
    )
