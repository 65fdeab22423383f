"""Classes as people write them, built although nobody says with which arguments."""

import importlib
import pkgutil
import warnings

import pytest
import torch

from initcheck.construct.arguments.expression import make
from tests.unit.construct.arguments import cases

CASES = [
    (item.name, expression)
    for item in pkgutil.iter_modules(cases.__path__)
    for expression in importlib.import_module(f"{cases.__name__}.{item.name}").EXPRESSIONS
]


def in_turn(thunk):
    with torch.random.fork_rng(devices=[]):
        return thunk()


@pytest.mark.parametrize(("name", "expression"), CASES, ids=[f"{name}-{expression}" for name, expression in CASES])
def test_is_built_and_says_what_it_guessed(name, expression):
    module = importlib.import_module(f"{cases.__name__}.{name}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = make(expression, vars(module), {}, in_turn)
    assert isinstance(made.value, torch.nn.Module)
    assert sum(parameter.numel() for parameter in made.value.parameters()) > 0
    assert all(parameter.numel() for parameter in made.value.parameters())
    assert "..." not in made.text
    for guess in made.guessed:
        assert guess.split("=", 1)[1].strip("[]") in made.text
