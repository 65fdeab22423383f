"""What the model returns, read as logits."""

from __future__ import annotations

import math
from collections.abc import Sequence

from torch import Tensor

from initcheck.measure.signal.moments import real
from initcheck.records.stats import OutputStats

_ELEMENTS = 1 << 20
"""Logits that are read per output; rows are skipped evenly beyond that."""


def output_stats(outputs: Sequence[tuple[int, Tensor]]) -> tuple[OutputStats, ...]:
    """Reads every float output with at least two classes as logits.

    The class axis is the last one of (batch, classes) and (batch, positions, classes), and axis 1 of images
    (batch, classes, height, width) and volumes. Outputs without an axis of classes are left out. With infinite or
    NaN logits both numbers are NaN.
    """
    found = (_logits(node, tensor) for node, tensor in outputs)
    return tuple(stats for stats in found if stats is not None)


def _logits(node: int, tensor: Tensor) -> OutputStats | None:
    values = None if tensor.is_complex() else real(tensor)
    if values is None or values.dim() < 2 or values.numel() == 0:
        return None
    shape = tuple(values.shape)
    if values.dim() > 3:
        values = values.movedim(1, -1)
    classes = values.shape[-1]
    if classes < 2:
        return None
    excess, std = _excess(_rows(values, classes).double(), classes)
    return OutputStats(node=node, shape=shape, classes=classes, excess_loss=excess, logit_std=std)


def _rows(values: Tensor, classes: int) -> Tensor:
    rows = values.reshape(-1, classes)
    wanted = max(_ELEMENTS // classes, 16)
    return rows if rows.shape[0] <= wanted else rows[:: (rows.shape[0] // wanted) | 1]


def _excess(rows: Tensor, classes: int) -> tuple[float, float]:
    """Mean cross-entropy under uniform labels above ln C, and the deviation of the logits from their sample's mean."""
    centred = rows - rows.mean(dim=1, keepdim=True)
    excess = float(centred.logsumexp(dim=1).mean()) - math.log(classes)
    std = math.sqrt(float(centred.square().mean()))
    if not (math.isfinite(excess) and math.isfinite(std)):
        return math.nan, math.nan
    return max(excess, 0.0), std
