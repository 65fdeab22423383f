"""IC706."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from initcheck.records.evidence import Evidence, Layer
from initcheck.records.finding import Finding, Fix, Severity
from initcheck.records.recording import InitCall
from initcheck.records.rule import Example, Mends
from initcheck.rules.base import ModelRule, tolerance, written_at

WORDS = frozenset(("policy", "actor", "critic", "pi", "value", "vf", "logstd"))
"""Parts of names that actors and critics go by; they support what the structure says and decide nothing alone."""
ENDS = frozenset(("output", "tanh", "softmax", "log_softmax"))

AGENT = (
    "import math\nimport torch\nfrom torch import nn\n\n\nclass Agent(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
    "        self.trunk = nn.Linear(8, 64)\n        self.policy, self.value = nn.Linear(64, 4), nn.Linear(64, 1)\n"
    "        nn.init.orthogonal_(self.policy.weight, {gain})\n\n    def forward(self, x):\n        x = torch.tanh(self.trunk(x))\n"
    "        return self.policy(x), self.value(x)\n\n\nmodel = Agent()\n"
)


@dataclass(frozen=True)
class PolicyHead(ModelRule):
    """The policy head of an actor-critic starts at an ordinary scale.

    Why: early actions should not depend on the observation: with a last layer 100 times smaller the first policy is close to uniform (or centred at
        zero), explores evenly, and does not have to unlearn random habits.
    Silent when: the head's gain is at most 0.1, or nothing shows that this is an actor-critic. It takes a second head of one unit on the same features (the value),
        or a log standard deviation as wide as the head, and a name that says so. Language models with a value head are none: their policy is the vocabulary.
    Source: Andrychowicz et al. 2021, arXiv:2006.05990, section 3.2 (last policy layer initialized with 100 times smaller weights).
    """

    code: ClassVar[str] = "IC706"
    severity: ClassVar[Severity] = "info"
    mends: ClassVar[Mends] = "unsafe"
    gain: float = tolerance(0.1, "largest gain of a policy head that is not mentioned")
    examples: ClassVar[tuple[Example, ...]] = (
        Example(bad=AGENT.format(gain="math.sqrt(2)"), good=AGENT.format(gain="0.01"), input_shape=(8,)),
    )

    def check(self, evidence: Evidence) -> Iterator[Finding]:
        if any(layer.kind == "embedding" or "embedding" in layer.kinds for layer in evidence.layers):
            return
        for layer in evidence.layers:
            if self._is_policy(layer, evidence) and layer.gain.get() > self.gain:
                yield self.finding(
                    (layer.weight,),
                    "a policy head is best started 100 times smaller than other layers",
                    observed=f"gain {layer.gain.get():.3g}",
                    expected="gain 0.01",
                    location=written_at(evidence.record(layer.weight)),
                    fix=Fix(
                        (layer.weight,), InitCall("orthogonal_", (("gain", 0.01),)), "unsafe", "use nn.init.orthogonal_(weight, gain=0.01)"
                    ),
                    note="policy head",
                    why="The first policy then hardly depends on the observation and explores evenly.",
                )

    def _is_policy(self, layer: Layer, evidence: Evidence) -> bool:
        if layer.kind != "linear" or layer.shape[0] < 2 or not layer.feeds.known() or not set(layer.feeds.get()) <= ENDS:
            return False
        if _is_named(layer.weight) and any(
            _is_log_std(record.name) and record.shape[-1:] == layer.shape[:1] for record in evidence.recording.parameters
        ):
            return True
        trunk = _before(layer, evidence)
        values = [other for other in evidence.layers if _is_value(other) and trunk and _before(other, evidence) == trunk]
        return any(_is_named(layer.weight) or _is_named(value.weight) for value in values)


def _is_value(layer: Layer) -> bool:
    return layer.kind == "linear" and layer.shape[0] == 1 and layer.feeds.known() and layer.feeds.get() == ("output",)


def _before(layer: Layer, evidence: Evidence) -> frozenset[str]:
    return frozenset(other.weight for other in evidence.layers if layer.weight in other.outgoing)


def _is_log_std(name: str) -> bool:
    return "logstd" in name.lower().replace("_", "")


def _is_named(name: str) -> bool:
    return bool(WORDS & set(re.split(r"[._]+|(?<=[a-z])(?=[A-Z])|\d+", name.lower())))
