"""Names, families and texts of schemes."""

import math

import pytest
import torch
from torch import nn

from initcheck.errors import NotKnown
from initcheck.records.recording import InitCall
from initcheck.theory import schemes
from initcheck.theory.schemes import describe, family_of, is_torch_default, named_nonlinearity, scheme_gain


def call(name, **kwargs):
    return InitCall(name, tuple(kwargs.items()))


def kaiming(law="normal", a=0, mode="fan_in", nonlinearity="leaky_relu"):
    return call(f"kaiming_{law}_", a=a, mode=mode, nonlinearity=nonlinearity)


ROOT_5, ROOT_2 = math.sqrt(5), math.sqrt(2)


# the call, the nonlinearity named, the family, the text
@pytest.mark.parametrize(
    ("made", "named", "family", "text"),
    [
        (kaiming("uniform", a=ROOT_5), None, "default", "kaiming_uniform(a=√5)"),
        (kaiming("normal", a=ROOT_5), None, "kaiming", "kaiming_normal(a=√5)"),
        (kaiming(), "relu", "kaiming", "kaiming_normal"),
        (kaiming(nonlinearity="relu"), "relu", "kaiming", "kaiming_normal(relu)"),
        (kaiming("uniform", mode="fan_out", nonlinearity="relu"), "relu", "kaiming", "kaiming_uniform(fan_out, relu)"),
        (kaiming(a=0.2), "leaky_relu", "kaiming", "kaiming_normal(a=0.2)"),
        (kaiming(a=1), "leaky_relu", "kaiming", "kaiming_normal(a=1)"),
        (kaiming(nonlinearity="tanh"), "tanh", "kaiming", "kaiming_normal(tanh)"),
        (kaiming(nonlinearity="linear"), "linear", "lecun", "kaiming_normal(linear)"),
        (kaiming(nonlinearity="conv2d"), "linear", "lecun", "kaiming_normal(conv2d)"),
        (call("xavier_uniform_", gain=1.0), "linear", "xavier", "xavier_uniform"),
        (call("xavier_normal_", gain=5 / 3), "tanh", "xavier", "xavier_normal(gain=5/3)"),
        (call("xavier_normal_", gain=1.414), "relu", "xavier", "xavier_normal(gain=1.414)"),
        (call("xavier_normal_", gain=nn.init.calculate_gain("leaky_relu", 0.2)), "leaky_relu", "xavier", "xavier_normal(gain=1.387)"),
        (call("xavier_uniform_", gain=0.02), None, "xavier", "xavier_uniform(gain=0.02)"),
        (call("orthogonal_", gain=1), "linear", "orthogonal", "orthogonal"),
        (call("orthogonal_", gain=ROOT_2), "relu", "orthogonal", "orthogonal(gain=√2)"),
        (call("orthogonal_", gain=0.01), None, "orthogonal", "orthogonal(gain=0.01)"),
        (call("normal_", mean=0, std=0.02), None, "normal", "normal(0, 0.02)"),
        (call("uniform_", a=-0.05, b=0.05), None, "uniform", "uniform(-0.05, 0.05)"),
        (call("uniform_", **{"from": -0.05, "to": 0.05}), None, "uniform", "uniform(-0.05, 0.05)"),
        (call("trunc_normal_", mean=0.0, std=0.02, a=-2.0, b=2.0), None, "truncated", "trunc_normal(0, 0.02)"),
        (call("trunc_normal_", mean=0.0, std=2.0, a=-2.0, b=2.0), None, "truncated", "trunc_normal(0, 2, -2…2)"),
        (call("constant_", val=0.01), None, "constant", "constant(0.01)"),
        (call("fill_", value=1), None, "constant", "constant(1)"),
        (call("zeros_"), None, "constant", "zeros"),
        (call("zero_"), None, "constant", "zeros"),
        (call("eye_"), None, "identity", "eye"),
        (call("dirac_", groups=1), None, "identity", "dirac"),
        (call("sparse_", sparsity=0.9, std=0.01), None, "sparse", "sparse(0.9, 0.01)"),
        (call("lecun_normal_"), None, "lecun", "lecun_normal"),
        (call("my_init_"), None, "unknown", "my_init"),
    ],
)
def test_names(made, named, family, text):
    assert named_nonlinearity(made) == named
    assert family_of(made) == family
    assert describe(made) == text
    assert is_torch_default(made) == (family == "default")


def test_default_arguments_may_be_left_out():
    assert named_nonlinearity(call("kaiming_normal_")) == "relu"
    assert named_nonlinearity(call("xavier_uniform_")) == "linear"
    assert describe(call("normal_")) == "normal(0, 1)"
    assert named_nonlinearity(call("xavier_uniform_", gain="a tensor")) is None


def test_arithmetic_shows_in_the_text():
    randn = call("randn")
    assert describe(randn, (randn, call("mul", other=0.02))) == "randn × 0.02"
    assert describe(randn, (randn, call("div", other=8))) == "randn / 8"
    assert describe(randn, (randn, call("mul", other="weight"))) == "randn"
    assert describe(call("rand"), (call("rand"), call("mul", other=2), call("sub", other=1, alpha=1))) == "rand × 2 - 1"
    assert describe(randn, (randn, call("clone"), call("neg"), call("erfinv"))) == "randn → erfinv"


def test_every_layer_default_of_torch_is_recognised():
    layer = nn.Linear(300, 200)
    default = kaiming("uniform", a=ROOT_5)
    assert scheme_gain(default, (200, 300), 300) == pytest.approx(layer.weight.std().item() * math.sqrt(300), rel=0.02)
    assert not is_torch_default(kaiming("uniform", a=ROOT_5, mode="fan_out"))


@pytest.mark.parametrize(
    ("made", "gain"),
    [
        (kaiming(nonlinearity="relu"), ROOT_2),
        (call("xavier_uniform_", gain=1.0), 1.0),
        (call("orthogonal_", gain=ROOT_2), ROOT_2),
        (call("eye_"), 1.0),
        (call("normal_", mean=0, std=0.02), 0.2),
        (call("zeros_"), None),
        (call("constant_", val=1.0), None),
        (call("my_init_"), None),
    ],
)
def test_gain_on_a_square_layer(made, gain):
    assert scheme_gain(made, (100, 100), 100) == (None if gain is None else pytest.approx(gain))


def test_gain_sees_the_fan_that_is_used():
    depthwise = (32, 1, 3, 3)
    fan_out = kaiming(mode="fan_out", nonlinearity="relu")
    assert scheme_gain(fan_out, depthwise, 9) == pytest.approx(ROOT_2 / math.sqrt(32))
    randn = call("randn")
    assert scheme_gain(randn, (100, 100), 100, (randn, call("mul", other=0.1))) == pytest.approx(1.0)


def test_the_room_has_one_door():
    for name in schemes.__all__:
        assert hasattr(schemes, name)
    assert torch.nn.init.calculate_gain("relu") == pytest.approx(ROOT_2)


# what each scheme's standard deviation is on Linear(200 -> 300), fan_in 200, 12 layers
STDS = {
    "zeros": 0.0,
    "ones": 0.0,
    "constant": 0.0,
    "uniform": 1 / math.sqrt(12),
    "normal": 1.0,
    "truncated_normal": 0.8796,
    "xavier_uniform": math.sqrt(2 / 500),
    "xavier_normal": math.sqrt(2 / 500),
    "kaiming_uniform": math.sqrt(2 / 200),
    "kaiming_normal": math.sqrt(2 / 200),
    "lecun_uniform": math.sqrt(1 / 200),
    "lecun_normal": math.sqrt(1 / 200),
    "orthogonal": math.sqrt(1 / 300),
    "delta_orthogonal": math.sqrt(1 / 300),
    "identity": math.sqrt(1 / 300 * (1 - 1 / 300)),
    "sparse": 0.01 * math.sqrt(0.1),
    "variance_scaling": math.sqrt(2 / 200),
    "torch_default": math.sqrt(1 / 600),
    "torch_recurrent": 1 / math.sqrt(3 * 200),
    "gpt2": 0.02,
    "gpt2_residual": 0.02 / math.sqrt(24),
    "bert": 0.02 * 0.8796,
    "t5": math.sqrt(1 / 200),
    "small_init": math.sqrt(2 / 1000),
    "deepnorm": 96**-0.25 * math.sqrt(2 / 500),
    "siren_first": 1 / 200 / math.sqrt(3),
    "siren": math.sqrt(2 / 200) / 30,
    "fixup": math.sqrt(2 / 200 / 12),
    "icnr": math.sqrt(2 / 200),
    "lora_a": math.sqrt(1 / 600),
    "lora_b": 0.0,
    "mup_output": 1 / 200,
}


@pytest.mark.parametrize("scheme", schemes.SCHEMES, ids=lambda scheme: scheme.name)
def test_schemes_predict_what_they_draw(scheme):
    if scheme.name == "dirac":
        setting = schemes.Setting((16, 16, 3, 3), 144, 144)
        assert scheme.distribution(setting).rms == pytest.approx(math.sqrt(16 / 2304))
        return
    setting = schemes.Setting((300, 200), 200, 300)
    assert scheme.distribution(setting).std == pytest.approx(STDS[scheme.name], rel=1e-3)
    name = scheme.call(setting).name
    if hasattr(nn.init, name):
        torch.manual_seed(0)
        drawn = torch.empty(300, 200)
        getattr(nn.init, name)(drawn, **dict(scheme.call(setting).kwargs))
        assert drawn.std().item() == pytest.approx(STDS[scheme.name], rel=0.05, abs=1e-9)


def test_schemes_that_do_not_fit_say_so():
    with pytest.raises(NotKnown, match="no gain for gelu"):
        schemes.scheme("kaiming_normal").call(schemes.Setting((8, 8), 8, 8, nonlinearity="gelu"))
    with pytest.raises(NotKnown, match="two weights"):
        schemes.scheme("fixup").call(schemes.Setting((8, 8), 8, 8, branch=1))
    with pytest.raises(NotKnown, match="does not fit"):
        schemes.scheme("delta_orthogonal").distribution(schemes.Setting((8, 16, 3, 3), 144, 72))
    with pytest.raises(NotKnown, match="no scheme"):
        schemes.scheme("magic")
