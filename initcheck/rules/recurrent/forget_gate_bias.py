"""IC502."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from initcheck.records.evidence import Evidence, Layer
from initcheck.records.finding import Finding, Severity, Step, remedy
from initcheck.records.recording import InitCall
from initcheck.records.rule import Example, Mends
from initcheck.rules.base import LayerRule, tolerance, written_at
from initcheck.rules.remedies import safety_of
from initcheck.rules.standing import own_start

FORGET = 1
"""Index of the forget gate among torch's LSTM gates i, f, g, o."""
GATES = 4


@dataclass(frozen=True)
class ForgetGateBias(LayerRule):
    """The forget gate of an LSTM starts nearly closed, or at one half.

    Why: the memory cell is multiplied by the forget gate at every step; sigmoid(-3) keeps 5 % a step, sigmoid(0) 50 %, sigmoid(1) 73 %.
    Silent when: the sum of both bias vectors (torch has two) is between 0.5 and 5 on average, or was chosen explicitly at zero or above; it is frozen or loaded.
    Source: Gers et al. 2000; Jozefowicz et al. 2015, http://proceedings.mlr.press/v37/jozefowicz15.html; Tallec and Ollivier 2018, arXiv:1804.11188.
    """

    code: ClassVar[str] = "IC502"
    severity: ClassVar[Severity] = "warning"
    mends: ClassVar[Mends] = "either"
    closed: float = tolerance(-1.0, "largest mean forget bias that is a warning")
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            bad="from torch import nn\n\n\nclass Tagger(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
            "        self.rnn = nn.LSTM(8, 16, batch_first=True)\n        for gate in self.rnn.weight_hh_l0.chunk(4):\n            nn.init.orthogonal_(gate)\n"
            "        nn.init.constant_(self.rnn.bias_ih_l0[16:32], -3.0)\n\n"
            "    def forward(self, x):\n        return self.rnn(x)[0]\n\n\nmodel = Tagger()\n",
            good="from torch import nn\n\n\nclass Tagger(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
            "        self.rnn = nn.LSTM(8, 16, batch_first=True)\n        for gate in self.rnn.weight_hh_l0.chunk(4):\n            nn.init.orthogonal_(gate)\n"
            "        nn.init.constant_(self.rnn.bias_ih_l0[16:32], 1.0)\n\n"
            "    def forward(self, x):\n        return self.rnn(x)[0]\n\n\nmodel = Tagger()\n",
            input_shape=(5, 8),
        ),
    )

    def check(self, layer: Layer, evidence: Evidence) -> Iterator[Finding]:
        if layer.cell != "lstm" or "weight_hh" not in layer.weight.rpartition(".")[2]:
            return
        names = tuple(layer.weight.replace("weight_hh", which) for which in ("bias_ih", "bias_hh"))
        found = [stats for name in names if (stats := evidence.stats(name)) is not None and len(stats.block_mean) == 4]
        if len(found) != 2 or not all(own_start(name, evidence) for name in names):
            return
        forget = sum(stats.block_mean[FORGET] for stats in found)
        default = all(
            (record := evidence.record(name)) is not None and _is_default(record.ruling()) and not record.later() for name in names
        )
        if forget < self.closed:
            yield self._say(evidence, names, forget, "warning", "the forget gate starts nearly closed")
        elif default and forget < 0.5:
            yield self._say(evidence, names, forget, "info", "the forget gate starts at one half; a bias of 1 keeps more memory")
        elif 1.5 < forget < 2.5 and all(stats.block_mean[FORGET] > 0.75 for stats in found):
            yield self._say(evidence, names, forget, "info", "both bias vectors are 1, so the forget bias is 2")

    def _say(self, evidence: Evidence, names: tuple[str, ...], forget: float, severity: Severity, message: str) -> Finding:
        record = evidence.record(names[0])
        later = record.later() if record is not None else ()
        location = later[-1].location.get() if later and later[-1].location.known() else written_at(record)
        return self.finding(
            names,
            message,
            severity=severity,
            observed=f"forget bias {forget:.2f} (bias_ih + bias_hh): keeps {100 / (1 + 2.718281828**-forget):.0f} % of the cell a step",
            expected="1",
            location=location,
            fix=remedy(_opened(names), safety_of(names, evidence), "set the second quarter of bias_ih to 1, and that of bias_hh to 0"),
            note="forget gate",
            why="What the forget gate does not let through is gone from the cell, and so is its gradient.",
        )


def _opened(names: tuple[str, ...]) -> list[Step]:
    """Torch adds the two biases, so that one holds the 1 and the other nothing."""
    values = (InitCall("constant_", (("val", 1.0),)), InitCall("zeros_"))
    return [Step((name,), call, GATES, FORGET) for name, call in zip(names, values, strict=True)]


def _is_default(write: object) -> bool:
    return getattr(write, "origin", "") == "framework default"
