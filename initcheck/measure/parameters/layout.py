"""Weights that are mostly zeros by design: identities, Dirac kernels, kernels whose centre alone acts."""

from __future__ import annotations

from dataclasses import dataclass

import torch


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the elements that are not zero stand; fields as in `WeightStats`."""

    centre_tap: bool = False
    diagonal: float | None = None
    diagonal_groups: int = 0


def layout(tensor: torch.Tensor, zeros: int) -> Layout:
    """Looks only where enough elements are zero for one of the layouts; shape (rows, columns, kernel...)."""
    if tensor.dim() < 2 or not 0 < zeros < tensor.numel():
        return Layout()
    rows, columns = int(tensor.shape[0]), int(tensor.shape[1])
    acting = tensor.numel() - zeros
    taps = tensor.numel() // (rows * columns)
    if acting > rows * columns or (taps == 1 and acting > rows):
        return Layout()
    matrix = centre(tensor)
    alone = taps > 1 and int(torch.count_nonzero(matrix)) == acting
    if taps > 1 and not alone:
        return Layout()
    value, groups = _diagonal(matrix, acting) if acting <= rows else (None, 0)
    return Layout(alone, value, groups)


def centre(tensor: torch.Tensor) -> torch.Tensor:
    """The centre of a kernel, shape (rows, columns); a matrix as it is."""
    return tensor[(slice(None), slice(None), *(size // 2 for size in tensor.shape[2:]))]


def _diagonal(matrix: torch.Tensor, acting: int) -> tuple[float | None, int]:
    """The common value and the number of identity blocks, stacked by rows as `dirac_` stacks its groups."""
    rows, columns = matrix.shape
    places = matrix.nonzero()
    values = matrix[places[:, 0], places[:, 1]]
    groups = int((places[:, 1] == 0).sum())
    if not groups or rows % groups or bool(values.ne(values[0]).any()):
        return None, 0
    height = rows // groups
    side = min(height, columns)
    row = places[:, 0]
    if acting != groups * side or not bool((places[:, 1] == row % height).all()):
        return None, 0
    return float(values[0]), groups
