"""What each place asks for, and the points at which deep stretches keep their moments."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from initcheck.advice.deep import DEEP, critical_start, deep_layers
from initcheck.advice.places import Places
from initcheck.advice.start import on_layer, spelled
from initcheck.errors import NotKnown
from initcheck.records.evidence import Chain, Evidence, Layer, Nonlinearity
from initcheck.records.fact import Known
from initcheck.records.recording import InitCall, Recording
from initcheck.records.target import Target
from initcheck.theory.mean_field import chi_1, length_map

CURVES = ("tanh", "gelu", "gelu_tanh", "silu", "selu", "elu", "mish", "softsign", "hardtanh", "hardswish")
XAVIER = InitCall("xavier_uniform_", (("gain", 1.0),))
HE = InitCall("kaiming_normal_", (("a", 0.0), ("mode", "fan_in"), ("nonlinearity", "relu")))


def layer(weight="a.weight", role="relu", shape=(64, 64), **more):
    fans = {"fan_in": Known(shape[1]), "fan_out": Known(shape[0]), "torch_fans": Known((shape[1], shape[0]))}
    usual = {"kind": "linear", "feeds": Known((role,)), "nonlinearity": Known(Nonlinearity(role)), "affine": Known((1.0, 0.0))}
    return Layer(weight.rpartition(".")[0], weight, shape=shape, **(usual | fans | more))


def evidence(*layers, chains=(), **more):
    return Evidence(Target("m", "", "m", "module"), Recording(()), layers, chains, (), **more)


@pytest.mark.parametrize("role", CURVES)
def test_the_critical_start_keeps_signal_and_gradient_and_is_stable(role):
    point = critical_start(Nonlinearity(role))
    gain, spread = math.sqrt(point.weight), math.sqrt(point.bias)
    assert abs(length_map(role, gain, spread, point.moment) / point.moment - 1) < 1e-6
    assert abs(chi_1(role, gain, point.moment) - 1) < 1e-6
    for start in (0.8, 1.25):
        moment = point.moment * start
        for _ in range(50):
            moment = length_map(role, gain, spread, moment)
        assert abs(math.log(moment / point.moment)) < abs(math.log(start))


@pytest.mark.parametrize("role", ["relu", "leaky_relu", "prelu"])
def test_rectifiers_keep_every_moment_without_biases(role):
    point = critical_start(Nonlinearity(role))
    assert point.bias == 0 and point.moment is None
    assert abs(length_map(role, math.sqrt(point.weight), 0.0, 3.0) - 3.0) < 1e-3


@pytest.mark.parametrize("role", ["sigmoid", "softplus", "custom:mine"])
def test_curves_without_such_a_point_say_so(role):
    with pytest.raises(NotKnown):
        critical_start(Nonlinearity(role))


@given(st.integers(2, 300), st.integers(2, 300))
def test_the_deep_start_has_the_variance_of_its_fan_whatever_the_shape(rows, columns):
    layers = [layer(f"{index}.weight", shape=(rows, columns)) for index in range(DEEP)]
    seen = evidence(*layers, chains=(Chain(tuple(one.weight for one in layers), ()),))
    assert len(deep_layers(seen)) == DEEP
    (step,) = Places(seen).start("3.weight").steps
    gain = step.call.argument("gain")
    # torch: E[w^2] = gain^2 / longer side
    assert abs(gain**2 / max(rows, columns) / (2 / columns) - 1) < 1e-3


def test_a_short_stretch_is_no_deep_one():
    layers = [layer(f"{index}.weight") for index in range(DEEP - 1)]
    seen = evidence(*layers, chains=(Chain(tuple(one.weight for one in layers), ()),))
    assert not deep_layers(seen)
    assert Places(seen).start("3.weight").scheme == "kaiming_normal_(nonlinearity='relu')"


def test_xavier_on_packed_projections_counts_each():
    packed = layer(shape=(96, 32), packed=(32, 32, 32), torch_fans=Known((32, 96)))
    (step,) = on_layer(packed, XAVIER, "").steps
    assert step.blocks == 3 and step.call == XAVIER


def test_unequal_parts_and_turned_storage_are_written_out():
    grouped = layer(shape=(64, 32), packed=(32, 16, 16), fan_out=Known(64), torch_fans=Known((32, 64)))
    (step,) = on_layer(grouped, XAVIER, "").steps
    assert step.call.name == "uniform_" and step.blocks == 1
    turned = layer(shape=(32, 64), kind="matmul", fan_in=Known(32), fan_out=Known(64), torch_fans=Known((64, 32)))
    (step,) = on_layer(turned, HE, "").steps
    assert step.call == InitCall("normal_", (("mean", 0.0), ("std", 0.25)))


@pytest.mark.parametrize(
    ("one", "scheme"),
    [
        (layer(role="tanh"), "xavier_normal_()"),
        (layer(role="selu"), "kaiming_normal_(nonlinearity='linear')"),
        (layer(role="output", nonlinearity=Known(Nonlinearity("linear"))), "kaiming_normal_(nonlinearity='linear')"),
        (layer(kind="recurrent", weight="r.weight_hh_l0", cell="lstm", blocks=4), "orthogonal_() on each of 4 blocks"),
        (layer(kind="norm"), "ones_()"),
        (layer(part="low_rank_up"), "zeros_()"),
        (layer(part="router"), "normal_(std=0.02)"),
        (layer(kind="embedding", kinds=("embedding",), feeds=Known(("residual_add",))), "normal_(std=0.02)"),
        (layer(kind="embedding", kinds=("embedding",), feeds=Known(("weight_layer",))), "normal_(std=1)"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_place_has_its_scheme(one, scheme):
    assert Places(evidence(one)).start(one.weight).scheme == scheme


def test_a_scale_used_as_one_plus_w_starts_at_zero():
    one = Layer("n", "n.weight", "norm", (8,), affine=Known((1.0, 1.0)))
    assert Places(evidence(one)).start("n.weight").scheme == "zeros_()"


def test_what_is_not_known_is_said():
    with pytest.raises(NotKnown, match="no operation"):
        Places(evidence()).start("a.weight")
    with pytest.raises(NotKnown, match="not used"):
        Places(evidence(Layer("a", "a.weight", "unused", (4, 4)))).start("a.weight")
    with pytest.raises(NotKnown, match="time constants"):
        Places(evidence(layer(part="state_decay"))).start("a.weight")


def test_calls_are_spelled_without_what_is_usual():
    assert spelled(HE) == "kaiming_normal_(nonlinearity='relu')"
    assert spelled(InitCall("uniform_", (("a", -0.5), ("b", 0.5)))) == "uniform_(a=-0.5, b=0.5)"
    assert spelled(InitCall("zeros_")) == "zeros_()"
