"""IC308."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from initcheck.records.evidence import Evidence, Layer
from initcheck.records.finding import Finding, Fix, Severity
from initcheck.records.recording import InitCall
from initcheck.records.rule import Example, Mends
from initcheck.records.stats import WeightStats
from initcheck.rules.base import LayerRule, written_at
from initcheck.rules.standing import own_start
from initcheck.theory.gains import zero_gradient_at_zero

_KINDS = ("linear", "matmul", "conv")


@dataclass(frozen=True)
class LossyIdentity(LayerRule):
    """An identity or Dirac start of a weight that is not square loses channels.

    Why: `eye_` and `dirac_` copy channel by channel. With fewer outputs than inputs the rest of the inputs is not read, and what made them gets no gradient at
        the first step; with more outputs than inputs the rest of the outputs is zero, and stays so for ever in front of a nonlinearity that is flat at zero (ReLU).
    Silent when: a sum or a concatenation joins the output with another path (shortcut projections, zero-padded shortcuts, the end of a residual branch), the
        spare outputs are zero in front of a nonlinearity that lets gradient through or have a bias that keeps them alive, the weight is square, frozen, loaded or
        computed at run time. Info where other weights read the same input or a shortcut leads around the layer.
    Source: the documentation of torch.nn.init.eye_ and dirac_ ("as many inputs as possible are preserved"); the gradient of ReLU at zero is zero.
    """

    code: ClassVar[str] = "IC308"
    severity: ClassVar[Severity] = "warning"
    mends: ClassVar[Mends] = "unsafe"
    explains: ClassVar[tuple[str, ...]] = ("dead-units", "no-gradient", "signal-vanishes", "gradient-vanishes", "correlated-outputs")
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            bad="from torch import nn\n\nmodel = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 8))\n"
            "nn.init.eye_(model[0].weight)\nnn.init.zeros_(model[0].bias)\n",
            good="from torch import nn\n\nmodel = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 8))\n"
            "nn.init.orthogonal_(model[0].weight, gain=2**0.5)\nnn.init.zeros_(model[0].bias)\n",
            input_shape=(16,),
        ),
    )

    def check(self, layer: Layer, evidence: Evidence) -> Iterator[Finding]:
        stats = evidence.stats(layer.weight)
        if stats is None or stats.diagonal is None or layer.kind not in _KINDS or layer.derived or not own_start(layer.weight, evidence):
            return
        sides = _sides(layer, stats)
        if sides is None:
            return
        outputs, inputs = sides
        unread, silent = _lost(outputs, inputs, stats.diagonal_groups, layer.groups)
        if not unread and not silent:
            return
        if layer.closes_branch or layer.merges or layer.gates or not layer.feeds.get():
            return
        if unread:
            total = inputs * layer.groups
            message = f"the identity reads {total - unread} of {total} inputs: {unread} do not reach the output"
        elif self._dead(layer, evidence, silent / outputs):
            message = f"the identity fills {outputs - silent} of {outputs} outputs: {silent} are zero and stay so"
        else:
            return
        yield self._say(layer, stats, evidence, message, unread)

    def _say(self, layer: Layer, stats: WeightStats, evidence: Evidence, message: str, unread: int) -> Finding:
        spare = layer.inside_branch or (unread > 0 and _read_elsewhere(layer, evidence))
        flat = layer.nonlinearity.known() and zero_gradient_at_zero(layer.nonlinearity.get().role, layer.nonlinearity.get().parameter)
        gain = math.sqrt(2.0) if flat else 1.0
        shape = " × ".join(str(size) for size in stats.shape)
        return self.finding(
            (layer.weight,),
            message,
            severity="info" if spare else "warning",
            observed=f"{stats.diagonal:.4g} times an identity, shape {shape}"
            + (f", {stats.diagonal_groups} blocks" if stats.diagonal_groups > 1 else "")
            + (f"; {100 * layer.dead.get():.0f} % of the units are zero on the whole batch" if flat and layer.dead.known() else ""),
            expected="a square weight, or one whose rows mix all inputs",
            location=written_at(evidence.record(layer.weight)),
            fix=Fix(
                (layer.weight,),
                InitCall("orthogonal_", (("gain", round(gain, 6)),)),
                "unsafe",
                "keep the length of every input: nn.init.orthogonal_",
            ),
            note="loses channels",
            why="Nothing mixes the channels of an identity, so what has no partner is lost."
            + ("" if unread else " A row of zeros in front of a nonlinearity that is flat at zero receives no gradient."),
        )

    def _dead(self, layer: Layer, evidence: Evidence, share: float) -> bool:
        """Whether the outputs without an input are zero now and get no gradient, by the nonlinearity and by measurement."""
        if not layer.nonlinearity.known():
            return False
        curve = layer.nonlinearity.get()
        bias = evidence.stats(layer.bias) if layer.bias else None
        if not zero_gradient_at_zero(curve.role, curve.parameter) or (bias is not None and bias.second_moment > 0):
            return False
        return layer.dead.get() >= share - 1e-6


def _sides(layer: Layer, stats: WeightStats) -> tuple[int, int] | None:
    """Outputs, and inputs per group, whichever way a matrix is stored; `None` where its use is another."""
    rows, columns = stats.shape[:2]
    if layer.kind == "conv":
        return rows, columns
    if len(stats.shape) != 2 or layer.fan_in.get() not in (rows, columns):
        return None
    if layer.fan_in.get() == columns:
        return rows, columns
    return (columns, rows) if stats.diagonal_groups == 1 else None


def _lost(outputs: int, inputs: int, blocks: int, groups: int) -> tuple[int, int]:
    """How many inputs no output reads, and how many outputs read no input.

    Args:
        outputs: of the layer.
        inputs: of each group of the layer.
        blocks: identities, stacked along the outputs.
        groups: of the layer.
    """
    height = outputs // max(blocks, 1)
    side = min(height, inputs)
    acting = [row for row in range(outputs) if row % height < side]
    wide = max(outputs // max(groups, 1), 1)
    read = {(row // wide, row % height) for row in acting}
    return inputs * groups - len(read), outputs - len(acting)


def _read_elsewhere(layer: Layer, evidence: Evidence) -> bool:
    """Whether another weight reads the same input, so that what this one leaves out is not lost."""
    others = [
        weight for before in evidence.layers if layer.weight in before.outgoing for weight in before.outgoing if weight != layer.weight
    ]
    if others or any(layer.weight in before.outgoing for before in evidence.layers):
        return bool(others)
    sources = layer.fed_by.get()
    return "input" in sources and any(
        "input" in other.fed_by.get()
        for other in evidence.layers
        if other.weight != layer.weight and other.kind in _KINDS and other.fed_by.known()
    )
