"""How far each block of a weight is from an orthogonal matrix, and how a state grows under it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

EXACT_SIDE = 1024
"""Largest smaller side for which B B^T is formed; beyond it random vectors probe it."""
PROBES = 8
WARM_UP, STEPS = 32, 96
"""Steps that let the leading directions take over, and steps over which the growth is averaged."""
SEED = 20130109


@dataclass(frozen=True, slots=True)
class Block:
    """The numbers of one block; `orthogonality` is None for a vector, `growth` for what is not square or was not asked."""

    mean: float
    gain: float = 0.0
    orthogonality: float | None = None
    growth: float | None = None


def measure(block: torch.Tensor, *, growing: bool = False) -> Block:
    """Mean, root mean square singular value and distance from orthogonal, shape (rows, ...) flattened to (rows, columns).

    The distance is ||G - I||_F / sqrt(r) with G = B B^T r / ||B||_F^2 for the smaller side r, infinite for a block of zeros. Beyond
    `EXACT_SIDE` it is an estimate whose relative standard error is below 1 / sqrt(PROBES). `growing` asks for the growth as well.
    """
    mean = float(block.sum(dtype=torch.float64)) / block.numel()
    if block.dim() < 2:
        return Block(mean)
    matrix = block.reshape(block.shape[0], -1)
    matrix = matrix.to(torch.float64 if matrix.dtype == torch.float64 else torch.float32)
    factor = growth(matrix) if growing and matrix.shape[0] == matrix.shape[1] else None
    if matrix.shape[0] > matrix.shape[1]:
        matrix = matrix.T
    side = matrix.shape[0]
    # Divided by its largest element first, so that no square leaves the range of float32.
    largest = float(matrix.abs().max())
    if not largest:
        return Block(mean, 0.0, math.inf, factor)
    matrix = matrix / largest
    norm = math.sqrt(float(matrix.square().sum(dtype=torch.float64)))
    matrix = matrix * (math.sqrt(side) / norm)
    return Block(mean, largest * norm / math.sqrt(side), _distance(matrix), factor)


def growth(matrix: torch.Tensor) -> float:
    """The geometric mean of the factor by which a square matrix multiplies the length of a random vector at one of many steps.

    That is the spectral radius: to 2 % for matrices whose elements are independent, whatever their size, and exactly for multiples of
    an orthogonal one. A matrix that wipes every vector out within the steps has 0.
    """
    generator = torch.Generator().manual_seed(SEED)
    state = torch.randn(matrix.shape[1], PROBES, generator=generator, dtype=torch.float32).to(matrix.dtype)
    state = state / state.norm(dim=0)
    total = 0.0
    for step in range(WARM_UP + STEPS):
        state = matrix @ state
        length = float(torch.linalg.vector_norm(state))
        if not length or not math.isfinite(length):
            return length
        state = state / length
        total += math.log(length) if step >= WARM_UP else 0.0
    return math.exp(total / STEPS)


def _distance(matrix: torch.Tensor) -> float:
    """Of a matrix that is scaled to ||B||_F^2 = r."""
    side = matrix.shape[0]
    if side <= EXACT_SIDE:
        gram = matrix @ matrix.T
        gram.diagonal().sub_(1.0)
        return math.sqrt(float(gram.square().sum(dtype=torch.float64)) / side)
    generator = torch.Generator().manual_seed(SEED)
    signs = torch.randint(0, 2, (side, PROBES), generator=generator, dtype=torch.int8).to(matrix.dtype).mul_(2).sub_(1)
    rest = matrix @ (matrix.T @ signs) - signs
    return math.sqrt(float(rest.square().sum(dtype=torch.float64)) / PROBES / side)
