"""IC604."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from initcheck.records.evidence import Evidence, Layer
from initcheck.records.finding import Finding, Fix, Severity
from initcheck.records.recording import InitCall
from initcheck.records.rule import Example, Mends
from initcheck.rules.base import LayerRule, tolerance, written_at
from initcheck.rules.standing import own_start

_MODEL = (
    "import math\nimport torch\nimport torch.nn.functional as F\nfrom torch import nn\n\n\nclass Contrast(nn.Module):\n    def __init__(self, scale):\n        super().__init__()\n"
    "        self.left, self.right = nn.Linear(16, 32), nn.Linear(16, 32)\n        self.logit_scale = nn.Parameter(torch.tensor(scale))\n\n"
    "    def forward(self, x):\n        left, right = F.normalize(self.left(x), dim=-1), F.normalize(self.right(x.flip(-1)), dim=-1)\n"
    "        return self.logit_scale.exp() * left @ right.T\n\n\nmodel = Contrast("
)


@dataclass(frozen=True)
class LogitScale(LayerRule):
    """A temperature or logit scale starts at a value that no softmax learns from.

    Why: a scale multiplies every logit, so one number decides whether the first distribution is flat or a single certain guess; a temperature of zero divides by zero,
        a negative one turns the order of the logits round.
    Silent when: the logits that it makes are within reach (CLIP's ln(1 / 0.07), SigLIP's ln 10 with a bias of -10, Swin v2's ln 10), judged by the measured logits and never by the
        value alone; a factor of zero, which starts with equal logits; the scale has many different values; it is frozen or loaded.
    Source: cross-entropy under random labels; Radford et al. 2021, arXiv:2103.00020, section 2.5; Zhai et al. 2023, arXiv:2303.15343.
    """

    code: ClassVar[str] = "IC604"
    severity: ClassVar[Severity] = "warning"
    mends: ClassVar[Mends] = "unsafe"
    spreads: ClassVar[bool] = True
    explains: ClassVar[tuple[str, ...]] = ("attention-logits-too-large", "initial-loss-too-high", "attention-logits-too-large")
    smallest: float = tolerance(10.0, "smallest factor that is held responsible for large logits")
    warns: float = tolerance(3.0, "smallest excess of the first loss, in nats, that is a warning")
    fails: float = tolerance(25.0, "smallest excess of the first loss, in nats, that is an error")
    saturating: float = tolerance(10.0, "smallest root mean square of scaled attention scores that is a warning")
    examples: ClassVar[tuple[Example, ...]] = (Example(bad=_MODEL + "5.0)\n", good=_MODEL + "math.log(1 / 0.07))\n", input_shape=(16,)),)

    def check(self, layer: Layer, evidence: Evidence) -> Iterator[Finding]:
        stats, scores = evidence.stats(layer.weight), layer.part == "score_scale"
        if not (scores or layer.part == "logit_scale") or stats is None or stats.nonfinite or not own_start(layer.weight, evidence):
            return
        factor = layer.value.get()
        if math.isinf(factor):
            yield self._say(layer, evidence, factor, "a temperature of zero divides the logits by zero", "error", "")
        elif factor < 0 and scores:
            yield self._say(layer, evidence, factor, "a negative temperature turns the order of the logits round", "warning", "")
        elif factor > self.smallest:
            yield from self._large(layer, evidence, factor, scores=scores)

    def _large(self, layer: Layer, evidence: Evidence, factor: float, *, scores: bool) -> Iterator[Finding]:
        if scores:
            rms = layer.second_moment.get() ** 0.5 if "softmax" in layer.feeds.get() else 0.0
            if rms > self.saturating:
                effect = f"root mean square of the scores {rms:.3g}"
                yield self._say(layer, evidence, factor, f"a logit scale of {factor:.3g} saturates the softmax", "warning", effect)
            return
        excess, std = max(((output.excess_loss, output.logit_std) for output in evidence.outputs if output.classes > 1), default=(0.0, 0.0))
        if excess > self.warns:
            severity: Severity = "error" if excess > self.fails else "warning"
            effect = f"logits with standard deviation {std:.3g}, first loss {excess:.3g} nats above that of equal logits"
            yield self._say(
                layer, evidence, factor, f"a logit scale of {factor:.3g} makes the first logits far too certain", severity, effect
            )

    def _say(self, layer: Layer, evidence: Evidence, factor: float, message: str, severity: Severity, effect: str) -> Finding:
        stats = evidence.stats(layer.weight)
        value = stats.mean if stats is not None else math.nan
        return self.finding(
            (layer.weight,),
            message,
            severity=severity,
            observed=f"parameter {value:.4g}, multiplies by {factor:.4g}" + (f"; {effect}" if effect else ""),
            expected="logits with a standard deviation of at most about 1",
            location=written_at(evidence.record(layer.weight)),
            fix=_fix(layer, value, factor),
            note=f"multiplies by {factor:.3g}",
            why="Every logit is multiplied by this number before the softmax.",
        )


def _fix(layer: Layer, value: float, factor: float) -> Fix:
    exponential = factor > 0 and math.isfinite(factor) and abs(math.log(factor) - value) < 1e-3 * max(abs(value), 1.0)
    if exponential:
        return Fix((layer.weight,), InitCall("constant_", (("val", 2.6593),)), "unsafe", "start at ln(1 / 0.07) = 2.6593, or lower")
    return Fix((layer.weight,), InitCall("ones_"), "unsafe", "start at 1")
