"""Standard normal values without noise."""

import math

import torch


def normal_grid(q: float) -> torch.Tensor:
    """Equally likely quantiles of N(0, q): a Monte Carlo without noise."""
    count = 1_000_000
    levels = (torch.arange(count, dtype=torch.float64) + 0.5) / count
    return math.sqrt(q) * torch.special.ndtri(levels)
