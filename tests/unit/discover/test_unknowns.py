"""Which names of a script only data would tell."""

import ast

import pytest

from initcheck.discover.slicer import Script, Slicer
from initcheck.discover.unknowns import rests_on_data


def rests(source, name):
    return rests_on_data(Slicer(Script(ast.parse(source)), "script.py", name), name)


@pytest.mark.parametrize(
    ("source", "name", "data"),
    [
        ("a = 1\nb = a + 2\n", "b", False),
        ("text = open('x').read()\nsize = len(text)\nhalf = size // 2\n", "half", True),
        ("b = missing + 1\n", "b", True),
        ("from lib import *\nb = missing + 1\n", "b", False),
        ("a = b\nb = a\n", "a", False),
        ("a = b\nb = a + missing\n", "a", True),
        ("def f(): return open('x')\nb = f\n", "b", False),
    ],
)
def test_the_ground_of_a_name(source, name, data):
    assert rests(source, name) is data


def test_each_name_is_looked_at_once():
    """Every step reads both names of the one before, so that there are 2^200 ways through this script."""
    steps = "".join(f"a{i} = a{i - 1} + b{i - 1}\nb{i} = a{i - 1} * b{i - 1}\n" for i in range(1, 200))
    assert not rests(f"a0 = 1\nb0 = 2\n{steps}", "a199")
    assert rests(f"a0 = missing\nb0 = 2\n{steps}", "a199")
