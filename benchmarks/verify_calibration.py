"""How often `initcheck.verify` finds a difference where there is none, and how often it finds one that is there.

    python -m benchmarks.verify_calibration [--times 40] [--epochs 1] [--case 4]

Both variants are drawn from the same initialization, the second after one number more, so that their weights differ and their distribution does
not. The share of IMPROVED and WORSE over all repetitions is the rate of false verdicts. Writes benchmarks/results/verify_calibration.md.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

import initcheck
from initcheck.records.verification import Verification

RESULT = Path(__file__).parent / "results" / "verify_calibration.md"
STRIDE = 1000


def stack(depth: int, gain: float = 0.0) -> Callable[[], nn.Module]:
    """A plain ReLU stack 48 wide at the framework's default, or with this gain."""

    def build() -> nn.Module:
        sizes = [784, *[48] * depth]
        layers: list[nn.Module] = []
        for fan_in, fan_out in itertools.pairwise(sizes):
            layers += [nn.Linear(fan_in, fan_out), nn.ReLU()]
            if gain:
                nn.init.normal_(layers[-2].weight, std=gain / fan_in**0.5)
        return nn.Sequential(*layers, nn.Linear(48, 10))

    return build


def shifted(build: Callable[[], nn.Module]) -> Callable[[], nn.Module]:
    """The same distribution with other draws."""

    def other() -> nn.Module:
        torch.rand(1)
        return build()

    return other


CASES: dict[str, tuple[Callable[[], nn.Module], Callable[[], nn.Module], str]] = {
    "one hidden layer, default against itself": (stack(1), shifted(stack(1)), "same"),
    "8 ReLU layers, default against itself": (stack(8), shifted(stack(8)), "same"),
    "8 ReLU layers, default against He": (stack(8), stack(8, 2**0.5), "better"),
    "8 ReLU layers, He against a quarter of it": (stack(8, 2**0.5), stack(8, 2**0.5 / 4), "worse"),
}


def repeated(before: Callable[[], nn.Module], after: Callable[[], nn.Module], times: int, epochs: float) -> list[Verification]:
    return [
        initcheck.verify(before, after, seed=STRIDE * number, epochs=epochs, budget=3600.0, lrs=(0.001, 0.003, 0.01))
        for number in range(times)
    ]


def row(name: str, found: list[Verification]) -> str:
    counts = [sum(one.verdict == verdict for one in found) for verdict in ("IMPROVED", "NO DIFFERENCE", "WORSE", "INCONCLUSIVE")]
    differences = [one.comparison.difference for one in found]
    half = statistics.median((one.comparison.high - one.comparison.low) / 2 for one in found)
    spread = f"{statistics.fmean(differences):+.2f} ± {statistics.stdev(differences) if len(found) > 1 else 0.0:.2f}"
    return f"| {name} | {len(found)} | {' | '.join(map(str, counts))} | {spread} | {half:.1f} |"


def kept() -> dict[str, str]:
    """The rows of the result so far, by case."""
    lines = RESULT.read_text(encoding="utf-8").splitlines() if RESULT.is_file() else []
    return {line.split(" | ")[0].removeprefix("| "): line for line in lines if line.startswith("| ") and not line.startswith("| case")}


def write(rows: dict[str, str], epochs: float) -> None:
    """All cases in their order, with the rate of false verdicts over those where both variants are the same."""
    counts = [
        [int(cell) for cell in rows[name].split(" | ")[1:6]] for name, (_, _, kind) in CASES.items() if kind == "same" and name in rows
    ]
    total, false = sum(one[0] for one in counts), sum(one[1] + one[3] for one in counts)
    said = (
        f"{false} of {total} comparisons of a variant with itself ({100 * false / max(total, 1):.1f} %) ended in IMPROVED or WORSE; at most 5 % are allowed.\n"
        f"Each comparison is 2 variants × 3 rates × 5 seeds × {epochs:g} epochs of the bundled subset, with other weights on both sides.\n"
    )
    head = "| case | times | IMPROVED | NO DIFFERENCE | WORSE | INCONCLUSIVE | difference, mean ± deviation | half-width, median |"
    lines = [said, head, f"|{' --- |' * 8}", *(rows[name] for name in CASES if name in rows), ""]
    RESULT.write_text("\n".join(lines), encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=40)
    parser.add_argument("--epochs", type=float, default=1.0)
    parser.add_argument(
        "--case", type=int, action="append", choices=range(1, len(CASES) + 1), help="only these; the others keep their rows"
    )
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    rows = kept() if chosen.case else {}
    for number, (name, (before, after, kind)) in enumerate(CASES.items(), 1):
        if chosen.case and number not in chosen.case:
            continue
        times = chosen.times if kind == "same" else max(1, chosen.times // 8)
        rows[name] = row(name, repeated(before, after, times, chosen.epochs))
        print(rows[name], flush=True)
        write(rows, chosen.epochs)


if __name__ == "__main__":
    main()
