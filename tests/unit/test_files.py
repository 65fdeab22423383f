"""Files that appear whole or not at all."""

import os
import stat

import pytest

from initcheck.files import SUFFIX, beside, place


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_placed_with_the_mode_of_the_one_before(tmp_path):
    file = tmp_path / "a.txt"
    place(file, b"first")
    mask = os.umask(0)
    os.umask(mask)
    assert stat.S_IMODE(file.stat().st_mode) == 0o666 & ~mask
    file.chmod(0o600)
    place(file, b"second")
    assert (file.read_bytes(), stat.S_IMODE(file.stat().st_mode), names(tmp_path)) == (b"second", 0o600, ["a.txt"])


def test_a_link_stays_one(tmp_path):
    (tmp_path / "real").write_bytes(b"a")
    (tmp_path / "link").symlink_to("real")
    place(tmp_path / "link", b"b")
    assert (tmp_path / "link").is_symlink() and (tmp_path / "real").read_bytes() == b"b"


def test_a_folder_in_the_place_leaves_nothing(tmp_path):
    (tmp_path / "taken").mkdir()
    with pytest.raises(OSError):
        place(tmp_path / "taken", b"content")
    assert names(tmp_path) == ["taken"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
def test_what_is_no_file_is_written_to(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    place(tmp_path / "pipe", b"content")
    assert os.read(reader, 100) == b"content" and names(tmp_path) == ["pipe"]
    os.close(reader)


def test_a_block_that_fails_or_writes_nothing_leaves_nothing(tmp_path):
    file = tmp_path / "a.pt"
    with beside(file) as new:
        assert new.name.startswith(".a.pt.") and new.name.endswith(SUFFIX)
    assert names(tmp_path) == []
    with pytest.raises(ZeroDivisionError), beside(file) as new:
        new.write_bytes(b"half")
        raise ZeroDivisionError
    assert names(tmp_path) == []
    with beside(file) as new:
        new.write_bytes(b"whole")
    assert names(tmp_path) == ["a.pt"] and file.read_bytes() == b"whole"
