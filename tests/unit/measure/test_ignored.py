import pytest
import torch
from torch import nn

import initcheck
from initcheck.measure.gradient.ignored import argument_tensors, ignored_arguments


def x(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


class Two(nn.Module):
    def __init__(self, mode):
        super().__init__()
        self.first, self.second, self.head, self.mode = nn.Linear(8, 8), nn.Linear(8, 8), nn.Linear(8, 4), mode

    def forward(self, x, extra, steps=None):
        hidden = torch.tanh(self.first(x))
        if self.mode == "used":
            hidden = hidden + self.second(extra)
        elif self.mode == "shape":
            hidden = hidden + self.second(torch.zeros_like(extra))
        elif self.mode == "random":
            hidden = hidden + torch.randn_like(extra)
        return self.head(hidden)


@pytest.mark.parametrize(("mode", "expected"), [("used", ()), ("shape", ("extra",)), ("unused", ("extra",)), ("random", ())])
def test_arguments_that_change_nothing(mode, expected):
    model, given = Two(mode), (x(6, 8), x(6, 8))
    before = [tensor.clone() for tensor in given]
    named = argument_tensors(model, given, {"steps": torch.arange(6)})
    assert set(named) == {"x", "extra", "steps"}
    assert ignored_arguments(named, lambda: [model(*given)], 0) == expected
    assert all(map(torch.equal, given, before))


@pytest.mark.parametrize(("mode", "expected"), [("used", []), ("unused", ["info"]), ("shape", ["info"]), ("random", [])])
def test_one_of_two_inputs_is_an_info(mode, expected):
    report = initcheck.check(Two(mode), (x(6, 8), x(6, 8)), select=("input-ignored",))
    assert not report.all_failures
    assert [finding.severity for finding in report.findings] == expected


def test_a_table_of_positions_may_use_the_shape_alone():
    class Positions(nn.Module):
        def __init__(self):
            super().__init__()
            self.table = nn.Embedding(32, 8)

        def forward(self, x):
            return self.table(torch.arange(x.shape[1]))

    report = initcheck.check(Positions(), x(4, 16, 8), select=("input-ignored",))
    assert [finding.severity for finding in report.findings] == ["info"]
