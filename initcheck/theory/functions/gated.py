"""Functions of several pre-activations: gated products (GLU and its kin) and maxout."""

from __future__ import annotations

import math
from dataclasses import dataclass

from initcheck.errors import NotKnown
from initcheck.theory.functions.curves import normal_cdf, normal_density
from initcheck.theory.functions.nonlinearities import moments

_SPREAD, _STEPS = 9.0, 1800


@dataclass(frozen=True, slots=True)
class GatedFacts:
    """What h = f(a) * g(b) makes of independent a, b ~ N(0, q), at q = 1; dimensionless.

    square: E[h^2]. value_derivative, gate_derivative: E[(dh/da)^2] and E[(dh/db)^2].
    forward_gain: 1/sqrt(E[h^2]), for the weight that follows (std = gain / sqrt(width of h)).
    slope: d ln E[h^2] / d ln q; above 1 every error in the second moment grows with depth, so a normalization must come before.
    """

    name: str
    value: str
    gate: str
    square: float
    value_derivative: float
    gate_derivative: float
    slope: float

    @property
    def forward_gain(self) -> float:
        """The gain of the weight that reads the product; dimensionless."""
        return 1.0 / math.sqrt(self.square)

    @property
    def backward(self) -> float:
        """E[(dh/da)^2] + E[(dh/db)^2]."""
        return self.value_derivative + self.gate_derivative


GATED: dict[str, tuple[str, str]] = {
    "glu": ("linear", "sigmoid"),
    "reglu": ("linear", "relu"),
    "geglu": ("linear", "gelu"),
    "swiglu": ("linear", "silu"),
    "bilinear_gate": ("linear", "linear"),
    "tanh_sigmoid": ("tanh", "sigmoid"),
}
"""Gated products by name: the role of the value's path and that of the gate's."""


def gated_facts(name: str) -> GatedFacts:
    """The facts of a gated product.

    Raises:
        NotKnown: for a name that is not in `GATED`.
    """
    if name not in GATED:
        raise NotKnown(f"no gated product is called `{name}`")
    value, gate = GATED[name]
    a, b = moments(value, 1.0), moments(gate, 1.0)
    step = 1e-4
    grown = [moments(value, 1.0 + h).square * moments(gate, 1.0 + h).square for h in (step, -step)]
    slope = (grown[0] - grown[1]) / (2.0 * step) / (a.square * b.square)
    return GatedFacts(name, value, gate, a.square * b.square, a.derivative_square * b.square, a.square * b.derivative_square, slope)


def maxout_square(pieces: int) -> float:
    """E[max(z_1 … z_k)^2] of k independent standard normals: what maxout makes of a second moment of 1.

    The gradient goes to one piece in k, so E[phi'^2] summed over the pieces is 1. Source: Goodfellow et al. 2013, arXiv:1302.4389.

    Raises:
        NotKnown: for fewer than one piece.
    """
    if pieces < 1:
        raise NotKnown("maxout needs at least one piece")
    width = 2.0 * _SPREAD / _STEPS
    points = (-_SPREAD + (index + 0.5) * width for index in range(_STEPS))
    return math.fsum(x * x * pieces * normal_density(x) * normal_cdf(x) ** (pieces - 1) * width for x in points)
