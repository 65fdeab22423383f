"""Which outputs of a model are read as logits; shared by the rules that judge the first loss."""

from __future__ import annotations

from initcheck.errors import NotKnown
from initcheck.records.evidence import Evidence, Head
from initcheck.records.finding import Severity

WARNS = 3.0
"""Excess of the first cross-entropy over ln C, in nats, that asks for a smaller learning rate or head."""
FAILS = 25.0
"""Excess in nats that ordinary learning rates do not survive."""
BIAS_SHARE = 0.5
"""From this share of the logits' variance on, the excess belongs to the head's bias, which a step or two corrects."""


def logit_heads(evidence: Evidence) -> tuple[Head, ...]:
    """The outputs that weights make directly, with at least two classes and apart from what their bias makes.

    Raises:
        NotKnown: when nothing was run.
    """
    if not evidence.batch:
        raise NotKnown("no forward pass was measured")
    return tuple(
        head for head in evidence.heads if head.weights and not head.others and head.output.classes > 1 and head.bias_share < BIAS_SHARE
    )


def loss_severity(excess: float, warns: float, fails: float) -> Severity | None:
    """How loudly an excess in nats speaks; `None` up to `warns` or when it is not finite."""
    if not excess > warns:
        return None
    return "error" if excess > fails else "warning"
