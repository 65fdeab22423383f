"""The rows of a weight against each other: copies among rows and columns, rank one, how the scale varies from row to row."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import torch

Bytes: TypeAlias = np.ndarray[Any, np.dtype[np.uint8]]

KEY = 16
"""Bytes of each row that are looked at first; only rows that agree on them are compared in full."""
CHANCE = 1e-6
"""Largest probability of taking a random matrix for one of rank one."""
ROUNDING = 2.0**-22
"""Least relative tolerance: a float64 weight may well have been computed in float32."""
SLAB = 1 << 20
PROFILES = (12, 6, 4, 3, 2)
"""Numbers of segments of a row profile, the first that divides the rows is taken: 12 shows halves, thirds and quarters."""


@dataclass(frozen=True, slots=True)
class Dispersion:
    """How the mean squares of rows vary; fields as in `WeightStats`."""

    relative: float = math.nan
    zero_rows: int = 0
    profile: tuple[float, ...] = ()


def raw(tensor: torch.Tensor) -> Bytes:
    """The bytes of a tensor's elements in their order, shape (bytes,)."""
    return np.asarray(tensor.contiguous().reshape(-1).view(torch.uint8).numpy())


def distinct_rows(tensor: torch.Tensor) -> int:
    """The number of byte-wise different slices along the first axis."""
    if not tensor.numel():
        return 0
    count = int(tensor.shape[0]) if tensor.dim() else 1
    table = raw(tensor).reshape(count, -1)
    width = table.shape[1]
    if width <= KEY:
        return _unique(table)
    starts = np.linspace(0, width - 4, KEY // 4).astype(int) // 4 * 4
    if width % 4 == 0:
        keys = np.ascontiguousarray(table.view(np.uint32)[:, starts // 4]).view(np.uint8)
    else:
        keys = np.concatenate([table[:, start : start + 4] for start in starts], axis=1)
    alike = _alike(keys)
    return count - len(alike) + len({table[index].tobytes() for index in alike})


def distinct_columns(tensor: torch.Tensor) -> int:
    """The number of byte-wise different slices along the second axis; 1 where there is none."""
    if not tensor.numel():
        return 0
    if tensor.dim() < 2:
        return 1
    height, count = int(tensor.shape[0]), int(tensor.shape[1])
    table = raw(tensor).reshape(height, count, -1)
    piece = min(table.shape[2], 4)
    picked = np.unique(np.linspace(0, height - 1, KEY // piece).astype(int))
    keys = np.concatenate([table[row, :, :piece] for row in picked], axis=1)
    alike = _alike(keys)
    return count - len(alike) + len({table[:, index].tobytes() for index in alike})


def rank_one(tensor: torch.Tensor) -> bool:
    """Whether all rows are multiples of one row, within the rounding of the dtype; never for a single row or column."""
    if tensor.dim() < 2 or not tensor.numel() or not tensor.is_floating_point():
        return False
    table = tensor.reshape(tensor.shape[0], -1)
    height, width = table.shape
    tolerance = max(2.0 * torch.finfo(tensor.dtype).eps, ROUNDING)
    if height < 2 or width < 2 or tolerance ** ((height - 1) * (width - 1)) > CHANCE:
        return False
    sample = table[:: max(height // 8, 1)].to(torch.float64)
    pivot = sample[int(sample.square().sum(1).argmax())]
    if not float(pivot.square().sum()):
        # Rows of zeros are multiples of any row: look for one that is not.
        index = int(table.abs().amax(1).argmax())
        pivot = table[index].to(torch.float64)
    if not _along(sample, pivot, tolerance):
        return False
    step = max(SLAB // width, 1)
    return all(_along(table[start : start + step].to(torch.float64), pivot, tolerance) for start in range(0, height, step))


def dispersion(tensor: torch.Tensor) -> Dispersion:
    """The spread of the row mean squares, shape (rows, ...); to about 1e-6, nothing for vectors and where squares leave float32."""
    if tensor.dim() < 2 or not tensor.numel() or not tensor.is_floating_point() or tensor.numel() == tensor.shape[0]:
        return Dispersion()
    table = tensor.reshape(tensor.shape[0], -1)
    wanted = torch.float64 if table.dtype == torch.float64 else torch.float32
    squares = torch.linalg.vector_norm(table, dim=1, dtype=wanted).double().square().numpy() / table.shape[1]
    live = squares[squares > 0]
    underflown = len(live) < len(squares) and bool(table[torch.from_numpy(squares == 0)].any())
    if underflown or not len(live) or not math.isfinite(level := float(live.mean())):
        return Dispersion()
    segments = next((count for count in PROFILES if len(squares) % count == 0), 0)
    profile = tuple(float(part.mean()) for part in np.split(squares, segments)) if segments else ()
    relative = float(np.square(live / level - 1.0).mean()) if len(live) > 1 else math.nan
    return Dispersion(relative, len(squares) - len(live), profile)


def _along(table: torch.Tensor, pivot: torch.Tensor, tolerance: float) -> bool:
    length = float(pivot.square().sum())
    if not length:
        return not bool(table.any())
    rest = table - torch.outer(table @ pivot / length, pivot)
    return bool((rest.square().sum(1) <= tolerance**2 * table.square().sum(1)).all())


def _alike(keys: Bytes) -> np.ndarray[Any, Any]:
    """The numbers of the keys that may equal another one; all other keys differ from every one."""
    padded = np.zeros((len(keys), KEY), np.uint8)
    padded[:, : keys.shape[1]] = keys[:, :KEY]
    words = padded.view(np.uint64)
    mixed = words[:, 0] ^ (words[:, 1] * np.uint64(0x9E3779B97F4A7C15))
    ordered = np.sort(mixed)
    repeated = ordered[1:][ordered[1:] == ordered[:-1]]
    return np.flatnonzero(np.isin(mixed, repeated)) if len(repeated) else repeated[:0]


def _unique(table: Bytes) -> int:
    width = table.shape[1]
    size = next(size for size in (1, 2, 4, 8, 16) if size >= width)
    if size == 16:
        return len({row.tobytes() for row in table})
    padded = np.zeros((len(table), size), np.uint8)
    padded[:, :width] = table
    return len(np.unique(padded.view(f"u{size}")))
