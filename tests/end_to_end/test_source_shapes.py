"""Sources of many shapes: each is healed by a fix, its diff gives git the same bytes, and a second fix changes nothing."""

import shutil
from pathlib import Path

import pytest

from initcheck.fix.source.text import decoded
from tests.marks import MODELS
from tests.mending import HAS_GIT, HEALS, diff_of, edited, git, mended

SHAPES = MODELS / "shapes"
NAMES = sorted(path.name for path in SHAPES.iterdir() if path.suffix in (".py", ".ipynb", ".txt")) + ["two_files/net.py"]
TORCHVISION = {"wrapped_backbone.py"}


def placed(name, folder):
    """A copy of the shape in a folder of its own, with all its files."""
    if "/" in name:
        shutil.copytree(SHAPES / name.split("/")[0], folder / name.split("/")[0])
        return folder / name
    # a source that is no UTF-8 lies under another name, since all of this repository is
    return Path(shutil.copy(SHAPES / name, folder / name.removesuffix(".txt")))


def contents(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not {".git", "__pycache__"} & set(path.parts)
    }


def test_there_are_many():
    assert len(NAMES) >= 25
    assert all(HEALS.search((SHAPES / name).read_bytes()) for name in NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_each_shape_is_healed_and_its_diff_is_the_same(name, tmp_path, tmp_path_factory, monkeypatch):
    if name in TORCHVISION:
        pytest.importorskip("torchvision")
    monkeypatch.chdir(tmp_path)
    file = placed(name, tmp_path)
    name = name.removesuffix(".txt")
    before = contents(tmp_path)
    code = HEALS.search(file.read_bytes())[1].decode()
    would = mended(name, write=False)
    assert contents(tmp_path) == before, "a diff writes nothing"
    result = mended(name)
    after = contents(tmp_path)
    assert not result.restored and not result.failed and result.written, result
    assert code in {row.code for row in result.rows if row.state != "still there"}
    assert diff_of(would) == diff_of(result)
    for change in result.files:
        old, new = before[change.path], after[change.path]
        assert edited(decoded(change.path, old), change.edits) == decoded(change.path, new)
        assert old.startswith(b"\xef\xbb\xbf") == new.startswith(b"\xef\xbb\xbf")
        assert (b"\r\n" in old) == (b"\r\n" in new) and old.endswith(b"\n") == new.endswith(b"\n")
    if HAS_GIT:
        assert applied_by_git(tmp_path_factory.mktemp("git"), before, diff_of(would)) == after
    again = mended(name)
    assert not again.files and contents(tmp_path) == after, "a second fix changes nothing"


def applied_by_git(folder, before, diff):
    for name, data in before.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    git(folder, "init", "-q")
    git(folder, "apply", "-", data=diff)
    return contents(folder)


@pytest.mark.parametrize("where", ["class", "function", "inline"])
@pytest.mark.parametrize("name", ["sequential_in_a_loop.py", "decorated.py", "tabs.py", "setattr_layers.py"])
def test_new_lines_go_where_one_wants_them(name, where, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file = placed(name, tmp_path)
    result = mended(name, unsafe=False, where=where)
    assert [row.code for row in result.rows] == ["IC209"]
    text = file.read_text(encoding="utf-8")
    if where == "function" and name in ("decorated.py", "tabs.py", "sequential_in_a_loop.py"):
        assert ("self.apply(_init_weights)" in text) == ("def _init_weights(module):" in text)
    if where == "inline":
        assert "_init_weights" not in text
    compile(text, name, "exec")
