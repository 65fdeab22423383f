from __future__ import annotations

import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from initcheck.report.fold import fold


def numbers(text):
    """The numbers that the inside of a pair of braces means, or None when it holds words."""
    parts = text.split(",")
    if not all(re.fullmatch(r"\d+(\.\.\d+)?", part) for part in parts):
        return None
    if len(parts) == 2 and ".." in parts[1] and ".." not in parts[0]:
        first, (second, last) = int(parts[0]), map(int, parts[1].split(".."))
        return list(range(first, last + 1, second - first))
    found = []
    for part in parts:
        low, _, high = part.partition("..")
        found += range(int(low), int(high or low) + 1)
    return found


def unfold(text):
    names = []
    for group in re.split(r", ", text) if text else []:
        pieces = re.split(r"\{([^{}]*)\}", group)
        choices = [[piece] if index % 2 == 0 else (numbers(piece) or piece.split(",")) for index, piece in enumerate(pieces)]
        names += ["".join(map(str, choice)) for choice in itertools.product(*choices)]
    return names


@pytest.mark.parametrize(
    ("names", "folded"),
    [
        (["head.weight"], "head.weight"),
        (["head.weight", "head.bias"], "head.{weight,bias}"),
        ([f"body.{n}.weight" for n in range(2, 18, 2)], "body.{2,4..16}.weight"),
        ([f"body.{n}.weight" for n in range(12)], "body.{0..11}.weight"),
        (["body.0.weight", "body.5.weight", "body.10.weight"], "body.{0,5,10}.weight"),
        (["fc1.weight", "fc2.weight", "fc3.weight"], "fc{1..3}.weight"),
        ([f"layer{i}.{j}.conv{k}.weight" for i in range(1, 5) for j in (0, 1) for k in (1, 2)], "layer{1..4}.{0,1}.conv{1,2}.weight"),
        ([f"body.{n}.weight" for n in (0, 4, 5, 6, 7, 8)], "body.{4..8,0}.weight"),
        (["a.weight", "b.0.weight", "b.1.weight", "a.bias"], "a.{weight,bias}, b.{0,1}.weight"),
        (["block_01.weight", "block_02.weight"], "block_01.weight, block_02.weight"),
        (["odd, name.weight"], "odd, name.weight"),
        ([], ""),
    ],
)
def test_fold(names, folded):
    assert fold(names) == folded


def test_a_limit_counts_the_rest():
    assert fold(["a.x", "b.x", "c.x", "d.x"], limit=2) == "a.x, b.x and 2 more"


names = st.lists(
    st.builds(
        ".".join,
        st.lists(
            st.one_of(st.sampled_from(["body", "conv", "weight", "bias", "fc1", "h_2"]), st.integers(0, 30).map(str)),
            min_size=1,
            max_size=4,
        ),
    ),
    max_size=25,
)


@given(names)
def test_nothing_is_lost_and_nothing_is_added(given_names):
    assert sorted(unfold(fold(given_names))) == sorted(set(given_names))


@given(st.sets(st.integers(0, 20), min_size=1))
def test_every_set_of_numbers_reads_back(chosen):
    assert sorted(unfold(fold(f"m.{n}.w" for n in chosen))) == sorted(f"m.{n}.w" for n in chosen)
