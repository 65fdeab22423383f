"""Where the signal stops being finite, told from whole checks."""

import pytest
import torch
from torch import nn

import initcheck


def x(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


def non_finite(model, inputs):
    report = initcheck.check(model, inputs, select=("non-finite-signal",))
    assert not report.all_failures
    skips = [skip.reason for one in report.models for skip in one.skips if skip.code == "IC111"]
    return [(finding.parameters, finding.message) for finding in report.findings], skips


class Applied(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.before, self.after, self.function = nn.Linear(16, 16), nn.Linear(16, 4), function

    def forward(self, x):
        return self.after(self.function(self.before(x)))


@pytest.mark.parametrize(
    ("function", "op", "kind"),
    [
        (torch.log, "log", "NaN"),
        (torch.sqrt, "sqrt", "NaN"),
        (lambda z: torch.relu(z).log(), "log", "infinity"),
        (lambda z: (1e4 * z).exp(), "exp", "infinity"),
        (lambda z: z / (z - z), "div", "infinity"),
    ],
)
def test_the_first_operation_is_named(function, op, kind):
    found, _ = non_finite(Applied(function), x(8, 16))
    assert found == [(("before.weight",), f"`{op}` makes {kind} out of finite numbers")]


def test_a_layer_that_overflows_is_named_itself():
    model = nn.Sequential(*(nn.Linear(16, 16) for _ in range(4)))
    for layer in model:
        nn.init.normal_(layer.weight, std=1e15)
    ((parameters, message),), _ = non_finite(model, x(8, 16))
    assert parameters == ("2.weight",)
    assert message == "`addmm` in `2` makes infinity out of finite numbers"


@pytest.mark.parametrize("function", [torch.tanh, lambda z: torch.where(z > 0, z, -torch.inf).softmax(-1), lambda z: z.relu().sqrt()])
def test_finite_signals_and_masks_are_silent(function):
    assert non_finite(Applied(function), x(8, 16)) == ([], [])


def test_what_comes_in_with_the_input_or_a_full_mask_is_not_judged():
    given = x(8, 16)
    given[0, 0] = torch.nan
    found, skips = non_finite(Applied(torch.tanh), given)
    assert not found and "input" in skips[0]
    found, skips = non_finite(Applied(lambda z: torch.full_like(z, -torch.inf).softmax(-1) + z), x(8, 16))
    assert not found and "masked" in skips[0]


def test_a_weight_that_is_not_finite_has_its_own_rule():
    model = Applied(torch.tanh)
    with torch.no_grad():
        model.before.weight[0, 0] = torch.nan
    report = initcheck.check(model, x(8, 16))
    assert {finding.name for finding in report.at_least("warning")} == {"non-finite-weight"}
