"""Predicted distributions against what torch draws."""

import inspect
import math

import pytest
import torch
from torch import nn

from initcheck.records.fact import Known, Unknown
from initcheck.records.recording import InitCall, ParameterRecord, Write
from initcheck.theory.calls.predict import predicted, predicted_of, understood

SHAPE = (192, 160)


def spelled(name, **given):
    """The call as the recorder spells it: every argument but the tensor, defaults included."""
    defaults = {key: p.default for key, p in inspect.signature(getattr(nn.init, name)).parameters.items() if p.default is not p.empty}
    return InitCall(name, tuple({**defaults, **given}.items()))


CALLS = [
    ("uniform_", {}),
    ("uniform_", {"a": -0.3, "b": 0.1}),
    ("normal_", {}),
    ("normal_", {"mean": 0.5, "std": 0.02}),
    ("trunc_normal_", {"std": 0.02}),
    ("trunc_normal_", {"std": 2.0}),
    ("trunc_normal_", {"std": 0.02, "a": -0.04, "b": 0.04}),
    ("trunc_normal_", {"mean": 1.0, "std": 1.0, "a": 0.5, "b": 4.0}),
    ("xavier_uniform_", {}),
    ("xavier_uniform_", {"gain": 5 / 3}),
    ("xavier_normal_", {"gain": 0.5}),
    ("kaiming_uniform_", {"a": math.sqrt(5)}),
    ("kaiming_uniform_", {"nonlinearity": "relu", "mode": "fan_out"}),
    ("kaiming_normal_", {}),
    ("kaiming_normal_", {"a": 0.2}),
    ("kaiming_normal_", {"nonlinearity": "tanh"}),
    ("kaiming_normal_", {"nonlinearity": "selu"}),
    ("kaiming_normal_", {"nonlinearity": "linear", "mode": "fan_out"}),
    ("orthogonal_", {}),
    ("orthogonal_", {"gain": 2**0.5}),
    ("sparse_", {"sparsity": 0.9, "std": 0.1}),
    ("eye_", {}),
    ("constant_", {"val": 0.01}),
    ("zeros_", {}),
    ("ones_", {}),
]


def check(found, tensor):
    assert found is not None
    std, mean = tensor.std(correction=0).item(), tensor.mean().item()
    assert found.std == pytest.approx(std, rel=0.03, abs=1e-7)
    assert found.mean == pytest.approx(mean, rel=0.03, abs=0.03 * std + 1e-7)
    assert found.bound >= tensor.abs().max().item() * (1 - 1e-6)
    assert found.rms == pytest.approx(tensor.square().mean().sqrt().item(), rel=0.03, abs=1e-7)


@pytest.mark.parametrize("shape", [SHAPE, (48, 24, 3, 5)], ids=["matrix", "kernel"])
@pytest.mark.parametrize(("name", "given"), CALLS, ids=lambda value: str(value))
def test_torch_nn_init(name, given, shape):
    if len(shape) > 2 and name in ("eye_", "sparse_"):
        pytest.skip("matrices only")
    torch.manual_seed(1)
    check(predicted(spelled(name, **given), shape), getattr(nn.init, name)(torch.empty(shape), **given))


@pytest.mark.parametrize(("shape", "groups"), [((8, 16, 3, 3), 1), ((16, 8, 3), 2), ((12, 4, 5), 3)])
def test_dirac(shape, groups):
    check(predicted(spelled("dirac_", groups=groups), shape), nn.init.dirac_(torch.empty(shape), groups))


def test_families():
    expected = {
        ("normal_",): "normal",
        ("uniform_",): "uniform",
        ("eye_",): "identity",
        ("orthogonal_",): "orthogonal",
        ("zeros_",): "constant",
        ("xavier_uniform_",): "uniform",
        ("kaiming_normal_",): "normal",
    }
    assert {(name,): predicted(spelled(name), SHAPE).family for (name,) in expected} == expected
    assert predicted(spelled("trunc_normal_", std=0.02), SHAPE).family == "normal"
    assert predicted(spelled("trunc_normal_", std=2.0), SHAPE).std == pytest.approx(1.08, abs=0.005)


def step(name, **kwargs):
    return InitCall(name, tuple(kwargs.items()))


LINEAGES = {
    "randn * .02": ((step("randn"), step("mul", other=0.02)), lambda: torch.randn(SHAPE) * 0.02),
    "rand * 2 - 1": ((step("rand_like"), step("mul", other=2), step("sub", other=1, alpha=1)), lambda: torch.rand(SHAPE) * 2 - 1),
    "randn / 8 + 1": ((step("randn"), step("div", other=8.0), step("add", other=1, alpha=1)), lambda: torch.randn(SHAPE) / 8 + 1),
    "empty.normal_": ((step("empty"), step("normal_", mean=0, std=0.3), step("neg")), lambda: -torch.empty(SHAPE).normal_(0, 0.3)),
    "raw uniform_": ((step("uniform_", **{"from": -0.1, "to": 0.1}),), lambda: torch.empty(SHAPE).uniform_(-0.1, 0.1)),
    "truncated by hand": (
        (
            step("uniform_", **{"from": -0.9545, "to": 0.9545}),
            step("erfinv_"),
            step("mul_", other=0.02 * 2**0.5),
            step("clamp_", min=-0.04, max=0.04),
        ),
        lambda: torch.empty(SHAPE).uniform_(-0.9545, 0.9545).erfinv_().mul_(0.02 * 2**0.5).clamp_(-0.04, 0.04),
    ),
    "scaled orthogonal": ((step("orthogonal_", gain=1), step("mul", other=0.1)), lambda: nn.init.orthogonal_(torch.empty(SHAPE)) * 0.1),
    "full": ((step("full", fill_value=0.25),), lambda: torch.full(SHAPE, 0.25)),
}


@pytest.mark.parametrize("name", LINEAGES)
def test_lineages(name):
    lineage, make = LINEAGES[name]
    torch.manual_seed(2)
    source = next(call for call in lineage if understood(call))
    check(predicted(source, SHAPE, lineage), make())


def test_a_helper_is_known_by_what_it_did():
    lineage = (step("uniform_", **{"from": -1.0, "to": 1.0}), step("mul_", other=0.5))
    found = predicted(step("my_special_"), SHAPE, lineage)
    assert found is not None
    assert (found.family, found.bound) == ("uniform", 0.5)
    assert predicted(step("my_special_"), SHAPE) is None


def test_inner_arithmetic_of_torchs_functions_is_not_applied_twice():
    inner = (step("uniform_", **{"from": -0.1, "to": 0.1}),)
    assert predicted(spelled("xavier_uniform_"), SHAPE, inner) == predicted(spelled("xavier_uniform_"), SHAPE)


@pytest.mark.parametrize(
    "call",
    [
        step("poisson_"),
        step("normal_", mean=0.0, std="a tensor"),
        step("kaiming_normal_", nonlinearity="gelu"),
        step("constant_"),
    ],
)
def test_what_is_not_understood_is_not_guessed(call):
    assert predicted(call, SHAPE) is None


def test_shapes_that_a_scheme_cannot_take():
    assert predicted(spelled("xavier_normal_"), (5,)) is None
    assert predicted(spelled("orthogonal_"), (5,)) is None
    assert predicted(spelled("kaiming_normal_"), (0, 5)) is None
    assert predicted(spelled("normal_"), ()) is not None


@pytest.mark.parametrize("after", [step("exp"), step("clamp_", min=-0.5, max=0.5), step("mul", other="weight"), step("erfinv")])
def test_steps_that_change_the_law_end_the_prediction(after):
    assert predicted(step("randn"), SHAPE, (step("randn"), after)) is None


def record(*writes):
    return ParameterRecord("w", SHAPE, "float32", True, "", "Linear", tuple(writes))


def test_later_rescalings_count():
    full = Write("w", Known(spelled("normal_")), Unknown(""), "user")
    halved = Write("w", Known(step("mul_", other=0.5)), Unknown(""), "user", "partial")
    other = Write("w", Known(step("zero_")), Unknown(""), "user", "partial")
    assert predicted_of(record(full)).std == 1.0
    assert predicted_of(record(full, halved, halved)).std == 0.25
    assert predicted_of(record(halved, full)).std == 1.0
    drawn = Write("w", Known(step("uniform_", **{"from": -0.9, "to": 0.9})), Unknown(""), "user")
    inverted = Write("w", Known(step("erfinv_")), Unknown(""), "user", "partial")
    torch.manual_seed(0)
    check(predicted_of(record(drawn, inverted, halved)), torch.empty(SHAPE).uniform_(-0.9, 0.9).erfinv_().mul_(0.5))
    assert predicted_of(record(full, other)) is None
    assert predicted_of(record()) is None
    assert predicted_of(record(Write("w", Unknown("read from a file"), Unknown(""), "loaded"))) is None
