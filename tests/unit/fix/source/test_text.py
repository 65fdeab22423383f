import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from initcheck.fix.source.diff import change_of
from initcheck.fix.source.text import Change, Source, applied, conflicted, decoded, edits_between, in_order
from tests.mending import HAS_GIT, git


def test_positions_count_characters_not_bytes():
    source = Source.of("a.py", "größe = 1; b = größe  # ä\r\nc = b\r\n".encode())
    names = [node for node in ast.walk(source.tree) if isinstance(node, ast.Name)]
    assert {source.segment(node) for node in names} == {"größe", "b", "c"}
    assert source.newline == "\r\n" and source.line(1) == "größe = 1; b = größe  # ä"


@pytest.mark.parametrize("head", [b"\xef\xbb\xbf", b"# -*- coding: latin-1 -*-\n", b""])
def test_bytes_come_back_as_they_were(head):
    data = head + ("x = 'é'\r\ny = 2" if b"latin" not in head else "x = 'é'\r\ny = 2").encode("latin-1" if b"latin" in head else "utf-8")
    source = Source.of("a.py", data)
    assert source.replaced([]) == data
    last = len(source.starts)
    assert source.replaced([source.after_line(last, ["z = 3"])]) == data + source.newline.encode() + b"z = 3"


def test_overlapping_changes_are_refused_and_insertions_at_one_place_joined():
    with pytest.raises(ValueError, match="same place"):
        in_order([Change(0, 4, ""), Change(3, 5, "")])
    assert applied("abc", in_order([Change(1, 1, "X"), Change(1, 1, "Y"), Change(0, 1, "A")])) == "AXYbc"


def test_style_is_read_from_the_file():
    source = Source.of("a.py", b"class A:\n\tdef f(self):\n\t\treturn 'a', 'b', \"c\"\n")
    assert source.unit == "\t" and source.quote == "'"


def test_conflicts_are_seen_and_lines_of_signs_are_none():
    assert conflicted(b"a\n<<<<<<< HEAD\nb\n=======\nc\n>>>>>>> x\n")
    assert not conflicted(b"title\n=======\n'<<<<<<<'\n")


_TEXT = st.lists(st.sampled_from(["a\n", "b\r\n", "\n", "c\r", "ä\n", "  x\n", "d"]), max_size=12).map("".join)


@given(_TEXT, _TEXT)
def test_edits_turn_one_text_into_the_other(before, after):
    text = before
    for edit in reversed(edits_between("a.py", before, after)):
        text = text[: edit.start] + edit.text + text[edit.end :]
    assert text == after


@pytest.mark.skipif(not HAS_GIT, reason="needs git")
@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"a\nb", b"a\nb\nc"),
        (b"a\nb\n", b"a\nb\nc"),
        (b"a\nb", b"x\nb"),
        (b"a\r\nb\r\n", b"a\r\nc\r\nb\r\n"),
        (b"\xef\xbb\xbfa\n", b"\xef\xbb\xbfb\n"),
        (b"# coding: latin-1\n\xe9\n", b"# coding: latin-1\n\xe8\n"),
        (b"a\x0cb\rc\n" + b"x\n" * 20, b"a\x0cb\rd\n" + b"x\n" * 20 + b"y\n"),
        ("ü\n".encode(), "ö\n".encode()),
    ],
)
def test_git_makes_the_same_bytes_of_a_diff(before, after, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    name = "my nét.py"
    (tmp_path / name).write_bytes(before)
    git(tmp_path, "init", "-q")
    change = change_of(str(tmp_path / name), before, after)
    git(tmp_path, "apply", "-", data=change.diff.encode("utf-8", "surrogateescape"))
    assert (tmp_path / name).read_bytes() == after
    assert change.path == name
    assert decoded(name, before) != decoded(name, after)
