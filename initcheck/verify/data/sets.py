"""The images of a verification: the bundled subset, a whole set in a folder as torchvision lays it out, or any folder of IDX files."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from initcheck.errors import TargetError
from initcheck.records.verification import DataSummary, Wish
from initcheck.verify.data import bundled
from initcheck.verify.data.idx import Bytes, read

FILES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
"""Images and labels for training, then for the test; each may be packed (`.gz`)."""

FOLDERS = {"mnist": "MNIST", "fashion": "FashionMNIST", "kmnist": "KMNIST"}
"""The folder of each known set below the data folder, as torchvision names it."""

DEFAULT_FOLDER = "data"

HELD_BACK = 1000
"""Training images that choose the learning rate, at most; a fifth of them where there are fewer than five times as many."""


@dataclass(frozen=True, slots=True)
class Images:
    """Bytes [N, height, width] with labels [N] below 10; `train` without what is held back, once `split`."""

    name: str
    origin: str
    train: Bytes
    train_labels: Bytes
    test: Bytes
    test_labels: Bytes
    held: Bytes
    held_labels: Bytes

    @property
    def summary(self) -> DataSummary:
        """Its sizes and where it comes from."""
        classes = len(np.unique(self.test_labels))
        return DataSummary(self.name, self.origin, len(self.train), len(self.held), len(self.test), round(1 / classes, 6))


def load(wish: Wish) -> Images:
    """The images that were asked for, a part of the training images held back.

    Raises:
        TargetError: when they are not there or their files are damaged.
    """
    return split(_asked(wish))


def split(images: Images) -> Images:
    """The same with the last training images held back: a fifth of them, 1,000 at most."""
    count = min(HELD_BACK, len(images.train) // 5)
    if count == 0:
        raise TargetError(
            f"{images.origin} has only {len(images.train)} training images", "give at least 5, better 1,000", name="data-missing"
        )
    kept = len(images.train) - count
    return dataclasses.replace(
        images,
        train=images.train[:kept],
        train_labels=images.train_labels[:kept],
        held=images.train[kept:],
        held_labels=images.train_labels[kept:],
    )


def folder(path: str, name: str = "images") -> Images:
    """A folder with the four files, nothing held back.

    Raises:
        TargetError: when a file is missing or damaged, or the files do not belong together.
    """
    found = [_file(Path(path), file) for file in FILES]
    train, train_labels, test, test_labels = (read(file) for file in found)
    for images, labels, file in ((train, train_labels, found[0]), (test, test_labels, found[2])):
        _matching(images, labels, file)
    if train.shape[1:] != test.shape[1:]:
        raise _unfit(found[2], f"its images are {test.shape[1]} x {test.shape[2]}, those for training {train.shape[1]} x {train.shape[2]}")
    return Images(name, path, train, train_labels, test, test_labels, train[:0], train_labels[:0])


def raw_folder(wish: Wish) -> Path | None:
    """Where a known set lies or would lie; None for the bundled subset and for a folder of the user's."""
    if wish.data in FOLDERS:
        return Path(wish.data_dir or DEFAULT_FOLDER) / FOLDERS[wish.data] / "raw"
    if wish.data == "auto" and wish.data_dir:
        return Path(wish.data_dir) / FOLDERS["mnist"] / "raw"
    return None


def _asked(wish: Wish) -> Images:
    raw = raw_folder(wish)
    if raw is not None:
        name = FOLDERS.get(wish.data, FOLDERS["mnist"])
        place = raw if raw.is_dir() else raw.parent.parent
        if not any(_present(place, FILES[0])):
            hint = f"initcheck verify ... --data {wish.data} --data-dir {wish.data_dir or DEFAULT_FOLDER} --download fetches it once"
            raise TargetError(f"{name} is not in {raw}", f"{hint}; --data auto without --data-dir needs no files", name="data-missing")
        return folder(str(place), f"{name}, whole")
    if wish.data != "auto":
        if not Path(wish.data).is_dir():
            raise TargetError(
                f"there is no folder {wish.data}", "--data takes auto, mnist, fashion, kmnist or a folder", name="data-missing"
            )
        return folder(wish.data, f"images in {wish.data}")
    images, labels = bundled.arrays()
    cut = bundled.TRAIN
    origin = "bundled with initcheck"
    return Images("MNIST subset", origin, images[:cut], labels[:cut], images[cut:], labels[cut:], images[:0], labels[:0])


def _present(place: Path, file: str) -> list[Path]:
    dotted = file.replace("-idx", ".idx")
    names = (file, f"{file}.gz", dotted, f"{dotted}.gz")
    return [path for path in (place / name for name in names) if path.is_file()]


def _file(place: Path, file: str) -> Path:
    found = _present(place, file)
    if not found:
        raise TargetError(f"there is no {file} in {place}", f"the folder must hold {', '.join(FILES)}", name="data-missing")
    return found[0]


def _matching(images: Bytes, labels: Bytes, file: Path) -> None:
    if images.ndim != 3 or labels.ndim != 1:
        raise _unfit(file, f"images have {images.ndim} axes and labels {labels.ndim}, where 3 and 1 belong")
    if len(images) != len(labels) or not len(images):
        raise _unfit(file, f"{len(images):,} images have {len(labels):,} labels")
    if labels.max() > 9:
        raise _unfit(file, f"a label is {labels.max()}; ten classes, 0 to 9, can be trained on")


def _unfit(file: Path, what: str) -> TargetError:
    return TargetError(f"{file} cannot be used: {what}", "give the folder of MNIST, or of a set of the same form", name="damaged")
