"""IC209."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from initcheck.advice.scale import advice, needed_gain, spoken
from initcheck.errors import NotKnown
from initcheck.records.evidence import Evidence, Layer
from initcheck.records.finding import Finding, Severity, louder
from initcheck.records.rule import Example, Mends
from initcheck.rules.base import DRIFTS, ModelRule, tolerance, written_at
from initcheck.rules.chains import ChainVerdict, judged_chains
from initcheck.rules.remedies import redraw
from initcheck.theory.mean_field import compounding


@dataclass(frozen=True)
class DefaultUnderDepth(ModelRule):
    """The framework's default start is left alone where the network is too deep for it, and the measured signal suffers.

    Why: torch draws from U(-1/sqrt(fan_in), 1/sqrt(fan_in)), a gain of 0.58; ReLU needs 1.41, so each layer keeps a sixth of the second moment.
        That is harmless in three layers, costs accuracy from five and fails from eight. Nobody chose it, so one finding speaks for the whole model.
    Silent when: the measured drift stays within its floor, normalizations or residual sums break the chain, the layers' gain fits what they feed,
        or somebody chose the weights (then the rules about schemes and scales speak).
    Source: He et al. 2015, arXiv:1502.01852; Sitzmann et al. 2020, arXiv:2006.09661, section 3.2, for sines; pytorch issues 15314 and 57109.
    """

    code: ClassVar[str] = "IC209"
    severity: ClassVar[Severity] = "error"
    mends: ClassVar[Mends] = "either"
    explains: ClassVar[tuple[str, ...]] = (*DRIFTS, "dead-units", "saturated-units", "initial-loss-too-high", "correlated-outputs")
    mismatch: float = tolerance(1.25, "smallest factor between gain and required gain that can be blamed for the drift")
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            bad="from torch import nn\n\nmodel = nn.Sequential(*[part for _ in range(10) for part in (nn.Linear(64, 64), nn.ReLU())], nn.Linear(64, 4))\n",
            good="from torch import nn\n\nmodel = nn.Sequential(*[part for _ in range(10) for part in (nn.Linear(64, 64), nn.ReLU())], nn.Linear(64, 4))\n"
            "for layer in model:\n    if isinstance(layer, nn.Linear):\n        nn.init.kaiming_normal_(layer.weight, nonlinearity='relu')\n        nn.init.zeros_(layer.bias)\n",
            input_shape=(64,),
        ),
    )

    def check(self, evidence: Evidence) -> Iterator[Finding]:
        blamed: dict[str, Layer] = {}
        worst: ChainVerdict | None = None
        severity: Severity = "info"
        for verdict in judged_chains(evidence):
            layers = [layer for weight in verdict.chain.weights if (layer := evidence.layer(weight)) is not None]
            guilty = [layer for layer in layers if self._guilty(layer, evidence, verdict)]
            if 2 * len(guilty) < len(layers):
                continue
            worst = worst or verdict
            severity = louder(severity, verdict.severity)
            blamed |= {layer.weight: layer for layer in guilty}
        if worst is not None:
            yield self._say(list(blamed.values()), evidence, worst, severity)

    def _guilty(self, layer: Layer, evidence: Evidence, verdict: ChainVerdict) -> bool:
        record = evidence.record(layer.weight)
        ruling = record.ruling() if record is not None else None
        if record is None or ruling is None or ruling.origin != "framework default" or record.later() or layer.derived:
            return False
        ratio = _ratio(layer)
        if ratio is None or ratio <= 0:
            return False
        shrinks = verdict.judged < 0
        # a curve that saturates turns weights that are too large into gradients that vanish, and the other way round for none
        return ratio < 1 / self.mismatch if shrinks else ratio > self.mismatch

    def _say(self, layers: list[Layer], evidence: Evidence, worst: ChainVerdict, severity: Severity) -> Finding:
        typical = sorted(layers, key=lambda layer: _ratio(layer) or 1.0)[len(layers) // 2]
        names = tuple(layer.weight for layer in layers)
        suggested = advice(typical)
        gain, needed = typical.gain.get(), _needed(typical)
        curve = spoken(typical.nonlinearity.get()) if typical.nonlinearity.known() else "a linear layer"
        step = compounding(max((gain / needed) ** 2, 1e-12))
        hops = len(worst.chain.hops)
        return self.finding(
            names,
            f"the default start does not suit {len(worst.chain.weights)} layers in a row",
            severity=severity,
            observed=f"gain {gain:.2g} where {curve} needs {needed:.2g}; {worst.direction} drift {worst.judged:+.1f} nats over {hops} hops "
            f"(floor ±{worst.drift.floor:.1f})",
            expected=f"{(gain / needed) ** 2:.3g} times the second moment per layer is {step}",
            location=written_at(evidence.record(typical.weight)),
            fix=redraw(names, evidence, f"use {suggested.scheme}{_or(typical)}"),
            note=f"gain {gain:.2g}; {curve} needs {needed:.2g}",
            why=f"{suggested.reason[:1].upper()}{suggested.reason[1:]}.",
        )


def _needed(layer: Layer) -> float:
    return needed_gain(layer.nonlinearity.get()) if layer.nonlinearity.known() else 1.0


def _ratio(layer: Layer) -> float | None:
    """Gain over required gain; None where one of them is not known."""
    try:
        return layer.gain.get() / _needed(layer)
    except NotKnown:
        return None


def _or(layer: Layer) -> str:
    saturating = layer.nonlinearity.known() and layer.nonlinearity.get().role in ("sigmoid", "hardsigmoid", "softplus", "log_sigmoid")
    return " or a normalization between the layers" if saturating else ""
