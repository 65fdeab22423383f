"""A notebook as Python source: what only IPython understands goes, the lines stay where they were."""

import json

import pytest

from initcheck.errors import TargetError
from initcheck.source import notebook
from tests.unit.source.books import notebook as book


def lines(cell):
    (only,) = notebook.parse(book(cell), "a.ipynb").cells
    assert len(only.python) == len(only.written)
    return list(only.python), only.problem


@pytest.mark.parametrize(
    ("cell", "python"),
    [
        ("%matplotlib inline\nimport torch", ["", "import torch"]),
        ("!pip install torch\nx = 1", ["", "x = 1"]),
        ("x = 1\nx?\n?x\nx??", ["x = 1", "", "", ""]),
        ("if True:\n    %cd data\n    x = 1", ["if True:", "    pass", "    x = 1"]),
        ("if True:\n    !ls", ["if True:", "    pass"]),
        ("%time net = build()", ["net = build()"]),
        ("%timeit build()", [""]),
        ("%%time\nnet = build()", ["", "net = build()"]),
        ("%%capture out\n!pip install x\nnet = build()", ["", "", "net = build()"]),
        ("%%bash\npip install torch\nls | wc", ["", "", ""]),
        ("%%writefile net.py\nimport torch", ["", ""]),
        ("names = !ls *.py", ["names = get_ipython().getoutput('ls *.py')"]),
        ("here = %pwd", ["here = get_ipython().magic('pwd')"]),
    ],
)
def test_what_only_ipython_understands(cell, python):
    assert lines(cell) == (python, "")


@pytest.mark.parametrize(
    "cell",
    [
        'text = """\n%matplotlib inline\n!ls\n"""',
        "rest = (7\n    % 4)",
        "rest = 7 \\\n    % 4",
        "a = b != 3\nc = a == 4",
        "words = {\n'a': 1,  # (\n'b%': 2}",
    ],
)
def test_python_stays_as_it_is(cell):
    assert lines(cell) == (cell.split("\n"), "")
    with_magic = f"{cell}\n%matplotlib inline"
    assert lines(with_magic) == ([*cell.split("\n"), ""], "")


def test_a_cell_that_is_no_python_is_left_out_alone():
    read = notebook.parse(book("import torch", "x = = 1", "y = 2"), "a.ipynb")
    assert [cell.problem for cell in read.cells] == ["", "line 1: invalid syntax", ""]
    assert read.text == "import torch\n\ny = 2\n"


def test_cells_are_numbered_as_they_are_seen():
    read = notebook.parse(book(("# Title",), "a = 1\nb = 2", ("prose",), "", "c = 3"), "a.ipynb")
    assert [(cell.number, cell.first) for cell in read.cells] == [(2, 1), (4, 3), (5, 4)]
    assert [read.at(line).number for line in (1, 2, 3, 4)] == [2, 2, 4, 5]
    assert read.at(5) is None


def test_the_format_before_this_one():
    old = {"worksheets": [{"cells": [{"cell_type": "code", "input": ["a = 1\n", "b = 2"]}]}], "metadata": {}, "nbformat": 3}
    assert notebook.parse(json.dumps(old).encode(), "a.ipynb").text == "a = 1\nb = 2\n"


@pytest.mark.parametrize("data", [b"", b"\x80\x02", b"{}", b"[]", b'{"cells": 3}', b'{"cells": [{}]}', b"[" * 100_000, b"null"])
def test_what_is_no_notebook(data):
    with pytest.raises(TargetError) as caught:
        notebook.parse(data, "a.ipynb")
    assert caught.value.name == "not-python"


def test_another_language_is_named():
    with pytest.raises(TargetError, match="a notebook in julia"):
        notebook.parse(book("x = 1", language="julia"), "a.ipynb")
