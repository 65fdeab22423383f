"""IC501."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from initcheck.records.evidence import Evidence, Layer
from initcheck.records.finding import Finding, Fix, Severity
from initcheck.records.recording import InitCall
from initcheck.records.rule import Example, Mends
from initcheck.records.stats import WeightStats
from initcheck.rules.base import LayerRule, written_at
from initcheck.rules.recurrences import one_orthogonal_draw
from initcheck.rules.remedies import safety_of
from initcheck.rules.standing import own_start
from initcheck.theory.sampling import dtype_eps


@dataclass(frozen=True)
class NonOrthogonalRecurrent(LayerRule):
    """A hidden-to-hidden matrix is not orthogonal, so the state shrinks or grows at every time step.

    Why: the recurrence multiplies the state by this matrix once a step; only with all singular values at 1 does neither the state nor the gradient fade or blow up.
    Silent when: every gate's block is orthogonal or the identity, or one orthogonal draw over all gates was meant (packed-gates says so); the matrix is
        frozen (a reservoir) or loaded; info for GRU, where the measured effect is none.
    Source: Saxe et al. 2014, arXiv:1312.6120; Le et al. 2015, arXiv:1504.00941; measured on digits by rows: LSTM 0.939 to 0.966, RNN 0.908 to 0.956, GRU no change.
    """

    code: ClassVar[str] = "IC501"
    severity: ClassVar[Severity] = "warning"
    mends: ClassVar[Mends] = "either"
    explains: ClassVar[tuple[str, ...]] = ("forget-gate-bias", "packed-gates")
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            bad="from torch import nn\n\n\nclass Tagger(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
            "        self.rnn = nn.RNN(8, 16, batch_first=True)\n\n    def forward(self, x):\n        return self.rnn(x)[0]\n\n\nmodel = Tagger()\n",
            good="from torch import nn\n\n\nclass Tagger(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
            "        self.rnn = nn.RNN(8, 16, batch_first=True)\n        nn.init.orthogonal_(self.rnn.weight_hh_l0)\n\n"
            "    def forward(self, x):\n        return self.rnn(x)[0]\n\n\nmodel = Tagger()\n",
            input_shape=(5, 8),
        ),
    )

    def check(self, layer: Layer, evidence: Evidence) -> Iterator[Finding]:
        stats = evidence.stats(layer.weight)
        if layer.kind != "recurrent" or stats is None or not stats.block_orthogonality or stats.nonfinite or stats.second_moment == 0:
            return
        if "weight_hh" not in layer.weight.rpartition(".")[2]:
            return
        side = stats.shape[0] // max(stats.blocks, 1)
        worst = max(stats.block_orthogonality)
        if side < 2 or worst < max(20 * dtype_eps(stats.dtype), 1e-5) or worst < 0.02 * ((side + 1) / stats.shape[1]) ** 0.5:
            return
        if one_orthogonal_draw(stats, evidence) or not own_start(layer.weight, evidence):
            return
        yield self._say(layer, stats, evidence, "info" if layer.cell == "gru" else "warning")

    def _say(self, layer: Layer, stats: WeightStats, evidence: Evidence, severity: Severity) -> Finding:
        low, high = min(stats.block_gain), max(stats.block_gain)
        span = f"{low:.2f}" if high - low < 0.01 else f"{low:.2f} to {high:.2f}"
        return self.finding(
            (layer.weight,),
            f"the recurrent matrix is not orthogonal ({layer.cell.upper() or 'recurrence'})",
            severity=severity,
            observed=f"root mean square singular value {span}, distance from orthogonal {max(stats.block_orthogonality):.2g}",
            expected="1, distance 0, for each gate" if stats.blocks > 1 else "1, distance 0",
            location=written_at(evidence.record(layer.weight)),
            fix=Fix(
                (layer.weight,), InitCall("orthogonal_"), safety_of((layer.weight,), evidence), _advice(stats.blocks), max(stats.blocks, 1)
            ),
            note="state is multiplied by this at every step",
            why=f"After 30 steps a factor of {high:.2f} a step leaves {min(high**30, 9.9e99):.1e} of the state along a typical direction.",
        )


def _advice(blocks: int) -> str:
    if blocks == 1:
        return "nn.init.orthogonal_"
    return f"nn.init.orthogonal_ for each gate: for gate in weight_hh.chunk({blocks}): nn.init.orthogonal_(gate)"
