"""Where parameters were registered, and what became of ties."""

import copy

import pytest
import torch
from torch import nn
from torch.nn.modules import module as hooks

from initcheck.construct.recording.recorder import Recorder


def pair(tie=True):
    model = nn.ModuleDict({"one": nn.Linear(4, 4), "two": nn.Linear(4, 4)})
    if tie:
        model.two.weight = model.one.weight
    return model


def untied(build):
    with Recorder() as recorder:
        model = build()
    return recorder.resolve(model).untied


def names(build):
    return [(found.first, found.second) for found in untied(build)]


def assigned():
    model = pair()
    model["one"].weight = nn.Parameter(torch.ones(4, 4))
    return model


def replaced():
    model = pair()
    model["two"] = nn.Linear(4, 4)
    return model


def replaced_around():
    model = nn.Sequential(nn.ModuleList([nn.Linear(4, 4)]), nn.ModuleList([nn.Linear(4, 4)]))
    model[1][0].weight = model[0][0].weight
    model[1] = nn.ModuleList([nn.Linear(4, 4)])
    return model


def emptied():
    with torch.device("meta"):
        model = pair()
    return model.to_empty(device="cpu")


def loaded():
    model = pair()
    model.load_state_dict({name: tensor.clone() for name, tensor in model.state_dict().items()}, assign=True)
    return model


@pytest.mark.parametrize("build", [assigned, replaced, emptied, loaded])
def test_a_tie_that_broke(build):
    assert names(build) == [("one.weight", "two.weight")]


def test_a_tie_inside_a_replaced_part():
    assert names(replaced_around) == [("0.0.weight", "1.0.weight")]


def test_lines():
    (found,) = untied(assigned)
    assert found.tied.function == "pair"
    assert found.broken.function == "assigned"


def smaller():
    model = pair()
    model["two"] = nn.Linear(4, 3)
    return model


def again():
    model = replaced()
    model["two"].weight = model["one"].weight
    return model


def parametrized():
    model = pair(tie=False)
    nn.utils.parametrizations.weight_norm(model["two"])
    return model


@pytest.mark.parametrize("build", [pair, lambda: pair(tie=False), lambda: copy.deepcopy(pair()), smaller, again, parametrized])
def test_no_broken_tie(build):
    assert names(build) == []


def test_declared_ties():
    class Declares(nn.Module):
        def __init__(self):
            super().__init__()
            self.table = nn.Embedding(5, 4)
            self.head = nn.Linear(4, 5, bias=False)
            self.all_tied_weights_keys = {"head.weight": "table.weight"}

    (found,) = untied(Declares)
    assert (found.first, found.second, found.declared, found.tied) == ("table.weight", "head.weight", True, None)


def test_the_hooks_are_gone_afterwards():
    tables = hooks._global_parameter_registration_hooks, hooks._global_module_registration_hooks
    before = [dict(table) for table in tables]
    with pytest.raises(ZeroDivisionError), Recorder():
        assert all(len(table) == len(old) + 1 for table, old in zip(tables, before, strict=True))
        1 / 0  # noqa: B018
    assert [dict(table) for table in tables] == before
