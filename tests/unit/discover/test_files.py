"""Reading files: what is no file of Python, and what Python cannot read."""

import os

import pytest

from initcheck.discover.files import python_files, read
from initcheck.errors import TargetError


def test_a_pipe_is_no_source(tmp_path):
    (tmp_path / "a.py").write_text("x = 1\n")
    os.mkfifo(tmp_path / "b.py")
    assert python_files(tmp_path) == (str(tmp_path / "a.py"),)


def test_what_is_nested_too_deeply_is_said_so(tmp_path):
    (tmp_path / "a.py").write_text("x = " + "1 + " * 20_000 + "1\n")
    with pytest.raises(TargetError, match="nested too deeply"):
        read(str(tmp_path / "a.py"))
