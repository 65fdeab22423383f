"""Copies of arguments and of a model's state."""

from collections import UserDict, namedtuple
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from initcheck.construct.program.copying import State, Weights, affordable_rows, copied, first_rows

Pair = namedtuple("Pair", "x y")


def test_tensors_in_containers_and_objects_are_copied():
    leaf = torch.ones(2, requires_grad=True)
    inner = leaf * 2
    value = {"a": [leaf, inner], "pair": Pair(leaf, 3), "batch": UserDict(x=inner), "space": SimpleNamespace(x=leaf, name="n")}
    twin = copied(value)
    with torch.no_grad():
        leaf.fill_(7)
    assert [one.tolist() for one in twin["a"]] == [[1, 1], [2, 2]]
    assert [one.requires_grad for one in twin["a"]] == [True, False]
    assert twin["pair"].x.tolist() == [1, 1] and twin["pair"].y == 3
    assert isinstance(twin["batch"], UserDict) and twin["batch"]["x"].grad_fn is None
    assert value["batch"]["x"] is inner
    assert twin["space"].x.tolist() == [1, 1] and value["space"].x is leaf


def test_packed_sequences_are_copied():
    packed = nn.utils.rnn.pack_sequence([torch.ones(3, 2), torch.ones(1, 2)])
    twin = copied(packed)
    packed.data.zero_()
    assert twin.data.sum() == 8


def test_what_refuses_to_be_copied_is_handed_on():
    class Stubborn:
        def __copy__(self):
            raise TypeError

    value = Stubborn()
    assert copied(value) is value


@pytest.mark.parametrize(
    ("arguments", "rows"),
    [
        (torch.zeros(64, 3, 32, 32), (64, 64)),
        (torch.zeros(256, 3, 224, 224, device="meta"), (256, 16)),
        (torch.zeros(64, 512, dtype=torch.long), (64, 8)),
        ((torch.zeros(256, 3, 224, 224, device="meta"), torch.zeros(1, 256, 8)), (0, 0)),
        ((torch.zeros(2, 3, 4000, 4000, device="meta"),), (2, 2)),
        ((), (0, 0)),
    ],
)
def test_how_much_of_a_batch_is_enough(arguments, rows):
    assert affordable_rows(arguments, {}) == rows


def test_the_first_rows_of_everything():
    x, scale = torch.arange(8.0), torch.tensor(2.0)
    part = first_rows({"x": [x, Pair(x, scale)], "n": 8}, 8, 3)
    assert part["x"][0].tolist() == [0, 1, 2] and part["x"][1].x.tolist() == [0, 1, 2]
    assert part["x"][1].y is scale and part["n"] == 8


def test_a_model_gets_back_its_buffers_attributes_and_weights():
    class Counting(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm, self.cache, self.calls = nn.BatchNorm1d(2), None, 0

        def forward(self, x):
            self.cache, self.other, self.calls = x, [x], self.calls + 1
            return self.norm(x)

    model = Counting()
    state, weights = State(model), Weights(model)
    model(torch.randn(4, 2) + 5)
    with torch.no_grad():
        model.norm.weight.fill_(float("nan"))
    state.restore()
    weights.restore()
    assert model.cache is None and not hasattr(model, "other") and model.calls == 1
    assert model.norm.running_mean.tolist() == [0, 0] and model.norm.num_batches_tracked == 0
    assert model.norm.weight.tolist() == [1, 1]
