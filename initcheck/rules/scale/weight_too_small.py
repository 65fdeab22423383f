"""IC203."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from initcheck.records.evidence import Evidence
from initcheck.records.finding import Finding, Severity
from initcheck.records.rule import Example, Mends
from initcheck.rules.base import ModelRule, tolerance
from initcheck.rules.chains import judged_chains
from initcheck.rules.scales import ScaleExcess, explicit, phrase_scale, reference_gain


@dataclass(frozen=True)
class WeightTooSmall(ModelRule):
    """Weights that somebody chose are so small that the measured signal or gradient dies away.

    Why: a layer multiplies the second moment by (gain / required gain)^2; a fixed std such as 0.02 that suits a wide normalized network starves a narrow plain one.
    Silent when: the measured chain stays within its floor (one small layer alone heals), a normalization follows, the layer lies in a residual
        branch, or nobody chose the weight (then the signal rules speak of the default). Info for the towers of a detector, whose published recipe is N(0, 0.01) before
        heads with the prior of rare positives (Lin et al. 2017, arXiv:1708.02002, section 4.1).
    Source: He et al. 2015, arXiv:1502.01852; thresholds calibrated on 280 trained networks (3 nats warning, 8 nats error).
    """

    code: ClassVar[str] = "IC203"
    severity: ClassVar[Severity] = "warning"
    mends: ClassVar[Mends] = "either"
    symptom: ClassVar[bool] = True
    explains: ClassVar[tuple[str, ...]] = (
        "signal-vanishes",
        "gradient-vanishes",
        "dead-units",
        "no-gradient",
        "scale-outlier",
    )
    shortfall: float = tolerance(1.25, "smallest ratio of required gain to gain that can be blamed for a dying chain")
    tables: ClassVar[tuple[str, ...]] = ("recommendations",)
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            bad="from torch import nn\n\nmodel = nn.Sequential(*[part for _ in range(6) for part in (nn.Linear(64, 64), nn.ReLU())], nn.Linear(64, 4))\n"
            "for layer in model:\n    if isinstance(layer, nn.Linear):\n        nn.init.normal_(layer.weight, std=0.02)\n        nn.init.zeros_(layer.bias)\n",
            good="from torch import nn\n\nmodel = nn.Sequential(*[part for _ in range(6) for part in (nn.Linear(64, 64), nn.ReLU())], nn.Linear(64, 4))\n"
            "for layer in model:\n    if isinstance(layer, nn.Linear):\n        nn.init.kaiming_normal_(layer.weight, nonlinearity='relu')\n"
            "        nn.init.zeros_(layer.bias)\n",
            input_shape=(64,),
        ),
    )

    def check(self, evidence: Evidence) -> Iterator[Finding]:
        blamed: dict[str, ScaleExcess] = {}
        for verdict in judged_chains(evidence):
            if verdict.judged > 0:
                continue
            for weight in verdict.chain.weights:
                layer = evidence.layer(weight)
                if layer is None or not explicit(layer, evidence) or not layer.gain.known():
                    continue
                required = reference_gain(layer)
                ratio = layer.gain.get() / required
                if 0 < ratio < 1 / self.shortfall:
                    blamed.setdefault(weight, ScaleExcess(layer, ratio, required).at(verdict.severity))
        yield from phrase_scale(self, blamed, evidence, "small")
