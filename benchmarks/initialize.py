"""Measures how far starts keep the signal and the gradient through deep plain and residual networks, and what they cost.

    python -m benchmarks.initialize [--seeds 5] [--width 256] [-o benchmarks/results/initialize.md]

For each network: the ratio of the second moments of the last and the first hidden pre-activation, and of the gradients there under a
standard normal cotangent at the last one, from 256 standard normal inputs. Means of ln ratio over seeds, with the standard deviation; a
start keeps the signal when both lie within a factor of 2. Times are ratios to the forward and backward pass of the same network, all
measured in one run. LSUV is the package `lsuv` where it is installed.
"""

from __future__ import annotations

import argparse
import math
import statistics
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

import initcheck

SAMPLES, CLASSES = 256, 10
CURVES: dict[str, Callable[[], nn.Module]] = {"ReLU": nn.ReLU, "tanh": nn.Tanh, "GELU": nn.GELU, "SELU": nn.SELU}
TWICE = math.log(2.0)


class Block(nn.Module):
    """A residual block without normalization."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.inner, self.outer = nn.Linear(width, width), nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = x + self.outer(torch.relu(self.inner(x)))
        return result


def plain(curve: Callable[[], nn.Module], depth: int, width: int) -> nn.Sequential:
    layers = [part for _ in range(depth) for part in (nn.Linear(width, width), curve())]
    return nn.Sequential(*layers, nn.Linear(width, CLASSES))


def residual(depth: int, width: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(width, width), *(Block(width) for _ in range(depth // 2)), nn.Linear(width, CLASSES))


@dataclass(frozen=True)
class Moments:
    """ln of the ratios from end to end: of the signal (last to first) and of the gradient (first to last)."""

    forward: float
    backward: float

    @property
    def kept(self) -> bool:
        return abs(self.forward) <= TWICE and abs(self.backward) <= TWICE


def measured(model: nn.Sequential, inputs: Tensor, seed: int) -> Moments:
    """Between the first hidden pre-activation (of a residual network: the stream) and the last one."""
    residual_net = any(isinstance(part, Block) for part in model)
    ends = [model[0], model[-2] if residual_net else model[-3]]
    seen: list[Tensor] = []
    handles = [end.register_forward_hook(lambda _m, _i, output: seen.append(_kept(output))) for end in ends]
    model(inputs)
    for handle in handles:
        handle.remove()
    first, last = seen
    cotangent = torch.randn(last.shape, generator=torch.Generator().manual_seed(seed))
    (gradient,) = torch.autograd.grad(last, first, cotangent)
    forward = math.log(max(float(last.detach().double().square().mean() / first.detach().double().square().mean()), 1e-300))
    backward = math.log(max(float(gradient.double().square().mean()), 1e-300)) if torch.isfinite(gradient).all() else math.inf
    return Moments(forward, backward)


def _kept(output: Tensor) -> Tensor:
    return output


Start = Callable[[nn.Sequential, Tensor, int], None]


def default(model: nn.Sequential, inputs: Tensor, seed: int) -> None:
    """What torch does: nothing more."""
    del model, inputs, seed


def each(call: Callable[[Tensor], object]) -> Start:
    def start(model: nn.Sequential, inputs: Tensor, seed: int) -> None:
        del inputs
        torch.manual_seed(seed)
        for module in model.modules():
            if isinstance(module, nn.Linear):
                call(module.weight)
                nn.init.zeros_(module.bias)

    return start


def package_lsuv(model: nn.Sequential, inputs: Tensor, seed: int) -> None:
    from lsuv.lsuvinit import LSUVinit

    torch.manual_seed(seed)
    LSUVinit(model, inputs, needed_std=1.0, std_tol=0.1, max_attempts=10, do_orthonorm=True, verbose=False)


def by(policy: str, *, data: bool) -> Start:
    def start(model: nn.Sequential, inputs: Tensor, seed: int) -> None:
        initcheck.initialize(model, inputs if data else None, policy, seed=seed)

    return start


STARTS: dict[str, Start] = {
    "torch default": default,
    "He normal": each(lambda weight: nn.init.kaiming_normal_(weight, nonlinearity="relu")),
    "Xavier normal": each(nn.init.xavier_normal_),
    "LSUV (package)": package_lsuv,
    "initialize, by theory": by("recommended", data=False),
    "initialize, with data": by("recommended", data=True),
    "initialize, lsuv": by("lsuv", data=True),
}


@dataclass(frozen=True)
class Row:
    network: str
    start: str
    results: tuple[Moments, ...]
    cost: float

    def cells(self) -> str:
        columns = [_spread([getattr(one, side) for one in self.results]) for side in ("forward", "backward")]
        kept = sum(one.kept for one in self.results)
        return f"| {self.network} | {self.start} | {columns[0]} | {columns[1]} | {kept} / {len(self.results)} | {self.cost:.1f} |"


def _spread(values: list[float]) -> str:
    if not all(math.isfinite(value) for value in values):
        return "not finite"
    spread = statistics.stdev(values) if len(values) > 1 else 0.0
    mean = statistics.fmean(values)
    return f"{mean:+.2f} ± {spread:.2f} (×{math.exp(mean):.3g})"


def row(network: str, build: Callable[[], nn.Sequential], name: str, start: Start, seeds: int, inputs: Tensor) -> Row:
    results, costs = [], []
    for seed in range(seeds):
        torch.manual_seed(seed)
        model = build()
        began = time.process_time()
        start(model, inputs, seed)
        spent = time.process_time() - began
        began = time.process_time()
        results.append(measured(model, inputs, seed))
        costs.append(spent / max(time.process_time() - began, 1e-9))
    return Row(network, name, tuple(results), statistics.median(costs))


def networks(width: int) -> dict[str, Callable[[], nn.Sequential]]:
    found: dict[str, Callable[[], nn.Sequential]] = {}
    for depth in (20, 50):
        for name, curve in CURVES.items():
            found[f"{depth} × {name}"] = lambda curve=curve, depth=depth: plain(curve, depth, width)  # type: ignore[misc]  # bound here
        found[f"{depth} residual"] = lambda depth=depth: residual(depth, width)  # type: ignore[misc]  # bound here
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--width", type=int, default=256)
    parser.add_argument("--only", default="")
    parser.add_argument("-o", "--output", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    inputs = torch.randn(SAMPLES, options.width, generator=torch.Generator().manual_seed(1))
    missing = absent()
    rows: list[Row] = []
    for start in STARTS.values():
        if not (missing and start is package_lsuv):
            start(plain(nn.ReLU, 2, options.width), inputs, 0)  # what is imported on the way costs no network
    for network, build in networks(options.width).items():
        for name, start in STARTS.items():
            if options.only in f"{network} {name}" and not (missing and start is package_lsuv):
                rows.append(row(network, build, name, start, options.seeds, inputs))
                print(rows[-1].cells(), flush=True)
    text = report(rows, options.seeds, options.width, missing)
    if options.output:
        options.output.write_text(text, encoding="utf-8")


def absent() -> str:
    try:
        import lsuv.lsuvinit  # noqa: F401  (only whether it is there)
    except ImportError as error:
        return f"The package `lsuv` is not installed ({error}); its rows are left out."
    return ""


def report(rows: list[Row], seeds: int, width: int, missing: str) -> str:
    """The sentence that the README quotes, the table, and how to read it."""
    plain_table = [
        "| network | start | forward | backward | kept | cost |",
        "| --- | --- | --- | --- | --- | --- |",
        *(one.cells() for one in rows),
    ]
    reading = (
        f"Width {width}, {SAMPLES} inputs, torch {torch.__version__}. ln of the ratio of second moments between the first and the last hidden pre-activation "
        "(mean ± standard deviation over seeds, and the factor): forward of the signal, backward of the gradient. *kept*: seeds in which both "
        "lie within a factor of 2. *cost*: processor time over that of one forward and backward pass of the same network."
    )
    more = [f"\n{missing}"] if missing else []
    command = "`python -m benchmarks.initialize -o benchmarks/results/initialize.md`"
    return "\n".join((headline(rows, seeds), "", *plain_table, "", reading, *more, "", command, ""))


def headline(rows: list[Row], seeds: int) -> str:
    """How often each start keeps both moments."""
    counts: dict[str, list[int]] = {}
    for one in rows:
        counts.setdefault(one.start, []).append(sum(result.kept for result in one.results))
    said = ", ".join(f"{name} {sum(kept)} of {seeds * len(kept)}" for name, kept in counts.items())
    nets = len({one.network for one in rows})
    return (
        f"Runs of {nets} networks without normalization (ReLU, tanh, GELU, SELU and residual; 20 and 50 layers; {seeds} seeds each) in which signal and gradient both "
        f"keep their second moment within a factor of 2 from end to end: {said}."
    )


if __name__ == "__main__":
    main()
