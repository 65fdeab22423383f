"""IC504."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from initcheck.records.evidence import Evidence, Layer
from initcheck.records.finding import Finding, Fix, Severity
from initcheck.records.recording import InitCall
from initcheck.records.rule import Example, Mends
from initcheck.records.stats import WeightStats
from initcheck.rules.base import LayerRule, tolerance, written_at
from initcheck.rules.recurrences import one_orthogonal_draw
from initcheck.rules.standing import own_start


@dataclass(frozen=True)
class PackedGates(LayerRule):
    """One scheme was applied to the stacked matrices of several gates as if they were one layer.

    Why: torch stacks the gates of a recurrent layer in one tensor of shape (gates * hidden, inputs). A scheme that looks at the whole shape takes all gates for
        one layer: an orthogonal draw leaves each gate far from orthogonal, and Xavier counts the outputs of all gates as fan_out.
    Silent when: the scheme does not depend on fan_out (normal, uniform, He by fan_in), or each gate was drawn by itself.
    Source: torch.nn.LSTM and torch.nn.GRU document the stacked layout; singular values of one gate of a packed orthogonal draw run from 0 to 0.9.
    """

    code: ClassVar[str] = "IC504"
    severity: ClassVar[Severity] = "info"
    mends: ClassVar[Mends] = "unsafe"
    smallest: float = tolerance(1.25, "smallest factor between the std that each gate needs and the std that it got")
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            bad="from torch import nn\n\n\nclass Tagger(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
            "        self.rnn = nn.LSTM(8, 16, batch_first=True)\n        nn.init.orthogonal_(self.rnn.weight_hh_l0)\n"
            "        nn.init.ones_(self.rnn.bias_ih_l0[16:32])\n\n"
            "    def forward(self, x):\n        return self.rnn(x)[0]\n\n\nmodel = Tagger()\n",
            good="from torch import nn\n\n\nclass Tagger(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
            "        self.rnn = nn.LSTM(8, 16, batch_first=True)\n        for gate in self.rnn.weight_hh_l0.chunk(4):\n"
            "            nn.init.orthogonal_(gate)\n        nn.init.ones_(self.rnn.bias_ih_l0[16:32])\n\n"
            "    def forward(self, x):\n        return self.rnn(x)[0]\n\n\nmodel = Tagger()\n",
            input_shape=(5, 8),
        ),
    )

    def check(self, layer: Layer, evidence: Evidence) -> Iterator[Finding]:
        stats = evidence.stats(layer.weight)
        if layer.kind != "recurrent" or layer.blocks < 2 or stats is None or len(stats.shape) != 2 or not own_start(layer.weight, evidence):
            return
        record = evidence.record(layer.weight)
        ruling = record.ruling() if record is not None else None
        call = ruling.call.get() if ruling is not None and ruling.call.known() else None
        if "weight_hh" in layer.weight.rpartition(".")[2] and one_orthogonal_draw(stats, evidence):
            low, high = min(stats.block_gain), max(stats.block_gain)
            yield self._say(
                layer,
                evidence,
                f"one orthogonal draw over {layer.blocks} gates: no gate is orthogonal by itself",
                f"root mean square singular value of the gates {low:.2f} to {high:.2f}",
                "1 for each gate",
            )
        elif call is not None and (factor := _factor(call, layer, stats)) > self.smallest:
            yield self._say(
                layer,
                evidence,
                f"{call.name} counts the outputs of {layer.blocks} gates as one layer's: std {factor:.3g} times too small",
                f"std {stats.std:.3g}",
                f"std {stats.std * factor:.3g} for each gate",
            )

    def _say(self, layer: Layer, evidence: Evidence, message: str, observed: str, expected: str) -> Finding:
        record = evidence.record(layer.weight)
        ruling = record.ruling() if record is not None else None
        call = ruling.call.get() if ruling is not None and ruling.call.known() else InitCall("orthogonal_")
        advice = f"draw each gate by itself: for gate in {layer.weight.rpartition('.')[2]}.chunk({layer.blocks}): nn.init.{call.name}(gate)"
        return self.finding(
            (layer.weight,),
            message,
            observed=observed,
            expected=expected,
            location=written_at(record),
            fix=Fix((layer.weight,), call, "unsafe", advice, layer.blocks),
            note=f"{layer.blocks} gates in one matrix",
            why="Each gate is a layer of its own: it reads all inputs and makes one hidden vector.",
        )


def _factor(call: InitCall, layer: Layer, stats: WeightStats) -> float:
    """The std that Xavier gives one gate over the std that it gave the packed matrix; 1 when each gate was drawn by itself."""
    if call.name not in ("xavier_uniform_", "xavier_normal_") or not stats.std:
        return 1.0
    gain = call.argument("gain", 1.0)
    scale = float(gain) if isinstance(gain, (int, float)) else 1.0
    gate, inputs = stats.shape[0] // layer.blocks, stats.shape[1]
    packed, single = (scale * (2.0 / (inputs + rows)) ** 0.5 for rows in (stats.shape[0], gate))
    # four draws that fill the matrix together are told from one by what they drew
    if stats.std > (packed * single) ** 0.5:
        return 1.0
    return float(single / packed)
