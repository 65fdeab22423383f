"""IC607."""

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
    "import torch\nimport torch.nn.functional as F\nfrom torch import nn\n\n\nclass StateSpace(nn.Module):\n    def __init__(self, step):\n        super().__init__()\n"
    "        self.inputs, self.step, self.head = nn.Linear(16, 16), nn.Linear(16, 16), nn.Linear(16, 4)\n"
    "        nn.init.constant_(self.step.bias, step)\n        self.A_log = nn.Parameter(torch.arange(1.0, 9.0).log().repeat(16, 1))\n\n"
    "    def forward(self, x):\n        dt, u = F.softplus(self.step(x)).unsqueeze(-1), self.inputs(x).unsqueeze(-1)\n"
    "        kept, state = torch.exp(-torch.exp(self.A_log) * dt), 0.0\n"
    "        for t in range(x.shape[1]):\n            state = kept[:, t] * state + dt[:, t] * u[:, t]\n"
    "        return self.head(state.mean(-1))\n\n\nmodel = StateSpace("
)


_SHORTEST, _LONGEST = -6.907, -2.252
"""softplus^-1 of 0.001 and of 0.1."""


@dataclass(frozen=True)
class StateSpaceParameter(LayerRule):
    """A state space layer starts with a memory of a step or two.

    Why: the state is multiplied by exp(-exp(A_log) * dt) at every step, and dt is softplus of a projection plus a bias. A bias of zero makes dt 0.69, and with rates of 1
        and more half of the state is gone after one step: what is forgotten sends no gradient back either.
    Silent when: the slowest state of the layer remembers three steps or more (ramps of ln 1 ... ln N, random or constant rates with small steps, one rate per head); info when all states of a
        channel decay alike. Told from the dataflow exp(-exp(w) * softplus(...)): RWKV, RG-LRU, S4's learned steps and other recurrences are not judged.
    Source: Gu and Dao 2023, arXiv:2312.00752 (dt between 0.001 and 0.1, rates 1 to N).
    """

    code: ClassVar[str] = "IC607"
    severity: ClassVar[Severity] = "warning"
    mends: ClassVar[Mends] = "unsafe"
    shortest: float = tolerance(3.0, "shortest memory of the slowest state, in steps, that is no warning")
    examples: ClassVar[tuple[Example, ...]] = (Example(bad=_MODEL + "0.0)\n", good=_MODEL + "-4.0)\n", input_shape=(6, 16)),)

    def check(self, layer: Layer, evidence: Evidence) -> Iterator[Finding]:
        stats = evidence.stats(layer.weight)
        if layer.part != "state_decay" or stats is None or not stats.numel or stats.nonfinite or not own_start(layer.weight, evidence):
            return
        bias = evidence.stats(layer.partner) if layer.partner else None
        if bias is not None and (bias.nonfinite or not own_start(layer.partner, evidence)):
            return
        slowest = bias.minimum if bias is not None else 0.0
        step, rate = _softplus(slowest), math.exp(min(stats.minimum, 700.0))
        memory = 1.0 / (step * rate) if step * rate else math.inf
        if memory < self.shortest:
            names = (layer.weight, layer.partner) if layer.partner else (layer.weight,)
            yield self._forgets(names, evidence, memory, step, rate)
        elif stats.constant and len(stats.shape) > 1 and min(stats.shape) > 1:
            yield self.finding(
                (layer.weight,),
                "all states of a channel decay at one rate",
                severity="info",
                observed=f"rate {rate:.3g} for all {stats.shape[-1]} states",
                expected=f"rates 1 to {stats.shape[-1]}",
                location=written_at(evidence.record(layer.weight)),
                fix=_ramp(layer.weight),
                note="constant",
                why="States that forget alike span one time scale; a ramp of rates covers many.",
            )

    def _forgets(self, names: tuple[str, ...], evidence: Evidence, memory: float, step: float, rate: float) -> Finding:
        bias = f"{names[1]}: softplus^-1 of steps between 0.001 and 0.1; " if len(names) > 1 else "the step a bias of about -7 to -2; "
        return self.finding(
            names,
            "a state space layer starts with a memory of a step or two",
            observed=f"slowest rate {rate:.3g} times smallest step {step:.3g}: the state keeps {100 * math.exp(-rate * step):.2g} % a step, {memory:.2g} steps in all",
            expected="steps between 0.001 and 0.1, rates from 1 up",
            location=written_at(evidence.record(names[-1])),
            fix=_steps(names, f"give {bias}{names[0]}: log of 1, 2, ..., N"),
            note="decay of the state",
            why="What the state has forgotten can neither be read nor be learned from.",
        )


def _softplus(x: float) -> float:
    return max(x, 0.0) + math.log1p(math.exp(-abs(x)))


def _steps(names: tuple[str, ...], title: str) -> Fix:
    """softplus^-1 of steps between 0.001 and 0.1 is very nearly their logarithm, so that uniform biases make log-uniform steps."""
    if len(names) < 2:
        return Fix(names, None, "display", title)
    return Fix(names[1:], InitCall("uniform_", (("a", _SHORTEST), ("b", _LONGEST))), "unsafe", title)


def _ramp(weight: str) -> Fix:
    return Fix((weight,), None, "display", f"{weight}: torch.arange(1, N + 1).log() in every row")
