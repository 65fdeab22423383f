import json

import pytest

from initcheck.fix.source.text import Source


def book(*sources, **style):
    cells = [{"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": 1, "source": source} for source in sources]
    cells.insert(1, {"cell_type": "markdown", "metadata": {"cells": [{"source": ["x"]}]}, "source": ['# Größe \\ "quoted"\n']})
    return json.dumps({"metadata": {}, "cells": cells, "nbformat": 4, "nbformat_minor": 5}, **style)


@pytest.mark.parametrize("style", [{"indent": 1, "ensure_ascii": False}, {"indent": 2}, {}, {"separators": (",", ":")}])
@pytest.mark.parametrize("listed", [True, False])
def test_only_the_lines_of_the_touched_cell_change(style, listed):
    first, second = "a = 1\nb = 'ü'\n", "%time c = 3\nd = 4\ne = 5"
    parts = [text.splitlines(keepends=True) if listed else text for text in (first, second)]
    text = book(*parts, **style)
    source = Source.of("n.ipynb", text.encode())
    changed = source.replaced([source.after_line(4, ["x = 'é'"])]).decode()
    old, new = json.loads(text), json.loads(changed)
    assert new["cells"][:2] == old["cells"][:2]
    joined = "".join(new["cells"][2]["source"])
    assert joined == "%time c = 3\nd = 4\nx = 'é'\ne = 5"
    assert type(new["cells"][2]["source"]) is type(parts[1])
    new["cells"][2]["source"] = old["cells"][2]["source"]
    assert new == old
    start = next(index for index, (one, two) in enumerate(zip(text, changed, strict=False)) if one != two)
    end = next(index for index, (one, two) in enumerate(zip(reversed(text), reversed(changed), strict=False)) if one != two)
    assert "d = 4" in changed[start - 30 : len(changed) - end] and len(changed) - end - start < 60
    assert changed.isascii() == text.isascii()


def test_a_line_that_only_ipython_understands_is_not_touched():
    source = Source.of("n.ipynb", book(["%time c = 3\n", "d = 4"]).encode())
    with pytest.raises(ValueError, match="IPython"):
        source.replaced([source.after_line(1, ["x = 1"])])
    assert "x = 1" in source.replaced([source.before_line(2, ["x = 1"])]).decode()


def test_the_last_line_of_a_cell_can_be_followed_and_taken_out():
    source = Source.of("n.ipynb", book(["a = 1\n", "b = 2"], ["c = 3"]).encode())
    longer = json.loads(source.replaced([source.after_line(2, ["x = 1"])]))
    assert longer["cells"][0]["source"] == ["a = 1\n", "b = 2\n", "x = 1"] and longer["cells"][2]["source"] == ["c = 3"]


def test_a_byte_order_mark_stays():
    data = b"\xef\xbb\xbf" + book(["a = 1"]).encode()
    source = Source.of("n.ipynb", data)
    assert source.replaced([]) == data and source.replaced([source.after_line(1, ["b"])]).startswith(b"\xef\xbb\xbf{")
