"""Makes the bundled MNIST subset from the four raw IDX files, the same bytes of content each time.

    python -m benchmarks.make_mnist_subset FOLDER [OUTPUT]

FOLDER holds `train-images-idx3-ubyte` and its three companions, packed or not. Of every class 500 training and 100 test images are taken,
evenly spaced through the file, and kept in the order of the file: 5,000 images for training, then 1,000 for the test.
"""

from __future__ import annotations

import gzip
import hashlib
import sys
from pathlib import Path

import numpy as np

from initcheck.verify.data import bundled
from initcheck.verify.data.idx import packed
from initcheck.verify.data.sets import folder

PER_CLASS = {"train": bundled.TRAIN // bundled.CLASSES, "test": bundled.TEST // bundled.CLASSES}


def picked(labels: np.ndarray, wanted: int) -> np.ndarray:
    """Positions of `wanted` images of each class, evenly spaced through the file and in its order."""
    chosen = []
    for label in range(bundled.CLASSES):
        of_class = np.flatnonzero(labels == label)
        chosen.append(of_class[np.arange(wanted) * len(of_class) // wanted])
    return np.sort(np.concatenate(chosen))


def content(source: Path) -> bytes:
    """The images and labels as two IDX arrays, one after the other."""
    whole = folder(str(source))
    train = picked(whole.train_labels, PER_CLASS["train"])
    test = picked(whole.test_labels, PER_CLASS["test"])
    images = np.concatenate([whole.train[train], whole.test[test]])
    labels = np.concatenate([whole.train_labels[train], whole.test_labels[test]])
    return packed(images) + packed(labels)


def main() -> int:
    if len(sys.argv) < 2:
        print(__doc__)
        return 2
    output = Path(sys.argv[2]) if len(sys.argv) > 2 else bundled.PATH
    data = content(Path(sys.argv[1]))
    output.write_bytes(gzip.compress(data, 9, mtime=0))
    print(f"{output.name}: {output.stat().st_size:,} bytes, SHA-256 of the content {hashlib.sha256(data).hexdigest()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
