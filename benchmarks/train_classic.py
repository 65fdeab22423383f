"""The classic example trained in full: 5 epochs of MNIST, batch 64, AdamW 1e-3, as its author set it and with initcheck's remedy.

    python -m benchmarks.train_classic [FOLDER]

FOLDER holds the raw IDX files of MNIST (`MNIST/raw` of torchvision); the figures then go to benchmarks/results/train_classic.md. Without
it the bundled subset is used, and its figures are only shown. Two runs give the same numbers.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

import initcheck
from initcheck.verify.data import bundled
from initcheck.verify.data.sets import folder
from initcheck.verify.training import order, pixels

RESULT = Path(__file__).parent / "results" / "train_classic.md"
EPOCHS, BATCH, RATE = 5, 64, 1e-3
PUBLISHED = (93.2, 94.5, 95.1, 95.6, 96.0)
"""Accuracy per epoch that the source of the example publishes, in percent."""


class Net(nn.Module):
    """784 → 128 → 10 with Xavier before the ReLU, as in examples/mnist_mlp.py."""

    def __init__(self, hidden: int = 128) -> None:
        super().__init__()
        self.fc1 = nn.Linear(784, hidden)
        self.fc2 = nn.Linear(hidden, 10)
        nn.init.xavier_uniform_(self.fc1.weight)
        nn.init.zeros_(self.fc1.bias)
        nn.init.kaiming_uniform_(self.fc2.weight, nonlinearity="relu")
        nn.init.zeros_(self.fc2.bias)

    def forward(self, images: Tensor) -> Tensor:
        return self.fc2(torch.relu(self.fc1(images.flatten(1))))


def images(where: str) -> tuple[str, tuple[Tensor, Tensor, Tensor, Tensor]]:
    if not where:
        both, labels = bundled.arrays()
        cut = bundled.TRAIN
        arrays = (both[:cut], labels[:cut], both[cut:], labels[cut:])
        return f"the bundled subset ({bundled.TRAIN:,} + {bundled.TEST:,} images; the whole set was not given)", tensors(arrays)
    whole = folder(where)
    name = f"the whole of MNIST ({len(whole.train):,} + {len(whole.test):,} images)"
    return name, tensors((whole.train, whole.train_labels, whole.test, whole.test_labels))


def tensors(arrays: tuple) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    found = [torch.from_numpy(array.copy()) for array in arrays]
    return found[0], found[1].long(), found[2], found[3].long()


def trained(model: nn.Module, data: tuple[Tensor, Tensor, Tensor, Tensor]) -> list[tuple[float, float, float]]:
    """(training loss, test loss, test accuracy in percent) after each epoch."""
    train, labels, test, truth = data
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE)
    batches = order(0, len(train), BATCH)
    found = []
    for _ in range(EPOCHS):
        total = 0.0
        for _ in range(len(train) // BATCH):
            picked = next(batches)
            optimizer.zero_grad(set_to_none=True)
            loss = functional.cross_entropy(model(pixels(train[picked])), labels[picked])
            loss.backward()
            optimizer.step()
            total += loss.item()
        with torch.no_grad():
            logits = model(pixels(test))
        right = 100 * float((logits.argmax(1) == truth).double().mean())
        found.append((total / (len(train) // BATCH), float(functional.cross_entropy(logits, truth)), right))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.train_classic", description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", default="", help="the raw IDX files of MNIST; the bundled subset without it")
    where = parser.parse_args().folder
    torch.set_num_threads(1)
    name, data = images(where)
    torch.manual_seed(0)
    own = trained(Net(), data)
    torch.manual_seed(0)
    fixed = Net()
    done = initcheck.fix(fixed, initcheck.check(Net), unsafe=True)
    healed = trained(fixed, data)
    rows = [
        f"| {epoch} | {one[0]:.4f} | {one[1]:.4f} | {one[2]:.2f} % | {other[0]:.4f} | {other[1]:.4f} | {other[2]:.2f} % | {published:.1f} % |"
        for epoch, (one, other, published) in enumerate(zip(own, healed, PUBLISHED, strict=True), 1)
    ]
    said = (
        f"A 784-128-10 network on {name}, {EPOCHS} epochs, batch {BATCH}, AdamW {RATE:g}: {own[-1][2]:.2f} % with Xavier before the ReLU, "
        f"{healed[-1][2]:.2f} % with what `initcheck.fix` makes of it ({', '.join(row.code for row in done.rows)}). "
        "At this depth the two starts are nearly the same, and `initcheck verify` says so. "
        f"The source of the example publishes {PUBLISHED[-1]:.1f} % after the last epoch; what its code did otherwise is not known here.\n"
    )
    head = "| epoch | training loss | test loss | accuracy | fixed: training loss | test loss | accuracy | published by the source |"
    text = "\n".join([said, head, f"|{' --- |' * 8}", *rows, ""])
    print(text)
    if where:
        RESULT.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
