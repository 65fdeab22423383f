"""How the drift of a chain is read: which direction speaks, and how loudly; shared by the rules that judge chains."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from initcheck.records.evidence import Chain, Evidence, Hop
from initcheck.records.fact import Fact
from initcheck.records.finding import Severity
from initcheck.theory.drift import Drift, drift

Direction = Literal["forward", "backward"]

PRIOR = -2.0
"""Largest bias that reads as a prior of rare positives: at most 12 % of them."""


@dataclass(frozen=True, slots=True)
class ChainVerdict:
    """The louder of the two drifts of one chain.

    `judged` is the log change of the second moment, in nats, negative when it shrinks along the pass.
    """

    chain: Chain
    direction: Direction
    drift: Drift
    severity: Severity

    @property
    def judged(self) -> float:
        """The drift that is held against the thresholds, in nats."""
        return self.drift.judged

    @property
    def factor(self) -> float:
        """By how much the root mean square changes over the chain, always at least 1."""
        return float(2.718281828459045 ** min(abs(self.drift.total) / 2, 300.0))


def chain_verdict(chain: Chain) -> ChainVerdict | None:
    """The verdict on one chain; `None` when both directions are within the floor or were not measured."""
    found = [verdict for direction in ("forward", "backward") if (verdict := _direction_verdict(chain, direction)) is not None]
    return max(found, key=lambda verdict: abs(verdict.judged), default=None)


def judged_chains(evidence: Evidence) -> Iterator[ChainVerdict]:
    """All chains that are beyond their floor, the worst first; the towers of a detector, drawn as published, are at most an info."""
    found = [verdict for chain in evidence.chains if (verdict := chain_verdict(chain)) is not None]
    if _detects(evidence):
        found = [dataclasses.replace(one, severity="info") if _tower(one.chain, evidence) else one for one in found]
    yield from sorted(found, key=lambda verdict: -abs(verdict.judged))


def _direction_verdict(chain: Chain, direction: Direction) -> ChainVerdict | None:
    if direction == "backward" and chain.batch_norm:
        return None
    pick: Callable[[Hop], Fact[float]] = (lambda hop: hop.forward) if direction == "forward" else (lambda hop: hop.backward)
    hops = [hop for hop in chain.hops if pick(hop).known()]
    if not hops or len(hops) < len(chain.hops):
        return None
    found = drift([pick(hop).get() for hop in hops], [hop.width for hop in hops])
    if found.severity == "ok":
        return None
    return ChainVerdict(chain, direction, found, "warning" if found.severity == "warning" else "error")


def _detects(evidence: Evidence) -> bool:
    """Whether a convolution starts with the prior of rare positives: one negative bias for all of its outputs."""
    biases = [evidence.stats(layer.bias) for layer in evidence.layers if layer.kind == "conv" and layer.bias]
    return any(stats is not None and stats.constant and stats.mean <= PRIOR for stats in biases)


def _tower(chain: Chain, evidence: Evidence) -> bool:
    """Whether a chain holds layers drawn from N(0, 0.01), as Lin et al. 2017, arXiv:1708.02002, section 4.1, draw the towers of a detector."""
    rulings = [record.ruling() for weight in chain.weights if (record := evidence.record(weight)) is not None]
    return any(ruling is not None and ruling.call.known() and ruling.call.get().argument("std") == 0.01 for ruling in rulings)
