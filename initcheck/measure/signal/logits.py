"""How far attention logits spread along their rows: what decides whether a softmax starts open or one-hot."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from initcheck.measure.signal.moments import real

ATTENTION = "scaled_dot_product_attention"
BATCHED = frozenset(("bmm", "baddbmm"))

_ROWS = 64
"""Rows that are read; the mean of their variances is then known to about a quarter."""
_HEADS = 8
"""Pairs of sample and head that a fused attention is sampled at."""
_MASKED = -9e3
"""Logits at or below are masks (0 or a very negative number is added), not scores."""


def row_variance(op: str, output: Tensor, inputs: tuple[Tensor | None, ...]) -> float | None:
    """The mean over sampled rows of the variance along a row, masked entries left out; `None` where nothing of the kind exists.

    Of the products of queries and keys, before the scale, for a fused attention (`inputs` are query, key, value); of the input for a
    softmax; of the output for a batched product.
    """
    if op == ATTENTION:
        values = _scores(inputs)
    else:
        tensor = output if op in BATCHED else inputs[0] if inputs else None
        values = None if tensor is None else real(tensor)
        if values is not None and (values.dim() < 2 or (op not in BATCHED and values.shape != output.shape)):
            return None
    if values is None or values.numel() == 0 or values.shape[-1] < 2:
        return None
    return _mean_variance(_few_rows(values))


def _scores(inputs: tuple[Tensor | None, ...]) -> Tensor | None:
    """Sampled rows of query times key."""
    given = [None if tensor is None else real(tensor) for tensor in inputs[:2]]
    if len(given) < 2 or given[0] is None or given[1] is None or given[0].dim() != 4 or given[1].dim() != 4:
        return None
    query, key = given[0], given[1]
    if 0 in query.shape or 0 in key.shape or query.shape[0] != key.shape[0]:
        return None
    pairs = query.shape[0] * query.shape[1]
    per_pair = max(_ROWS // min(pairs, _HEADS), 1)
    found = []
    for pair in range(0, pairs, max(pairs // _HEADS, 1)):
        sample, head = divmod(pair, query.shape[1])
        # several query heads may share one key head
        shared = head * key.shape[1] // query.shape[1]
        rows = query[sample, head]
        found.append(rows[:: max(rows.shape[0] // per_pair, 1)] @ key[sample, shared].transpose(-1, -2))
    return torch.cat(found)


def _few_rows(values: Tensor) -> Tensor:
    rows = values.reshape(-1, values.shape[-1]) if values.is_contiguous() else values.flatten(0, -2)
    return rows[:: max(rows.shape[0] // _ROWS, 1)]


def _mean_variance(rows: Tensor) -> float | None:
    kept = rows > _MASKED
    count = kept.sum(dim=1)
    wide = count > 1
    if not bool(wide.any()):
        return None
    values = torch.where(kept, rows, torch.zeros_like(rows)).double()[wide]
    kept, count = kept[wide], count[wide].unsqueeze(1)
    mean = values.sum(dim=1, keepdim=True) / count
    square = torch.where(kept, (values - mean).square(), torch.zeros_like(values)).sum(dim=1) / (count.squeeze(1) - 1)
    found = float(square.mean())
    return found if math.isfinite(found) else None
