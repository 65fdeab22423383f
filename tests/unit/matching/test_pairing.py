"""Stored names find their places by what they have in front, by what the user says, and by nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from initcheck.errors import UsageError
from initcheck.matching.pairing import paired
from initcheck.matching.renaming import parsed, renamed, suggested
from initcheck.records.arrival import Rename

MODEL = {
    "body.0.weight": (32, 16),
    "body.0.bias": (32,),
    "body.2.weight": (32, 32),
    "body.2.bias": (32,),
    "head.weight": (4, 32),
    "head.bias": (4,),
}
PREFIXES = ("module.", "_orig_mod.", "model.", "backbone.", "net.encoder.", "a.b.c.")


def under(prefix, names=MODEL):
    return {prefix + name: shape for name, shape in names.items()}


@pytest.mark.parametrize("prefix", PREFIXES)
def test_a_prefix_too_many(prefix):
    found = paired(MODEL, under(prefix))
    assert found.pairs == {name: prefix + name for name in MODEL}
    assert (found.change.strip, found.change.add) == (prefix, "")
    assert not found.missing and not found.unexpected and not found.mismatched


@pytest.mark.parametrize("prefix", PREFIXES)
def test_a_prefix_too_few(prefix):
    found = paired(under(prefix), MODEL)
    assert found.pairs == {prefix + name: name for name in MODEL}
    assert found.change.add == prefix


def test_one_prefix_in_the_place_of_another():
    found = paired(under("encoder."), under("module.backbone."))
    assert len(found.pairs) == len(MODEL)
    assert (found.change.strip, found.change.add) == ("module.backbone.", "encoder.")


def test_a_prefix_that_only_a_part_has():
    stored = {
        **under("backbone.", {name: shape for name, shape in MODEL.items() if name.startswith("body")}),
        "head.weight": (4, 32),
        "head.bias": (4,),
    }
    assert len(paired(MODEL, stored).pairs) == len(MODEL)


def test_two_places_are_not_guessed():
    """A momentum encoder and its query: the file fits both, so that the user has to say which."""
    found = paired({**under("query."), **under("key.")}, MODEL)
    assert not found.pairs
    assert {change.add for change in found.undecided} == {"query.", "key."}
    chosen = paired({**under("query."), **under("key.")}, MODEL, parsed(["=query"]))
    assert set(chosen.pairs) == set(under("query."))


def test_names_as_they_are_come_first():
    nested = {**MODEL, **under("copy.")}
    assert paired(nested, MODEL).pairs == {name: name for name in MODEL}


def test_another_shape_is_a_mismatch_and_not_a_loss():
    found = paired(MODEL, {**MODEL, "head.weight": (1000, 32), "head.bias": (1000,)})
    assert set(found.mismatched) == {"head.weight", "head.bias"}
    assert not found.missing and not found.unexpected


def test_names_of_old():
    found = paired({"norm.weight": (8,), "norm.bias": (8,)}, {"norm.gamma": (8,), "norm.beta": (8,)})
    assert found.pairs == {"norm.weight": "norm.gamma", "norm.bias": "norm.beta"}


def test_a_renamed_head_is_offered_and_not_done():
    stored = {name.replace("head", "classifier"): shape for name, shape in MODEL.items()}
    found = paired(MODEL, stored)
    assert found.missing == ("head.weight", "head.bias") and found.unexpected == ("classifier.weight", "classifier.bias")
    assert found.renames == (Rename("classifier", "head", 2),)
    assert len(paired(MODEL, stored, parsed(["classifier=head"])).pairs) == len(MODEL)


def test_a_head_of_another_shape_is_not_offered():
    stored = {"body.0.weight": (32, 16), "classifier.weight": (1000, 32)}
    assert paired(MODEL, stored).renames == ()


def test_two_equal_places_are_not_offered():
    missing = {"left.weight": (4, 4), "right.weight": (4, 4)}
    assert suggested(missing, {"old.weight": (4, 4)}) == ()


def test_repeated_layers_are_offered_in_one():
    missing = {f"blocks.{i}.mlp.up.weight": (8, 4 + i) for i in range(3)}
    unexpected = {f"layers.{i}.fc1.weight": (8, 4 + i) for i in range(3)}
    (rename,) = suggested(missing, unexpected)
    assert str(rename) in ("layers.*.fc1=blocks.*.mlp.up", "layers.*=blocks.*", "layers=blocks")
    assert rename.tensors == 3


@pytest.mark.parametrize(
    ("text", "key", "name"),
    [
        ("classifier=head", "classifier.weight", "head.weight"),
        ("classifier=head", "classifiers.weight", "classifiers.weight"),
        ("encoder.=", "encoder.0.weight", "0.weight"),
        ("=model", "0.weight", "model.0.weight"),
        ("layers.*.fc1=blocks.*.up", "layers.11.fc1.bias", "blocks.11.up.bias"),
        ("a.b=c", "a.b", "c"),
    ],
)
def test_renames(text, key, name):
    assert renamed(key, parsed([text])) == name


@pytest.mark.parametrize("text", ["head", "=", "a.*=b", "*=*.*"])
def test_renames_that_mean_nothing(text):
    with pytest.raises(UsageError, match="--rename"):
        parsed([text])


NAMES = st.dictionaries(
    st.lists(st.sampled_from(["a", "b", "layers", "0", "1", "weight", "bias"]), min_size=1, max_size=4).map(".".join),
    st.tuples(st.integers(1, 4), st.integers(1, 4)),
    max_size=12,
)


@given(NAMES, NAMES)
def test_every_tensor_is_told_once(model, stored):
    found = paired(model, stored)
    assert sorted([*found.pairs, *found.mismatched, *found.missing]) == sorted(model)
    used = [*found.pairs.values(), *found.mismatched.values(), *found.unexpected]
    assert len(used) == len(set(used)) <= len(stored)
    assert all(model[name] == stored[key] for name, key in found.pairs.items())
    assert all(model[name] != stored[key] for name, key in found.mismatched.items())


@given(NAMES)
def test_a_model_takes_its_own_weights(model):
    assert paired(model, model).pairs == {name: name for name in model}
