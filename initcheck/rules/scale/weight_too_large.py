"""IC202."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from initcheck.records.evidence import Evidence, Layer
from initcheck.records.finding import Finding, Severity
from initcheck.records.rule import Example, Mends
from initcheck.rules.base import ModelRule, tolerance
from initcheck.rules.chains import judged_chains
from initcheck.rules.scales import ScaleExcess, explicit, phrase_scale, reference_gain


@dataclass(frozen=True)
class WeightTooLarge(ModelRule):
    """Weights that somebody chose are so large that the measured signal or gradient grows out of bounds.

    Why: a layer multiplies the second moment by (gain / required gain)^2; what is too large once is too large squared after two layers.
    Silent when: the measured chain stays within its floor, a normalization follows at once (info beyond a factor of 10), what comes out in a residual
        branch is of ordinary size or only sets a gate, the tensor is rescaled at run time, or nobody chose the weight (then the signal rules speak of the default).
    Source: He et al. 2015, arXiv:1502.01852; thresholds calibrated on 280 trained networks (3 nats warning, 8 nats error).
    """

    code: ClassVar[str] = "IC202"
    severity: ClassVar[Severity] = "warning"
    mends: ClassVar[Mends] = "either"
    symptom: ClassVar[bool] = True
    explains: ClassVar[tuple[str, ...]] = (
        "signal-explodes",
        "gradient-explodes",
        "saturated-units",
        "dead-units",
        "no-gradient",
        "correlated-outputs",
        "initial-loss-too-high",
        "residual-growth",
        "attention-logits-too-large",
        "scale-outlier",
    )
    excess: float = tolerance(1.25, "smallest ratio of gain to required gain that can be blamed for a growing chain")
    branch_excess: float = tolerance(5.0, "largest ratio of gain to 1 inside a residual branch")
    normalized_excess: float = tolerance(10.0, "largest ratio of gain to required gain in front of a normalization")
    tables: ClassVar[tuple[str, ...]] = ("recommendations",)
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            bad="from torch import nn\n\nmodel = nn.Sequential(*[part for _ in range(6) for part in (nn.Linear(64, 64), nn.ReLU())], nn.Linear(64, 4))\n"
            "for layer in model:\n    if isinstance(layer, nn.Linear):\n        nn.init.normal_(layer.weight, std=1.0)\n        nn.init.zeros_(layer.bias)\n",
            good="from torch import nn\n\nmodel = nn.Sequential(*[part for _ in range(6) for part in (nn.Linear(64, 64), nn.ReLU())], nn.Linear(64, 4))\n"
            "for layer in model:\n    if isinstance(layer, nn.Linear):\n        nn.init.kaiming_normal_(layer.weight, nonlinearity='relu')\n"
            "        nn.init.zeros_(layer.bias)\n",
            input_shape=(64,),
        ),
    )

    def check(self, evidence: Evidence) -> Iterator[Finding]:
        blamed: dict[str, ScaleExcess] = {}
        for verdict in judged_chains(evidence):
            if verdict.judged < 0:
                continue
            for weight in verdict.chain.weights:
                found = self._excess(evidence.layer(weight), evidence, self.excess)
                if found is not None:
                    blamed.setdefault(weight, found.at(verdict.severity))
        for layer in evidence.layers:
            if layer.weight in blamed or not layer.feeds.known():
                continue
            if layer.norm:
                found = self._excess(layer, evidence, self.normalized_excess)
                if found is not None:
                    blamed[layer.weight] = found.at("info")
            elif layer.inside_branch or layer.closes_branch:
                found = self._excess(layer, evidence, self.branch_excess)
                # what a weight makes of a faint input (a squeezed mean) is judged by what comes out
                faint = layer.second_moment.known() and layer.second_moment.get() < self.branch_excess
                if found is not None and not faint and not _sets_a_gate(layer, evidence):
                    blamed[layer.weight] = found.at("warning")
        yield from phrase_scale(self, blamed, evidence, "large")

    def _excess(self, layer: Layer | None, evidence: Evidence, limit: float) -> ScaleExcess | None:
        if layer is None or not explicit(layer, evidence) or not layer.gain.known():
            return None
        required = 1.0 if layer.inside_branch or layer.closes_branch else reference_gain(layer)
        ratio = layer.gain.get() / required
        return ScaleExcess(layer, ratio, required) if ratio > limit else None


def _sets_a_gate(layer: Layer, evidence: Evidence) -> bool:
    """Whether the layer only prepares the values of gates, as the squeeze of a squeeze-and-excitation does: what they let through is bounded."""
    after = [evidence.layer(weight) for weight in layer.outgoing]
    return bool(after) and all(following is not None and following.gates for following in after)
