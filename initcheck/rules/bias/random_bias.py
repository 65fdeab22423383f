"""IC403."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from initcheck.records.evidence import Evidence, Layer
from initcheck.records.finding import Finding, Fix, Severity
from initcheck.records.recording import InitCall
from initcheck.records.rule import Example, Mends
from initcheck.rules.base import LayerRule, tolerance, written_at
from initcheck.rules.biases import CENTERING, KINDS, drawn_at_random, outweighing

PERIODIC = ("sin", "custom:cos", "custom:sin")


@dataclass(frozen=True)
class RandomBias(LayerRule):
    """Biases are drawn so wide that they outweigh the layer's signal.

    Why: each unit (or class) starts with a preference that has nothing to do with the data; training first has to take it back.
    Silent when: the biases were not drawn at random by the author (class priors and constants are chosen, not drawn), are narrower than 2.5 times the rms
        of the weighted sum, or are not centred at zero; a normalization follows; the nonlinearity is periodic (random Fourier features want random
        phases); the layer is a gate or recurrent.
    Source: measured on digits: head biases N(0, 5) cost about a point, hidden biases N(0, 1) nothing; biases of zero are the usual start.
    """

    code: ClassVar[str] = "IC403"
    severity: ClassVar[Severity] = "info"
    mends: ClassVar[Mends] = "unsafe"
    explains: ClassVar[tuple[str, ...]] = ("initial-loss-too-high",)
    widest: float = tolerance(2.5, "largest ratio of the biases' standard deviation to the rms of the weighted sum")
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            bad="from torch import nn\n\nmodel = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))\nnn.init.normal_(model[2].bias, std=5.0)\n",
            good="from torch import nn\n\nmodel = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))\nnn.init.normal_(model[2].bias, std=0.1)\n",
            input_shape=(64,),
        ),
    )

    def check(self, layer: Layer, evidence: Evidence) -> Iterator[Finding]:
        stats, record = evidence.stats(layer.bias) if layer.bias else None, evidence.record(layer.bias)
        if stats is None or layer.kind not in KINDS or stats.numel < 4 or stats.nonfinite or not drawn_at_random(record):
            return
        if layer.norm in CENTERING or layer.gates or abs(stats.mean) > stats.std or set(layer.feeds.get()) & set(PERIODIC):
            return
        ratio = outweighing(layer, evidence, stats.std)
        if ratio <= self.widest:
            return
        yield self.finding(
            (layer.bias,),
            "random biases outweigh the layer's signal",
            observed=f"standard deviation {stats.std:.3g} (mean {stats.mean:.2g}), {ratio:.3g} times the rms of the weighted sum",
            expected="zero, or well below the weighted sum",
            location=written_at(record),
            fix=Fix((layer.bias,), InitCall("zeros_"), "unsafe", "start biases at zero: nn.init.zeros_"),
            note=f"std {stats.std:.3g}",
            why="A random preference for some units or classes is noise that training has to undo.",
        )
