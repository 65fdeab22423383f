"""What the orthogonality and duplicate tests of all weights cost, as a share of one forward and backward pass of the same model.

    python -m benchmarks.structure_cost [--rounds 7] [-o benchmarks/results/structure_cost.md]

CPU seconds on one thread; the pass and the tests run in turn in one process, and the ratio of their medians is printed. The batches are small,
as those of a check are: a larger batch makes the share smaller.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

from initcheck.measure.parameters import blocks, rows

LIMIT = 0.15


class Transformer(nn.Module):
    """12 pre-norm layers, 768 wide, with a vocabulary of 50257 tied to the head."""

    def __init__(self):
        super().__init__()
        self.tokens = nn.Embedding(50257, 768)
        layer = nn.TransformerEncoderLayer(768, 12, 3072, dropout=0.0, batch_first=True, norm_first=True)
        self.layers = nn.TransformerEncoder(layer, 12, enable_nested_tensor=False)
        self.norm = nn.LayerNorm(768)
        for parameter in self.layers.parameters():
            if parameter.dim() > 1:
                nn.init.normal_(parameter, std=0.02)

    def forward(self, tokens):
        return self.norm(self.layers(self.tokens(tokens))) @ self.tokens.weight.T


class Orthogonal(Transformer):
    """The same, every matrix orthogonal: the dearest case, since a first look rules none out."""

    def __init__(self):
        super().__init__()
        for parameter in self.layers.parameters():
            if parameter.dim() > 1:
                nn.init.orthogonal_(parameter)


def resnet50():
    from torchvision.models import resnet50 as build

    return build()


CASES: dict[str, tuple[Callable[[], nn.Module], Callable[[], torch.Tensor], str]] = {
    "resnet50": (resnet50, lambda: torch.randn(8, 3, 64, 64), "8 images of 64×64"),
    "transformer, 12 layers, 768 wide": (Transformer, lambda: torch.randint(0, 50257, (4, 32)), "4 texts of 32 tokens"),
    "the same, all orthogonal": (Orthogonal, lambda: torch.randint(0, 50257, (4, 32)), "4 texts of 32 tokens"),
}


def run(model: nn.Module, batch: torch.Tensor) -> None:
    model.zero_grad(set_to_none=True)
    output = model(batch)
    output.backward(torch.randn_like(output))


def orthogonality(weights: list[torch.Tensor]) -> None:
    for weight in weights:
        blocks.survey(weight)


def duplicates(weights: list[torch.Tensor]) -> None:
    for weight in weights:
        rows.distinct_rows(weight)
        rows.distinct_columns(weight)


def seconds(work: Callable[[], None]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def row(name: str, rounds: int) -> tuple[str, float]:
    build, batch, text = CASES[name]
    torch.manual_seed(0)
    model, inputs = build(), batch()
    weights = [parameter.detach() for parameter in model.parameters() if parameter.dim() > 1]
    works = (lambda: run(model, inputs), lambda: orthogonality(weights), lambda: duplicates(weights))
    times = [[seconds(work) for work in works] for _ in range(rounds + 1)][1:]
    whole, orthogonal, copies = (statistics.median(column) for column in zip(*times, strict=True))
    share = (orthogonal + copies) / whole
    return f"| {name} | {text} | {whole:.2f} | {orthogonal:.3f} | {copies:.3f} | {100 * share:.1f} % |", share


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("-o", "--output", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    lines = [
        "| model | batch | forward and backward, CPU s | orthogonality, CPU s | duplicates, CPU s | share |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    shares = []
    for name in CASES:
        line, share = row(name, options.rounds)
        lines.append(line)
        shares.append(share)
    said = ", ".join(f"{name} {100 * share:.1f} %" for name, share in zip(CASES, shares, strict=True))
    text = "\n".join([f"Share of one forward and backward pass, medians of {options.rounds} rounds: {said}.", "", *lines])
    print(text)
    if options.output:
        options.output.parent.mkdir(parents=True, exist_ok=True)
        options.output.write_text(text + "\n", encoding="utf-8")
    return int(max(shares) > LIMIT)


if __name__ == "__main__":
    raise SystemExit(main())
