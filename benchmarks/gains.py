"""Every gain against a Monte Carlo through the torch function itself.

    python -m benchmarks.gains [--samples 10000000] [-o benchmarks/results/gains.md]

Prints, for each nonlinearity and gated product, E[phi], E[phi^2] and E[phi'^2] as drawn and as computed, and the relative difference
of the two second moments. The samples are a scrambled Sobol sequence, so that the tails of steep functions are drawn in proportion.
The first line is the worst relative difference.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from initcheck.theory.functions.curves import CURVES
from initcheck.theory.functions.gated import gated_facts
from initcheck.theory.functions.nonlinearities import moments

Function = Callable[[Tensor], Tensor]

FUNCTIONS: dict[str, Function] = {
    "linear": lambda x: x * 1.0,
    "relu": F.relu,
    "leaky_relu": F.leaky_relu,
    "prelu": lambda x: F.prelu(x, torch.tensor([0.25], dtype=x.dtype)),
    "rrelu": lambda x: F.rrelu(x, training=True),
    "threshold": lambda x: F.threshold(x, 0.0, 0.0),
    "relu6": F.relu6,
    "relu2": lambda x: F.relu(x).square(),
    "star_relu": lambda x: 0.8944 * F.relu(x).square() - 0.4472,
    "elu": F.elu,
    "celu": F.celu,
    "selu": F.selu,
    "gelu": F.gelu,
    "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"),
    "quick_gelu": lambda x: x * torch.sigmoid(1.702 * x),
    "silu": F.silu,
    "swish": lambda x: x * torch.sigmoid(x),
    "mish": F.mish,
    "hardswish": F.hardswish,
    "softplus": F.softplus,
    "log_sigmoid": F.logsigmoid,
    "sigmoid": torch.sigmoid,
    "hardsigmoid": F.hardsigmoid,
    "tanh": torch.tanh,
    "lecun_tanh": lambda x: 1.7159 * torch.tanh(2 * x / 3),
    "hardtanh": F.hardtanh,
    "softsign": F.softsign,
    "atan": torch.atan,
    "erf": torch.erf,
    "sin": torch.sin,
    "cos": torch.cos,
    "snake": lambda x: x + torch.sin(x).square(),
    "gaussian": lambda x: torch.exp(-x.square()),
    "tanhshrink": F.tanhshrink,
    "softshrink": F.softshrink,
    "hardshrink": F.hardshrink,
    "abs": torch.abs,
    "square": torch.square,
    "exp": torch.exp,
}
PRODUCTS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "glu": lambda a, b: F.glu(torch.stack([a, b], -1), -1).squeeze(-1),
    "reglu": lambda a, b: a * F.relu(b),
    "geglu": lambda a, b: a * F.gelu(b),
    "swiglu": lambda a, b: a * F.silu(b),
    "bilinear_gate": lambda a, b: a * b,
    "tanh_sigmoid": lambda a, b: torch.tanh(a) * torch.sigmoid(b),
}
CHUNK = 500_000


def drawn(function: Callable[..., Tensor], samples: int, arguments: int = 1) -> list[float]:
    """E[h], E[h^2] and E[(dh/dz_i)^2] for each argument, in double precision."""
    torch.manual_seed(0)
    sums = [0.0] * (2 + arguments)
    engine = torch.quasirandom.SobolEngine(arguments, scramble=True, seed=0)
    for start in range(0, samples, CHUNK):
        levels = engine.draw(min(CHUNK, samples - start), dtype=torch.float64).clamp_(2.0**-31, 1.0 - 2.0**-31)
        z = torch.special.ndtri(levels).requires_grad_()
        value = function(*z.unbind(1))
        (slopes,) = torch.autograd.grad(value.sum(), z)
        parts = [value.sum(), value.square().sum(), *slopes.square().sum(0)]
        sums = [total + part.item() for total, part in zip(sums, parts, strict=True)]
    return [total / samples for total in sums]


def rows(samples: int) -> list[tuple[str, list[float], list[float]]]:
    if set(FUNCTIONS) != set(CURVES):
        raise SystemExit(f"not measured: {sorted(set(CURVES) - set(FUNCTIONS))}")
    found = []
    for name, function in FUNCTIONS.items():
        exact = moments(name, 1.0)
        found.append((name, drawn(function, samples), [exact.mean, exact.square, exact.derivative_square]))
    for name, product in PRODUCTS.items():
        facts = gated_facts(name)
        found.append((name, drawn(product, samples, 2), [math.nan, facts.square, facts.value_derivative, facts.gate_derivative]))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=10_000_000)
    parser.add_argument("-o", "--output", type=Path)
    options = parser.parse_args()
    lines = [
        "| function | E[φ²] drawn | E[φ²] computed | E[φ′²] drawn | E[φ′²] computed | worst relative difference |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    worst = 0.0
    for name, measured, exact in rows(options.samples):
        differences = [abs(a / b - 1.0) for a, b in zip(measured[1:], exact[1:], strict=True)]
        worst = max(worst, *differences)
        lines.append(f"| {name} | {measured[1]:.5f} | {exact[1]:.5f} | {measured[2]:.5f} | {exact[2]:.5f} | {max(differences):.1e} |")
    lines = [f"{options.samples:,} samples each; worst relative difference of a second moment {worst:.1e}.", "", *lines]
    print("\n".join(lines))
    if options.output:
        options.output.parent.mkdir(parents=True, exist_ok=True)
        options.output.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
