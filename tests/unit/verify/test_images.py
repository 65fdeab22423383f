"""IDX files, the bundled subset, folders of the user's, and fetching that leaves nothing half-written."""

import functools
import gzip
import hashlib
import http.server
import struct
import sys
import threading

import numpy as np
import pytest

from initcheck.errors import InitcheckError, TargetError, UsageError
from initcheck.records.verification import Wish
from initcheck.verify.data import bundled, sets
from initcheck.verify.data.idx import packed, read, unpacked
from initcheck.verify.data.wishes import checked, download_data


def some(count=30, edge=8, classes=10):
    generator = np.random.default_rng(0)
    return generator.integers(0, 256, (count, edge, edge), dtype=np.uint8), (np.arange(count) % classes).astype(np.uint8)


def written(folder, *, compressed=False, **instead):
    images, labels = some()
    contents = dict(zip(sets.FILES, (packed(images), packed(labels), packed(images[:20]), packed(labels[:20])), strict=True))
    for name, data in (contents | instead).items():
        path = folder / (f"{name}.gz" if compressed else name)
        path.write_bytes(gzip.compress(data) if compressed else data)
    return folder


@pytest.mark.parametrize("compressed", [False, True])
def test_a_folder_of_idx_files_is_read(tmp_path, compressed):
    found = sets.load(Wish(data=str(written(tmp_path, compressed=compressed))))
    assert found.train.shape == (24, 8, 8)
    assert len(found.held) == 6 and len(found.test) == 20
    assert found.summary.chance == 0.1
    np.testing.assert_array_equal(np.concatenate([found.train, found.held]), some()[0])


def test_what_is_packed_is_unpacked():
    images, labels = some()
    again = unpacked(packed(images) + packed(labels), "both")
    np.testing.assert_array_equal(again[0], images)
    np.testing.assert_array_equal(again[1], labels)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "ends after 0 bytes"),
        (b"\x00\x00\x0d\x02aaaaaaaa", "00 00 0d 02"),
        (b"PK\x03\x04rest", "50 4b 03 04"),
        (b"\x00\x00\x08\x03\x00", "before its header"),
        (packed(some()[0])[:-5], "1,915 follow"),
        (b"\x1f\x8b garbage", "gzip"),
        (packed(some()[1]) + packed(some()[1]), "2 arrays"),
        (struct.pack(">BBBB3I", 0, 0, 8, 3, 2**32 - 1, 2**32 - 1, 2**32 - 1), "promises"),
    ],
)
def test_a_damaged_file_is_named(tmp_path, data, said):
    path = tmp_path / "train-images-idx3-ubyte"
    path.write_bytes(data)
    with pytest.raises(TargetError, match="train-images") as raised:
        read(path)
    assert raised.value.name == "damaged"
    assert said in raised.value.message


@pytest.mark.parametrize(
    ("file", "data", "said"),
    [
        ("train-labels-idx1-ubyte", packed(some(29)[1]), "30 images have 29 labels"),
        ("train-labels-idx1-ubyte", packed(np.full(30, 10, np.uint8)), "a label is 10"),
        ("train-images-idx3-ubyte", packed(some()[1]), "1 axes"),
        ("t10k-images-idx3-ubyte", packed(some(20, edge=9)[0]), "9 x 9"),
    ],
)
def test_files_that_do_not_belong_together_are_refused(tmp_path, file, data, said):
    written(tmp_path, **{file: data})
    with pytest.raises(TargetError) as raised:
        sets.load(Wish(data=str(tmp_path)))
    assert raised.value.name == "damaged" and said in raised.value.message


@pytest.mark.parametrize(
    "wish", [Wish(data="mnist", data_dir="nowhere"), Wish(data="no/folder"), Wish(data_dir="nowhere"), Wish(data="tests/unit/verify")]
)
def test_missing_images_are_told(wish):
    with pytest.raises(TargetError) as raised:
        sets.load(wish)
    assert raised.value.name == "data-missing" and raised.value.hint


def test_a_whole_set_is_found_where_torchvision_puts_it(tmp_path):
    raw = tmp_path / "KMNIST" / "raw"
    raw.mkdir(parents=True)
    written(raw)
    assert sets.load(Wish(data="kmnist", data_dir=str(tmp_path))).summary.name == "KMNIST, whole"


def test_the_bundled_subset_is_whole_and_balanced():
    images, labels = bundled.arrays()
    assert images.shape == (6000, 28, 28)
    assert np.bincount(labels[:5000]).tolist() == [500] * 10
    assert np.bincount(labels[5000:]).tolist() == [100] * 10
    content = packed(images) + packed(labels)
    assert hashlib.sha256(content).hexdigest() == "a809695572d8f1c41bb12efaf0f2c3725651f86af5901b8e388a30904c685eb1"
    assert bundled.PATH.stat().st_size < 1_100_000
    assert "CC BY-SA 3.0" in bundled.PATH.with_name("NOTICE.md").read_text()


class Silent(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        """Nothing."""


@pytest.fixture
def server(tmp_path, monkeypatch):
    """The folder that stands for the servers of torchvision, with a small set of images in it."""
    module = pytest.importorskip("torchvision.datasets.mnist")
    folder = tmp_path / "server"
    folder.mkdir()
    images, labels = some()
    for name, data in zip(sets.FILES, (images, labels, images, labels), strict=True):
        (folder / f"{name}.gz").write_bytes(gzip.compress(packed(data), mtime=0))
    sums = [(f"{name}.gz", hashlib.md5((folder / f"{name}.gz").read_bytes()).hexdigest()) for name in sets.FILES]
    handler = functools.partial(Silent, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as serving:
        threading.Thread(target=serving.serve_forever, daemon=True).start()
        for kind in (module.MNIST, module.FashionMNIST, module.KMNIST):
            monkeypatch.setattr(kind, "mirrors", [f"http://127.0.0.1:{serving.server_port}/"])
            monkeypatch.setattr(kind, "resources", sums)
        yield folder
        serving.shutdown()


@pytest.mark.parametrize("content", [None, b"<html>"])
def test_without_a_network_or_with_another_answer_nothing_is_left(server, tmp_path, monkeypatch, content):
    if content is None:
        monkeypatch.setattr("torchvision.datasets.FashionMNIST.mirrors", ["http://127.0.0.1:9/"])
    else:
        (server / f"{sets.FILES[2]}.gz").write_bytes(content)
    with pytest.raises(InitcheckError, match="cannot fetch FashionMNIST: .*(refused|corrupted)") as raised:
        download_data(Wish(data="fashion", data_dir=str(tmp_path / "data")), lambda _: None)
    assert raised.value.name == "download-failed"
    assert not (tmp_path / "data").exists()


def test_what_is_fetched_is_put_in_place(server, tmp_path):
    told = []
    data = str(tmp_path / "data")
    download_data(Wish(data="auto", data_dir=data), told.append)
    assert told == ["fetching MNIST"]
    assert sorted(path.name for path in (tmp_path / "data" / "MNIST" / "raw").iterdir()) == sorted(sets.FILES)
    assert len(sets.load(Wish(data="mnist", data_dir=data)).test) == 30
    download_data(Wish(data="mnist", data_dir=data), told.append)
    assert len(told) == 1, "what is there is not fetched again"


def test_a_folder_that_cannot_be_written_to_is_told(server, tmp_path):
    (tmp_path / "data").write_text("a file")
    with pytest.raises(UsageError, match="cannot write"):
        download_data(Wish(data="mnist", data_dir=str(tmp_path / "data")), lambda _: None)


def test_without_torchvision_that_is_told(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torchvision", None)
    with pytest.raises(TargetError, match="fetched by torchvision") as raised:
        download_data(Wish(data="mnist", data_dir=str(tmp_path)), lambda _: None)
    assert raised.value.name == "missing-import"


@pytest.mark.parametrize(
    "wish",
    [
        Wish(seeds=-1),
        Wish(seeds=101),
        Wish(rates=(0.0,)),
        Wish(rates=(float("nan"),)),
        Wish(budget=0),
        Wish(epochs=-1),
        Wish(min_gain=float("inf")),
    ],
)
def test_numbers_without_sense_are_refused(wish):
    with pytest.raises(UsageError):
        checked(wish)


def test_only_known_sets_can_be_fetched():
    with pytest.raises(UsageError, match="knows mnist"):
        download_data(Wish(data="some/folder"), lambda _: None)
