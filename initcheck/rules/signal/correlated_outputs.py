"""IC108."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from initcheck.errors import NotKnown
from initcheck.records.evidence import Chain, Evidence, Layer
from initcheck.records.finding import Finding, Severity, louder
from initcheck.records.rule import Example, Mends
from initcheck.rules.base import ModelRule, tolerance, written_at
from initcheck.rules.drifting import layer_path
from initcheck.rules.remedies import redraw
from initcheck.theory.correlation import correlation_after
from initcheck.theory.drift import sample_fraction_severity
from initcheck.theory.schemes import recommendation

_MODEL = (
    "from torch import nn\n\nmodel = nn.Sequential(*[part for _ in range(8) for part in (nn.Linear(64, 64), nn.ReLU())], nn.Linear(64, 4))\n"
    "for layer in model[:-1]:\n    if isinstance(layer, nn.Linear):\n        nn.init.kaiming_normal_(layer.weight, nonlinearity='relu')\n"
    "        nn.init.normal_(layer.bias, std={std})\n"
)


@dataclass(frozen=True)
class CorrelatedOutputs(ModelRule):
    """All inputs give nearly the same pre-activations at the end of a chain of layers.

    Why: what does not differ between samples cannot be told apart by the layers behind; the difference between two inputs has to be learned out of a ripple.
    Silent when: more than 2 % of the last second moment differs between samples, or as much as a He-initialized ReLU network of this depth would keep of
        these inputs (depth alone makes inputs alike), the inputs are alike already (judged by the first layer), the chain has fewer than
        three weights, the batch fewer than eight samples, a batch normalization follows, which takes the common part away, or there are
        convolutions among the layers and more than 0.01 % differs (pooling makes images of noise alike; then it is listed under *not judged*).
    Source: measured on the run's own batch, E||z - mean||^2 / E||z||^2; Schoenholz et al. 2017, arXiv:1611.01232; networks without norm trained below
        2 % lost accuracy, below 0.01 % did not train.
    """

    code: ClassVar[str] = "IC108"
    severity: ClassVar[Severity] = "warning"
    mends: ClassVar[Mends] = "either"
    symptom: ClassVar[bool] = True
    explains: ClassVar[tuple[str, ...]] = ("initial-loss-too-high",)
    distinct: float = tolerance(0.05, "smallest share of the first layer's output that must differ between samples")
    fewest: float = tolerance(8.0, "smallest batch that is judged")
    room: float = tolerance(4.0, "by how much the share may lie below that of a He-initialized ReLU network of this depth")
    examples: ClassVar[tuple[Example, ...]] = (Example(bad=_MODEL.format(std=5.0), good=_MODEL.format(std=0.1), input_shape=(64,)),)

    def check(self, evidence: Evidence) -> Iterator[Finding]:
        found: list[tuple[float, float, Chain, Severity]] = []
        unknown: NotKnown | None = None
        for chain in evidence.chains:
            try:
                verdict = self._verdict(chain, evidence)
            except NotKnown as reason:
                unknown = reason
                continue
            if verdict is not None:
                found.append((*verdict[:2], chain, verdict[2]))
        if found:
            yield self._say(found, evidence)
        if unknown is not None:
            raise unknown

    def _verdict(self, chain: Chain, evidence: Evidence) -> tuple[float, float, Severity] | None:
        first, last = evidence.layer(chain.weights[0]), evidence.layer(chain.weights[-1])
        if len(chain.weights) < 3 or evidence.batch < self.fewest or first is None or last is None or last.norm == "batch_norm":
            return None
        before, after = _without_bias(first, evidence), chain.sample_fraction.get()
        level = sample_fraction_severity(after)
        if level not in ("warning", "error") or before < self.distinct or after * self.room > _kept_by_he(before, len(chain.hops)):
            return None
        if level == "warning" and any(layer.kind == "conv" for name in chain.weights if (layer := evidence.layer(name)) is not None):
            raise NotKnown(
                f"{100 * after:.2g} % of the signal differs between samples, and pooling makes images of noise alike too: too close to tell"
            )
        return after, before, level

    def _say(self, found: list[tuple[float, float, Chain, Severity]], evidence: Evidence) -> Finding:
        after, before, worst, severity = min(found, key=lambda one: one[0])
        for other in found:
            severity = louder(severity, other[3])
        names = tuple(dict.fromkeys(weight for _, _, chain, _ in found for weight in chain.weights))
        last = evidence.layer(worst.weights[-1])
        return self.finding(
            names,
            f"all inputs give nearly the same: {100 * after:.2g} % of the signal at `{layer_path(worst.weights[-1])}` differs between samples",
            severity=severity,
            observed=f"{100 * before:.0f} % at the first of {len(worst.weights)} layers, {100 * after:.2g} % at the last, over {evidence.batch} samples",
            expected=f"at least 2 % ({100 * _kept_by_he(before, len(worst.hops)):.2g} % under He with ReLU)",
            location=written_at(evidence.record(worst.weights[-1])),
            fix=redraw(names, evidence, _remedy(last), biases=True),
            note="hardly sees the input",
            why="Biases, or means that the nonlinearity adds, outgrow what depends on the input.",
        )


def _kept_by_he(fraction: float, hops: int) -> float:
    """What a He-initialized ReLU network of this depth keeps; tanh, SELU, GELU and SiLU at their own gains keep more."""
    return 1.0 - correlation_after("relu", 2.0**0.5, 0.0, 1.0, 1.0 - fraction, hops)


def _without_bias(first: Layer, evidence: Evidence) -> float:
    """The share of the first layer's weighted sum that differs between samples: that of the inputs, as far as the layer shows it."""
    fraction, whole = first.sample_fraction.get(), first.second_moment.get()
    bias = evidence.stats(first.bias) if first.bias else None
    varying = fraction * whole
    return varying / max(whole - (bias.second_moment if bias is not None else 0.0), varying) if varying > 0 else 0.0


def _remedy(last: Layer | None) -> str:
    title = "small biases, and a normalization between the layers"
    if last is None or not last.nonlinearity.known():
        return title
    try:
        return f"use {recommendation(last.nonlinearity.get().role, last.nonlinearity.get().parameter).scheme} with {title}"
    except NotKnown:
        return title
