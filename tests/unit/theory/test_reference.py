"""The reference tables: complete, of one width, and right where they repeat a number."""

import math

import pytest

from initcheck.errors import NotKnown
from initcheck.theory.advice.recommend import PLACES, recommendation
from initcheck.theory.functions.curves import CURVES
from initcheck.theory.gains import gain_facts
from initcheck.theory.reference import TABLES, gain_table, markdown, recommendation_table
from initcheck.theory.schemes import SCHEMES


@pytest.mark.parametrize("name", TABLES)
def test_tables_are_rectangular_and_full(name):
    title, make = TABLES[name]
    head, *rows = make()
    assert title and rows
    assert {len(row) for row in rows} == {len(head)}
    text = markdown(make())
    assert len(text.splitlines()) == len(rows) + 2


def test_every_nonlinearity_has_its_row():
    head, *rows = gain_table()
    assert len(rows) == len(CURVES)
    gelu = dict(zip(head, next(row for row in rows if row[0] == "gelu"), strict=True))
    assert gelu["fwd"] == f"{gain_facts('gelu').forward_gain:.3f}"
    assert gelu["torch"] == "missing"
    selu = dict(zip(head, next(row for row in rows if row[0] == "selu"), strict=True))
    assert selu["torch"] == "0.75 χ₁ 1"


def test_every_place_has_its_row():
    titles = [row[0] for row in recommendation_table()]
    assert len(titles) == len(set(titles))
    for place in PLACES:
        assert place.title in titles
        assert recommendation(place.word) == place.advice
        assert place.advice.reason and place.advice.source


def test_words_of_places_are_no_roles():
    words = [place.word for place in PLACES]
    assert len(words) == len(set(words))
    assert not set(words) & set(CURVES)


def test_scheme_names_are_unique():
    names = [one.name for one in SCHEMES]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("role", sorted(CURVES))
def test_every_recommended_gain_is_accepted(role):
    try:
        facts = gain_facts(role)
        lowest, highest = facts.lowest, facts.highest
    except NotKnown:
        assert recommendation(role).call is None
        return
    gain = recommendation(role).gain
    assert gain is not None and lowest - 1e-4 <= gain <= highest + 1e-4
    assert not math.isnan(gain)


def test_torchs_gain_for_tanh_makes_gradients_grow():
    head, *rows = gain_table()
    tanh = dict(zip(head, next(row for row in rows if row[0] == "tanh"), strict=True))
    assert tanh["torch"] == "1.667 χ₁ 1.21"
