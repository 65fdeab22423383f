"""The subset of MNIST that comes with the package: 5,000 + 1,000 images, the same number of each digit, lossless."""

from __future__ import annotations

import gzip
from pathlib import Path

from initcheck.verify.data.idx import Bytes, unpacked

PATH = Path(__file__).with_name("mnist_subset.gz")
"""Made by `python -m benchmarks.make_mnist_subset`; see NOTICE.md beside it for author and licence."""

TRAIN, TEST, CLASSES = 5000, 1000, 10


def arrays() -> tuple[Bytes, Bytes]:
    """Images [6000, 28, 28] and labels [6000]; the first 5,000 are those for training."""
    images, labels = unpacked(gzip.decompress(PATH.read_bytes()), PATH.name)
    return images, labels
