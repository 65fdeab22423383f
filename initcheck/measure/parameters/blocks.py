"""How far each block of a weight is from an orthogonal matrix (a few rows rule most out, random vectors judge the rest), and how a state grows."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch

EXACT_SIDE = 256
"""Largest smaller side for which B B^T is formed; beyond it random vectors probe it."""
PROBES = 4
STATES = 8
WARM_UP, STEPS = 32, 96
"""Vectors that are followed, steps that let the leading directions take over, and steps over which the growth is averaged."""
SMALL, LARGE = 1e-24, 1e24
"""Mean squares between which products fit into float32."""
SEED = 20130109
SMALLEST_SIDE = 3
"""Two random rows are now and then orthogonal by chance."""
SPLITS = (1, 2, 3, 4)
"""Numbers of row blocks in which a matrix may be orthogonal piece by piece."""
WITNESSES = 8
"""Rows (or columns) that stand for all in the first look."""
CLEARLY_NOT = 0.25
"""Share of the distance of a random matrix below which a first look calls for a second."""
ORTHOGONAL = 0.2
"""Distance below which a matrix may be orthogonal in some dtype."""


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
    gain, distance = _shape(block)
    square = growing and block.dim() == 2 and block.shape[0] == block.shape[1]
    return Block(
        mean, gain, distance, growth(block.to(torch.float64 if block.dtype == torch.float64 else torch.float32)) if square else None
    )


def survey(tensor: torch.Tensor) -> tuple[int, tuple[Block, ...]]:
    """Looks for a split into row blocks that are orthogonal, shape (rows, ...) flattened to (rows, columns).

    Returns:
        The number of blocks and their numbers (without the mean of a single one); where there is no such split, one block with nothing
        but an estimate of its distance; no block where the smaller side is below `SMALLEST_SIDE`.
    """
    if tensor.dim() < 2 or not tensor.is_floating_point():
        return 1, ()
    matrix = tensor.reshape(tensor.shape[0], -1)
    whole: tuple[Block, ...] = ()
    for count in sorted(SPLITS, key=lambda count: _preference(matrix, count)):
        rows = matrix.shape[0] // count
        if matrix.shape[0] % count or min(rows, matrix.shape[1]) < SMALLEST_SIDE:
            continue
        estimate = _first_look(matrix[:rows])
        if estimate < min(ORTHOGONAL, CLEARLY_NOT * _random_distance(rows, matrix.shape[1])):
            pieces = tuple(measure(piece) if count > 1 else Block(math.nan, *_shape(piece)) for piece in matrix.chunk(count))
            if max(piece.orthogonality or 0.0 for piece in pieces) < ORTHOGONAL:
                return count, pieces
        if count == 1:
            whole = (Block(math.nan, math.nan, estimate),)
    return 1, whole


def _preference(matrix: torch.Tensor, count: int) -> tuple[bool, int]:
    """A stack of tall orthogonal blocks is orthogonal as a whole, and every part of a wide one is: the finest tall split, the coarsest wide."""
    wide = matrix.shape[0] < count * matrix.shape[1]
    return wide, count if wide else -count


def _random_distance(rows: int, columns: int) -> float:
    small, large = min(rows, columns), max(rows, columns)
    return math.sqrt((small + 1) / large)


def _first_look(block: torch.Tensor) -> float:
    """The distance from orthogonal as a few rows of the smaller side show it, shape (rows, columns)."""
    rows, columns = block.shape
    step = max(rows // WITNESSES, 1)
    sample = block[::step][:WITNESSES] if rows <= columns else block[:, :WITNESSES].T
    values = sample.to(torch.float64 if block.dtype == torch.float64 else torch.float32).numpy()
    largest = float(abs(values).max())
    if not largest:
        return math.inf
    values = values / largest
    gram = values @ values.T
    gram /= gram.trace() / len(gram)
    own = gram.diagonal() - 1.0
    others = gram - np.diag(gram.diagonal())
    pairs = max(len(gram) * (len(gram) - 1), 1)
    return math.sqrt(float((own * own).mean()) + (min(rows, columns) - 1) * float((others * others).sum()) / pairs)


def _shape(block: torch.Tensor) -> tuple[float, float]:
    """Gain and distance from orthogonal, shape (rows, ...)."""
    matrix = block.reshape(block.shape[0], -1)
    matrix = matrix.to(torch.float64 if matrix.dtype == torch.float64 else torch.float32)
    side = int(min(matrix.shape))
    scale, square = 1.0, _sum_of_squares(matrix)
    if not SMALL < square / matrix.numel() < LARGE:
        # Divided by its largest element, so that no square leaves the range of float32.
        scale = float(matrix.abs().max())
        if not scale:
            return 0.0, math.inf
        matrix = matrix / scale
        square = _sum_of_squares(matrix)
    wide = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T
    return scale * math.sqrt(square / side), _distance(wide, side / square)


def growth(matrix: torch.Tensor) -> float:
    """The geometric mean of the factor by which a square matrix multiplies the length of a random vector at one of many steps.

    That is the spectral radius: to 2 % for matrices whose elements are independent, whatever their size, and exactly for multiples of
    an orthogonal one. A matrix that wipes every vector out within the steps has 0.
    """
    generator = torch.Generator().manual_seed(SEED)
    state = torch.randn(matrix.shape[1], STATES, generator=generator, dtype=torch.float32).to(matrix.dtype)
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


def _sum_of_squares(matrix: torch.Tensor) -> float:
    """Row by row, since one float32 sum over all elements is off by 1e-4."""
    return float(torch.linalg.vector_norm(matrix, dim=1).double().square().sum())


def _distance(matrix: torch.Tensor, scale: float) -> float:
    """Of a matrix whose B B^T times `scale` has the trace r."""
    side = matrix.shape[0]
    if side <= EXACT_SIDE:
        gram = (matrix @ matrix.T).mul_(scale)
        gram.diagonal().sub_(1.0)
        return math.sqrt(float(gram.square().sum(dtype=torch.float64)) / side)
    generator = torch.Generator().manual_seed(SEED)
    total = 0.0
    for _ in range(PROBES):
        # One vector at a time: a product with a narrow matrix takes ten times as long.
        signs = torch.randint(0, 2, (side,), generator=generator, dtype=torch.int8).to(matrix.dtype).mul_(2).sub_(1)
        rest = torch.mv(matrix, torch.mv(matrix.T, signs)).mul_(scale).sub_(signs)
        total += float(rest.square().sum(dtype=torch.float64))
    return math.sqrt(total / PROBES / side)
