"""IC301."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from initcheck.records.evidence import Evidence, Layer
from initcheck.records.finding import Finding, Severity
from initcheck.records.rule import Example, Mends
from initcheck.rules.base import DRIFTS, MATRIX_KINDS, LayerRule, written_at
from initcheck.rules.remedies import redraw

HARMLESS = ("output", "residual_add", "gate_multiply", "attention", "recurrent", "softmax", "log_softmax")


@dataclass(frozen=True)
class ZeroWeight(LayerRule):
    """A weight is zero where zero stops or stalls learning.

    Why: a zero matrix on the only path makes all units equal and cuts every gradient before it; in front of a nonlinearity that is flat at zero
        (ReLU) it never recovers.
    Silent when: gradient reaches everything within two steps and the zero is on a branch: an output head, the last layer of a residual branch,
        LoRA's B, adaLN modulation, a zero convolution, a gate, one of query and key. Judged by gradient flow and dataflow, never by name or value.
    Source: measured by two temporary optimizer steps; Goyal et al. 2017, arXiv:1706.02677, section 5.1 and Zhang et al. 2019, arXiv:1901.09321 for good zeros.
    """

    code: ClassVar[str] = "IC301"
    severity: ClassVar[Severity] = "error"
    mends: ClassVar[Mends] = "either"
    spreads: ClassVar[bool] = True
    explains: ClassVar[tuple[str, ...]] = (
        *DRIFTS,
        "dead-units",
        "weight-too-small",
        "identical-units",
        "no-gradient",
        "correlated-outputs",
    )
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            bad="from torch import nn\n\nmodel = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 4))\n"
            "nn.init.zeros_(model[2].weight)\nnn.init.zeros_(model[2].bias)\n",
            good="from torch import nn\n\nmodel = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 4))\n"
            "nn.init.zeros_(model[4].weight)\nnn.init.zeros_(model[4].bias)\n",
            input_shape=(16,),
        ),
    )

    def check(self, layer: Layer, evidence: Evidence) -> Iterator[Finding]:
        stats = evidence.stats(layer.weight)
        record = evidence.record(layer.weight)
        if stats is None or stats.numel == 0 or stats.nonfinite or stats.second_moment > 0 or layer.kind in ("bias", "unused"):
            return
        if "embedding" in layer.kinds:
            return  # embedding-wiped judges tables
        if record is not None and not record.trainable:
            return
        state = evidence.flow(layer.weight)
        severity, message = self._verdict(layer, evidence, state)
        if severity is None:
            return
        yield self.finding(
            (layer.weight,),
            message,
            severity=severity,
            observed=f"{stats.numel:,} zeros; gradient {_said(state)}",
            expected="random weights, or zero only at the end of a branch",
            location=written_at(record),
            fix=redraw((layer.weight,), evidence),
            note="all zero",
            why="All units compute the same and send no gradient back through this weight.",
        )

    def _verdict(self, layer: Layer, evidence: Evidence, state: str) -> tuple[Severity | None, str]:
        feeds = layer.feeds.get()
        if state == "dead" and not layer.derived:
            return "error", "zero, and stays zero: no gradient reaches it, not even after two steps"
        if layer.kind == "norm" and not layer.closes_branch and not layer.derived and not set(feeds) <= {"attention"}:
            return "error", "a normalization's scale is zero on the only path: its output does not depend on the input"
        if layer.kind == "recurrent":
            return "info", "recurrent weights start at zero"
        alone = not layer.merges and not layer.closes_branch and not layer.gates and layer.kind in MATRIX_KINDS
        # what is also read by a weight that is not zero sends gradient back through that one
        alone = alone and not any(self._open(other, evidence) for other in layer.beside)
        if alone and feeds and not any(role in HARMLESS or role.startswith("custom:") for role in feeds):
            symmetric = [weight for weight in layer.outgoing if (next_ := evidence.stats(weight)) is not None and next_.constant]
            if symmetric:
                return "error", "zero, and so is what follows: no unit can ever differ from another"
            return "warning", "zero on the only path: layers before it receive no gradient at the first step and learn slowly"
        return None, ""

    def _open(self, other: str, evidence: Evidence) -> bool:
        stats = evidence.stats(other)
        return stats is None or stats.second_moment > 0


def _said(state: str) -> str:
    return {"dead": "zero now and after two steps", "late": "only after the first step", "flows": "arrives"}.get(state, "not measured")
