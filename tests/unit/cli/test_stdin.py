"""A source on standard input stands for the file that it is named after."""

import io
import sys

import pytest

from initcheck.cli.stdin import received
from initcheck.discover import targets
from initcheck.errors import UsageError

SOURCE = b"from torch import nn\n\nnet = nn.Linear(2, 3)\n"


@pytest.fixture
def stdin(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(SOURCE)))


def test_the_name_stands_for_the_source(stdin):
    assert received(("-", "other.py"), "unsaved_name.py") == ("unsaved_name.py", "other.py")
    (target,) = targets.parse("unsaved_name.py")
    assert (target.spec, target.source) == ("unsaved_name.py::net", SOURCE.decode())


def test_an_object_of_it(stdin):
    assert received(("-::net",), None) == ("<stdin>::net",)
    assert targets.parse("<stdin>::net")[0].path == "<stdin>"


def test_nothing_is_read_unless_asked_for(stdin):
    assert received(("model.py",), None) == ("model.py",)
    assert sys.stdin.buffer.read() == SOURCE
    with pytest.raises(UsageError):
        received(("model.py",), "other.py")
