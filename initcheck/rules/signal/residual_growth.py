"""IC112."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from initcheck.errors import NotKnown
from initcheck.records.evidence import Evidence, Stream
from initcheck.records.finding import Finding, Fix, Severity
from initcheck.records.recording import InitCall
from initcheck.records.rule import Example, Mends
from initcheck.rules.base import ModelRule, tolerance, written_at
from initcheck.rules.remedies import rescale
from initcheck.theory.drift import COSTLY, HARMLESS, severity

_BLOCK = (
    "from torch import nn\n\n\nclass Block(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.inner = nn.Linear(64, 64)\n"
    "        self.outer = nn.Linear(64, 64)\n        for layer in (self.inner, self.outer):\n"
    "            nn.init.kaiming_normal_(layer.weight, nonlinearity='relu')\n            nn.init.zeros_(layer.bias)\n{last}\n"
    "    def forward(self, x):\n        return x + self.outer(self.inner(x).relu())\n\n\n"
    "model = nn.Sequential(nn.Linear(64, 64), *[Block() for _ in range(12)], nn.LayerNorm(64), nn.Linear(64, 10))\n"
)


@dataclass(frozen=True)
class ResidualGrowth(ModelRule):
    """A residual stream grows with depth, or its branches drown the shortcut.

    Why: without a normalization in front of it a branch grows with the stream, so that each block multiplies the second moment by 1 + r and the blocks
        compound to the product of all of them. In a post-norm network each normalization divides the shortcut by the same factor, until nothing of
        the early layers is left.
    Silent when: a normalization or a bounded nonlinearity stands on the branch (such a stream grows by a sum, not a product; from 24 blocks on the missing
        factor 1/sqrt(2 blocks) is an info), the last layer or a gate of the branch starts at or near zero, fewer than three sums follow each
        other, or one single sum makes all of the growth.
    Source: Zhang et al. 2019, arXiv:1901.09321; De and Smith 2020, arXiv:2002.10444; Xiong et al. 2020, arXiv:2002.04745; growth ln prod(1 + r) against the
        drift thresholds, which trained residual nets without norm kept (8 blocks: r = 0.5 loses 3 points, r = 1 loses 38).
    """

    code: ClassVar[str] = "IC112"
    severity: ClassVar[Severity] = "warning"
    mends: ClassVar[Mends] = "unsafe"
    spreads: ClassVar[bool] = True
    explains_from: ClassVar[Severity] = "warning"
    explains: ClassVar[tuple[str, ...]] = (
        "signal-explodes",
        "gradient-explodes",
        "saturated-units",
        "initial-loss-too-high",
        "correlated-outputs",
        "attention-logits-too-large",
    )
    post_norm: float = tolerance(16.0, "largest ln prod(1 + r) over a post-norm stream, in nats")
    deep: float = tolerance(48.0, "fewest normalized sums from which unscaled branches are mentioned")
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            bad=_BLOCK.format(last=""),
            good=_BLOCK.format(last="        nn.init.zeros_(self.outer.weight)\n"),
            input_shape=(64,),
        ),
    )

    def check(self, evidence: Evidence) -> Iterator[Finding]:
        unknown: NotKnown | None = None
        for stream in evidence.streams:
            try:
                found = self._post_norm(stream, evidence) if stream.normed else self._plain(stream, evidence)
            except NotKnown as reason:
                unknown = reason
                continue
            if found is not None:
                yield found
        if unknown is not None:
            raise unknown

    def _plain(self, stream: Stream, evidence: Evidence) -> Finding | None:
        """The compounding growth of an un-normalized stream, its largest single step left out."""
        free = [one for one in stream.sums if not one.bounded]
        if len(free) < 3:
            return self._deep(stream, evidence)
        steps = [one.net.get() for one in free if one is not stream.sums[0] or one.net.known()]
        growth = sum(steps) - max(steps)
        level = severity(growth)
        if growth <= 0 or level == "ok":
            return None
        closing = _closing(stream)
        each = math.exp(growth / (len(steps) - 1))
        return self.finding(
            _weights(stream),
            f"the residual stream grows {_factor(sum(steps))} over {len(free)} sums without a normalization",
            severity="warning" if level == "warning" else "error",
            observed=f"each block multiplies the second moment by {each:.2g}; {growth:+.1f} nats without the largest",
            expected=f"below {HARMLESS:.0f} nats, branches with at most {HARMLESS / len(steps):.2g} of the stream; from {COSTLY:.0f} it does not train with SGD",
            location=written_at(evidence.record(closing[0])) if closing else None,
            fix=_remedy(closing, evidence, len(free)),
            note="each branch adds as much again",
            why="The branches have no normalization, so the factors of the blocks multiply.",
        )

    def _post_norm(self, stream: Stream, evidence: Evidence) -> Finding | None:
        steps = [one.growth.get() for one in stream.sums if one is not stream.sums[0] or one.growth.known()]
        lost = sum(steps) - max(steps, default=0.0)
        if len(steps) < 4 or lost < self.post_norm:
            return None
        closing = _closing(stream)
        return self.finding(
            _weights(stream),
            f"the branches of a post-norm stream drown the shortcut: {100 * math.exp(-lost / 2):.1g} % of its first value arrives",
            observed=f"branches of {math.expm1(lost / (len(steps) - 1)):.2g} times the shortcut's second moment on average, {len(stream.sums)} sums: {lost:.0f} nats",
            expected=f"below {self.post_norm:.0f} nats",
            location=written_at(evidence.record(closing[0])) if closing else None,
            fix=rescale(
                closing,
                (math.expm1(lost / (len(steps) - 1)) * len(stream.sums)) ** -0.5,
                f"draw the branches smaller: nn.init.xavier_uniform_, divided by sqrt({len(stream.sums)}) when deep",
            ),
            note="ends a branch that drowns the shortcut",
            why="Each normalization divides the shortcut by what the branch has added; only the smallest learning rates survive that.",
        )

    def _deep(self, stream: Stream, evidence: Evidence) -> Finding | None:
        """Many normalized branches at full scale: growth by a sum, worth a factor 1/sqrt(sums)."""
        if len(stream.sums) < self.deep or stream.normed:
            return None
        steps = [one.net.get() for one in stream.sums[1:]]
        closing = _closing(stream)
        if sum(steps) < math.log(8.0) or not closing or not _unscaled(stream, evidence):
            return None
        return self.finding(
            closing,
            f"the residual stream grows {_factor(sum(steps))} over {len(stream.sums)} sums: the layers that end its branches are not scaled down",
            severity="info",
            observed="their std is that of the other layers",
            expected=f"smaller by sqrt({len(stream.sums)})",
            location=written_at(evidence.record(closing[0])),
            fix=rescale(closing, len(stream.sums) ** -0.5, f"divide the std of these layers by sqrt({len(stream.sums)})"),
            note="ends a branch at full scale",
            why="Normalized branches add up, they do not compound; scaling them keeps the stream at the size of its start.",
        )


def _closing(stream: Stream) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for one in stream.sums for name in one.closing))


def _weights(stream: Stream) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for one in stream.sums for name in (*one.branch, *one.closing)))


def _unscaled(stream: Stream, evidence: Evidence) -> bool:
    """Whether the weights that end branches are as large as the other weights of the branches, by std or by gain."""
    ends = set(_closing(stream))
    inner, outer = _sizes(evidence, [name for name in _weights(stream) if name not in ends]), _sizes(evidence, sorted(ends))
    if not inner or not outer:
        return False
    return any(outer[len(outer) // 2][axis] > 0.5 * inner[len(inner) // 2][axis] for axis in (0, 1))


def _sizes(evidence: Evidence, names: list[str]) -> list[tuple[float, float]]:
    layers = [layer for name in names if (layer := evidence.layer(name)) is not None and layer.gain.known() and layer.fan_in.known()]
    return sorted((layer.gain.get() / layer.fan_in.get() ** 0.5, layer.gain.get()) for layer in layers)


def _remedy(closing: tuple[str, ...], evidence: Evidence, blocks: int) -> Fix | None:
    """Zero at the end of the branch where the sum follows at once; behind a rectifier that would be dead for ever."""
    layers = [evidence.layer(name) for name in closing]
    if not layers:
        return None
    if all(layer is not None and layer.feeds.known() and set(layer.feeds.get()) == {"residual_add"} for layer in layers):
        return Fix(closing, InitCall("zeros_"), "unsafe", "start the last layer of each branch at zero: nn.init.zeros_")
    return rescale(closing, blocks**-0.5, f"multiply these weights by 1/sqrt({blocks}), or normalize the input of each branch")


def _factor(nats: float) -> str:
    factor = math.exp(min(nats, 600.0) / 2)
    return f"{factor:,.0f}×" if 100 <= factor < 1e6 else f"{factor:.3g}×"
