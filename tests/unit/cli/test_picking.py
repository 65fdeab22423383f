"""`-k` and `--lf`: which targets are left."""

import pytest

from initcheck.cache import Cache
from initcheck.cli.context import Console
from initcheck.cli.picking import Flow, matching, picked
from initcheck.errors import NothingToCheck, UsageError
from initcheck.records.settings import Settings
from initcheck.records.target import Target

NAMES = ["enc.py::Encoder", "enc.py::Decoder", "vit.py::ViT(depth=2)"]
TARGETS = [Target(name, name.partition("::")[0], name.partition("::")[2], "class") for name in NAMES]


@pytest.mark.parametrize(
    ("expression", "places"),
    [
        ("encoder", [0]),
        ("ENC.PY", [0, 1]),
        ("enc and not decoder", [0]),
        ("decoder or vit.py::ViT", [1, 2]),
        ("not (encoder or decoder)", [2]),
        ("not encoder and enc", [1]),
        ("enc and encoder or vit", [0, 2]),
        ("not not vit", [2]),
    ],
)
def test_expressions(expression, places):
    assert [place for place, name in enumerate(NAMES) if matching(expression)(name)] == places


@pytest.mark.parametrize("expression", ["", "and", "a or", "(a", "a)", "not", "a b", "( )"])
def test_expressions_without_a_meaning(expression):
    with pytest.raises(UsageError, match="-k"):
        matching(expression)


def test_a_name_that_fits_nothing():
    with pytest.raises(NothingToCheck, match="fits none of 3 models"):
        picked(TARGETS, Settings(), Flow("resnet"), Console())


def test_the_last_failed_are_left_or_all(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert picked(TARGETS, Settings(), Flow(last_failed=True), Console()) == TARGETS
    assert "all of it is checked" in capsys.readouterr().err
    Cache(Settings(), 1).remember(frozenset({NAMES[1]}), frozenset())
    assert picked(TARGETS, Settings(), Flow(last_failed=True), Console()) == [TARGETS[1]]
    assert picked(TARGETS, Settings(), Flow("vit", last_failed=True), Console()) == [TARGETS[2]]
