"""The laws that weights are drawn from: spread, mean and bounds of uniform, normal, truncated and constant values."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

from initcheck.errors import NotKnown

DistributionFamily = Literal["uniform", "normal", "truncated", "orthogonal", "constant", "sparse", "identity", "unknown"]

UNCUT = 4.0
"""A normal cut no nearer than this many standard deviations is a normal: 6e-5 of its mass is lost, 0.05 % of its std."""


@dataclass(frozen=True, slots=True)
class Distribution:
    """What one element of a tensor is drawn from; `low` and `high` bound it, infinite where nothing does."""

    family: DistributionFamily
    std: float
    mean: float = 0.0
    low: float = -math.inf
    high: float = math.inf

    @property
    def bound(self) -> float:
        """The largest possible absolute value."""
        return max(abs(self.low), abs(self.high))

    @property
    def rms(self) -> float:
        """sqrt(E[w^2])."""
        return math.hypot(self.mean, self.std)

    def affine(self, factor: float, shift: float = 0.0) -> Distribution:
        """The distribution of `factor * w + shift`."""
        ends = sorted((factor * self.low + shift, factor * self.high + shift)) if factor else [shift, shift]
        # An orthogonal or identity matrix stays one when scaled, not when something is added.
        shifted = shift != 0.0 and self.family in ("orthogonal", "identity", "sparse")
        family: DistributionFamily = "constant" if factor == 0.0 else "unknown" if shifted else self.family
        return Distribution(family, abs(factor) * self.std, factor * self.mean + shift, ends[0], ends[1])


def uniform(low: float, high: float) -> Distribution:
    """U(low, high)."""
    return Distribution("uniform", (high - low) / math.sqrt(12.0), 0.5 * (low + high), low, high) if high > low else constant(low)


def normal(mean: float, std: float) -> Distribution:
    """N(mean, std^2)."""
    return Distribution("normal", std, mean) if std else constant(mean)


def constant(value: float) -> Distribution:
    """One value everywhere."""
    return Distribution("constant", 0.0, value, value, value)


def truncated(mean: float, std: float, low: float, high: float) -> Distribution:
    """N(mean, std^2) redrawn outside [low, high]; a normal when that cuts nothing.

    Raises:
        NotKnown: when next to nothing of the normal lies inside.
    """
    if std == 0.0:
        return constant(mean)
    alpha, beta = (low - mean) / std, (high - mean) / std
    if alpha <= -UNCUT and beta >= UNCUT:
        return Distribution("normal", std, mean, low, high)
    unit = NormalDist()
    mass = unit.cdf(beta) - unit.cdf(alpha)
    if mass < 1e-9:
        raise NotKnown("the truncation leaves nothing of the normal distribution")
    left, right = unit.pdf(alpha), unit.pdf(beta)
    drawn = (left - right) / mass
    edges = ((alpha * left if math.isfinite(alpha) else 0.0) - (beta * right if math.isfinite(beta) else 0.0)) / mass
    return Distribution("truncated", std * math.sqrt(1.0 + edges - drawn * drawn), mean + std * drawn, low, high)
