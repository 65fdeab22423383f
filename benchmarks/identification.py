"""How often identification names, misses and wrongly rejects the scheme that a weight was drawn with.

    python -m benchmarks.identification [--quick] [--seed 0] [-o benchmarks/results/identification.md]

Each tensor is drawn, reduced to the statistics that a check measures, and identified. `compatible`: the true law is among the candidates
or the tensor is said to be too small; `named`: it won by 12 nats; `wrong`: another law won by 12 nats; `rejected`: the true law is not
among the candidates (of tensors with at least 8 elements). Most tensors are drawn by NumPy, many at a time; the rows marked `torch` go
through `torch.nn.init` and the measurement of a real check.
"""

from __future__ import annotations

import argparse
import dataclasses
import math
import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np
import torch

from initcheck.measure.parameters.weights import weight_stats
from initcheck.records.stats import WeightStats
from initcheck.theory import sampling
from initcheck.theory.identification.catalogue import Group, groups
from initcheck.theory.identify import identify

SHAPES = ((2, 4), (4, 4), (4, 8), (8, 8), (16, 8), (16, 16), (24, 64), (96, 64), (128, 256), (512, 256), (1024, 1024))
"""8 to 2^20 elements; rows and columns differ where they can, so that few schemes coincide."""
ELEMENTS = 2 << 20
"""Elements drawn for each scheme and size, as far as `MOST` tensors allow."""
MOST, FEWEST = 1_500, 20
CHUNK = 1 << 21
REAL_SHAPES = ((4, 8), (24, 64), (128, 256))
REAL = 400
"""Tensors of each scheme and size that torch draws one by one."""


def _delta_orthogonal(weight: torch.Tensor) -> torch.Tensor:
    kernel = torch.zeros(*weight.shape, 3, 3)
    kernel[:, :, 1, 1] = torch.nn.init.orthogonal_(weight)
    return kernel


INITS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "kaiming_normal(relu)": lambda w: torch.nn.init.kaiming_normal_(w, nonlinearity="relu"),
    "kaiming_uniform(a=√5)": lambda w: torch.nn.init.kaiming_uniform_(w, a=math.sqrt(5)),
    "xavier_uniform": torch.nn.init.xavier_uniform_,
    "normal(0, 0.02)": lambda w: torch.nn.init.normal_(w, std=0.02),
    "trunc_normal(0, 0.02, -0.04…0.04)": lambda w: torch.nn.init.trunc_normal_(w, std=0.02, a=-0.04, b=0.04),
    "xavier_normal, to bfloat16": lambda w: torch.nn.init.xavier_normal_(w).bfloat16(),
    "kaiming_uniform(relu), to float16": lambda w: torch.nn.init.kaiming_uniform_(w, nonlinearity="relu").half(),
    "uniform(-0.05, 0.05), to bfloat16": lambda w: torch.nn.init.uniform_(w, -0.05, 0.05).bfloat16(),
    "normal(0, 1), each row 4 times": lambda w: torch.randn(w.shape).repeat_interleave(4, 0),
    "normal(0, 1), a row of zeros": lambda w: torch.randn(w.shape) * (torch.arange(len(w)) > 0)[:, None],
    "orthogonal": torch.nn.init.orthogonal_,
    "orthogonal, to bfloat16": lambda w: torch.nn.init.orthogonal_(w).bfloat16(),
    "orthogonal in each of 4 blocks": lambda w: torch.cat(
        [torch.nn.init.orthogonal_(torch.empty(w.shape[1], w.shape[1])) for _ in range(4)]
    ),
    "delta-orthogonal": _delta_orthogonal,
    "sparse": lambda w: torch.nn.init.sparse_(w, 0.5),
    "identity": torch.nn.init.eye_,
    "dirac": lambda w: torch.nn.init.dirac_(torch.empty(*w.shape, 3, 3)),
    "zeros": torch.nn.init.zeros_,
    "constant": lambda w: torch.nn.init.constant_(w, 0.3),
}


@dataclasses.dataclass(slots=True)
class Tally:
    tensors: int = 0
    compatible: int = 0
    named: int = 0
    wrong: int = 0
    rejected: int = 0
    candidates: int = 0

    def add(self, other: Tally) -> None:
        for field in dataclasses.fields(self):
            setattr(self, field.name, getattr(self, field.name) + getattr(other, field.name))


def batches(group: Group, shape: tuple[int, int], count: int, generator: np.random.Generator) -> Iterator[np.ndarray]:
    """Tensors of this law, shape (tensors, rows, columns)."""
    size = math.prod(shape)
    while count > 0:
        many = min(count, max(CHUNK // size, 1))
        yield draw(group, (many, *shape), generator)
        count -= many


def draw(group: Group, shape: tuple[int, ...], generator: np.random.Generator) -> np.ndarray:
    if group.law is sampling.UNIFORM:
        bound = math.sqrt(3.0) * group.std
        return generator.random(shape, np.float32) * np.float32(2 * bound) - np.float32(bound)
    values = generator.standard_normal(shape, np.float32)
    if group.law is not sampling.NORMAL:
        cut = group.law.bound * group.law.shrink
        while (beyond := np.abs(values) > cut).any():
            values[beyond] = generator.standard_normal(int(beyond.sum()), np.float32)
    return values * np.float32(group.std / group.law.shrink)


def statistics(tensors: np.ndarray) -> Iterator[WeightStats]:
    """What a check measures of each tensor, many at a time; shape (tensors, rows, columns)."""
    rows, columns = tensors.shape[1:]
    flat = tensors.reshape(len(tensors), -1).astype(np.float64)
    mean = flat.mean(1)
    squares = (flat**2).mean(1)
    centred = flat - mean[:, None]
    kurtosis = (centred**4).mean(1) / (centred**2).mean(1) ** 2
    by_row = (flat.reshape(-1, rows, columns) ** 2).mean(2)
    dispersion = by_row.var(1) / by_row.mean(1) ** 2
    segments = next((count for count in (12, 6, 4, 3, 2) if rows % count == 0), 0)
    profile = by_row.reshape(len(flat), segments, -1).mean(2)
    zeros, low, high = (flat == 0).sum(1), flat.min(1), flat.max(1)
    for index in range(len(flat)):
        yield WeightStats(
            parameter="w",
            shape=(rows, columns),
            dtype="float32",
            numel=rows * columns,
            mean=float(mean[index]),
            second_moment=float(squares[index]),
            minimum=float(low[index]),
            maximum=float(high[index]),
            kurtosis=float(kurtosis[index]),
            zeros=int(zeros[index]),
            nonfinite=0,
            distinct_rows=rows,
            distinct_columns=columns,
            row_dispersion=float(dispersion[index]),
            row_profile=tuple(profile[index].tolist()),
        )


def judge(true: Callable[[str], bool], measured: Iterable[WeightStats]) -> Tally:
    tally = Tally()
    for stats in measured:
        fan_in, fan_out = math.prod(stats.shape[1:]), stats.shape[0] * math.prod(stats.shape[2:])
        found = identify(stats, fan_in, fan_out, sampling.dtype_eps(stats.dtype))
        fits = any(true(candidate.label) for candidate in found.candidates)
        named = found.winner.known() and any(true(candidate.label) for candidate in found.winner.get().candidates)
        tally.add(Tally(1, fits, named, found.winner.known() and not named, not fits, len(found.groups)))
    return tally


def by_torch(init: Callable[[torch.Tensor], torch.Tensor], shape: tuple[int, int], count: int) -> Iterator[WeightStats]:
    """Real `torch.nn.init` calls, measured as in a check."""
    for _ in range(count):
        yield from weight_stats({"w": init(torch.empty(shape))}, {})


def run(seed: int, share: float) -> tuple[dict[int, Tally], dict[str, Tally], dict[str, Tally]]:
    """By size, by scheme (256 elements or more), and of the rows that torch drew."""
    generator = np.random.default_rng(seed)
    torch.manual_seed(seed)
    sizes: dict[int, Tally] = {}
    schemes: dict[str, Tally] = {}
    real: dict[str, Tally] = {}
    for shape in SHAPES:
        size = math.prod(shape)
        count = int(max(min(MOST, ELEMENTS // size) * share, FEWEST * share, 1))
        for group in groups(shape, shape[1], shape[0]):
            labels = {candidate.label for candidate in group.candidates}
            tally = Tally()
            for batch in batches(group, shape, count, generator):
                tally.add(judge(labels.__contains__, statistics(batch)))
            sizes.setdefault(size, Tally()).add(tally)
            if size >= 256:
                schemes.setdefault(re.sub(r"(fan_in|fan_out|size) \d+", r"\1", group.label), Tally()).add(tally)
        print(f"{size} elements: {sizes[size]}", file=sys.stderr, flush=True)
    for shape in REAL_SHAPES:
        for name, init in INITS.items():
            label = name.split(", to ")[0].split(", each")[0].split(", a row")[0]
            tally = judge(lambda found, label=label: found.startswith(label), by_torch(init, shape, max(int(REAL * share), 10)))
            real[f"{name}, {math.prod(shape)} elements"] = tally
    return sizes, schemes, real


def table(head: str, rows: Mapping[int, Tally] | Mapping[str, Tally]) -> str:
    lines = [f"| {head} | tensors | compatible | named | wrong | rejected | candidates |", "| --- | --- | --- | --- | --- | --- | --- |"]
    for name, tally in rows.items():
        n = tally.tensors
        lines.append(
            f"| {name} | {n} | {100 * tally.compatible / n:.4g} % | {100 * tally.named / n:.4g} % | {tally.wrong} | "
            f"{tally.rejected} ({tally.rejected / n:.1g}) | {tally.candidates / n:.1f} |"
        )
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a hundredth of the tensors")
    parser.add_argument("--share", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("-o", "--output", type=Path)
    options = parser.parse_args()
    start = time.process_time()
    sizes, schemes, real = run(options.seed, 0.01 if options.quick else options.share)
    total = Tally()
    for tally in (*sizes.values(), *real.values()):
        total.add(tally)
    command = f"python -m benchmarks.identification --seed {options.seed}" + (" --quick" if options.quick else "")
    text = "\n\n".join(
        (
            f"Identification by statistics: `{command}`, {time.process_time() - start:.0f} CPU seconds.",
            (
                f"{total.tensors} tensors: {total.rejected} rejected their own scheme ({total.rejected / total.tensors:.1g} per tensor), "
                f"{total.wrong} were confidently named wrong."
            ),
            table("elements", sizes),
            table("scheme, 256 elements or more", schemes),
            table("drawn by torch.nn.init", real),
        )
    )
    print(text)
    if options.output:
        options.output.parent.mkdir(parents=True, exist_ok=True)
        options.output.write_text(text + "\n", encoding="utf-8")
    return int(total.rejected > 1e-4 * total.tensors + 3)


if __name__ == "__main__":
    raise SystemExit(main())
