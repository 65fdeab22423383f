"""The named schemes: each as the call that makes it and as the distribution that it predicts; the one door to what is known of schemes."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from initcheck.errors import NotKnown
from initcheck.records.recording import InitCall
from initcheck.theory.advice.recommend import Recommendation, recommendation
from initcheck.theory.calls.distributions import Distribution
from initcheck.theory.calls.predict import predicted, predicted_of
from initcheck.theory.calls.reading import describe, family_of, is_torch_default, named_nonlinearity, scheme_gain
from initcheck.theory.functions.nonlinearities import Parameter
from initcheck.theory.gains import calculate_gain, gain_facts

__all__ = [
    "SCHEMES",
    "Distribution",
    "Recommendation",
    "Scheme",
    "Setting",
    "describe",
    "family_of",
    "is_torch_default",
    "named_nonlinearity",
    "predicted",
    "predicted_of",
    "recommendation",
    "scheme",
    "scheme_gain",
]

_CUT = 0.8796256610342398
"""Standard deviation of a standard normal that is cut at two of its standard deviations."""


@dataclass(frozen=True, slots=True)
class Setting:
    """Where a scheme is applied.

    shape: of the weight as it is stored; fan_in, fan_out: as it is used. layers: residual blocks of the network; branch: weights in
    one residual branch. nonlinearity, parameter: what the layer feeds. frequency: omega_0 of a sine layer. factor: upscaling of a
    sub-pixel convolution.
    """

    shape: tuple[int, ...]
    fan_in: int
    fan_out: int
    layers: int = 12
    branch: int = 2
    nonlinearity: str = "relu"
    parameter: Parameter = None
    frequency: float = 30.0
    factor: int = 2


@dataclass(frozen=True, slots=True)
class Scheme:
    """A scheme by its name in the field."""

    name: str
    summary: str
    source: str
    make: Callable[[Setting], InitCall]

    def call(self, setting: Setting) -> InitCall:
        """The call that initializes a weight in this setting, spelled as torch spells it where torch has it.

        Raises:
            NotKnown: where the scheme does not fit the setting (a nonlinearity without a gain, identity on a vector).
        """
        return self.make(setting)

    def distribution(self, setting: Setting) -> Distribution:
        """What one element is drawn from.

        Raises:
            NotKnown: where the scheme does not fit the setting.
        """
        found = predicted(self.call(setting), setting.shape)
        if found is None:
            raise NotKnown(f"{self.name} does not fit a weight of shape {setting.shape}")
        return found


def scheme(name: str) -> Scheme:
    """The scheme of this name.

    Raises:
        NotKnown: for a name that is not in `SCHEMES`.
    """
    found = next((one for one in SCHEMES if one.name == name), None)
    if found is None:
        raise NotKnown(f"no scheme is called {name!r}")
    return found


def _fixed(name: str, **arguments: float) -> Callable[[Setting], InitCall]:
    return lambda _: InitCall(name, tuple(arguments.items()))


def _normal(std: Callable[[Setting], float]) -> Callable[[Setting], InitCall]:
    return lambda setting: InitCall("normal_", (("mean", 0.0), ("std", std(setting))))


def _uniform(bound: Callable[[Setting], float]) -> Callable[[Setting], InitCall]:
    return lambda setting: InitCall("uniform_", (("a", -bound(setting)), ("b", bound(setting))))


def _kaiming(name: str) -> Callable[[Setting], InitCall]:
    def make(setting: Setting) -> InitCall:
        slope = setting.parameter if isinstance(setting.parameter, float) else 0.0
        if calculate_gain(setting.nonlinearity, slope) is None:
            raise NotKnown(f"torch has no gain for {setting.nonlinearity}")
        return InitCall(name, (("a", slope), ("mode", "fan_in"), ("nonlinearity", setting.nonlinearity)))

    return make


def _variance_scaling(setting: Setting) -> InitCall:
    # cut at two standard deviations and widened, so that gain / sqrt(fan_in) is what is left
    std = gain_facts(setting.nonlinearity, setting.parameter).recommended / math.sqrt(setting.fan_in) / _CUT
    return InitCall("trunc_normal_", (("mean", 0.0), ("std", std), ("a", -2.0 * std), ("b", 2.0 * std)))


def _fixup(setting: Setting) -> InitCall:
    if setting.branch < 2:
        raise NotKnown("Fixup scales branches of two weights or more; the last one is zero")
    shrink = setting.layers ** (-1.0 / (2 * setting.branch - 2))
    return InitCall("normal_", (("mean", 0.0), ("std", shrink * math.sqrt(2.0 / setting.fan_in))))


def _linear(name: str) -> Callable[[Setting], InitCall]:
    return _fixed_words(name, a=0.0, mode="fan_in", nonlinearity="linear")


def _fixed_words(name: str, **arguments: str | float) -> Callable[[Setting], InitCall]:
    return lambda _: InitCall(name, tuple(arguments.items()))


_HE, _GLOROT, _LECUN = "He et al. 2015, arXiv:1502.01852", "Glorot & Bengio 2010", "LeCun et al. 1998"
_SAXE, _XIAO, _GPT2 = "Saxe et al. 2014, arXiv:1312.6120", "Xiao et al. 2018, arXiv:1806.05393", "Radford et al. 2019 (GPT-2), section 2.3"
_ROOT_5 = math.sqrt(5.0)

SCHEMES: tuple[Scheme, ...] = (
    Scheme("zeros", "every element 0", "Goyal et al. 2017, arXiv:1706.02677", _fixed("zeros_")),
    Scheme("ones", "every element 1", "torch.nn.init", _fixed("ones_")),
    Scheme("constant", "every element 0.01", "torch.nn.init", _fixed("constant_", val=0.01)),
    Scheme("uniform", "U(0, 1), torch's default bounds", "torch.nn.init", _fixed("uniform_", a=0.0, b=1.0)),
    Scheme("normal", "N(0, 1), torch's default for embeddings", "torch.nn.init", _fixed("normal_", mean=0.0, std=1.0)),
    Scheme("truncated_normal", "N(0, 1) cut at ±2", "torch.nn.init", _fixed("trunc_normal_", mean=0.0, std=1.0, a=-2.0, b=2.0)),
    Scheme("xavier_uniform", "U with variance 2 / (fan_in + fan_out)", _GLOROT, _fixed("xavier_uniform_", gain=1.0)),
    Scheme("xavier_normal", "N with variance 2 / (fan_in + fan_out)", _GLOROT, _fixed("xavier_normal_", gain=1.0)),
    Scheme("kaiming_uniform", "U with variance gain² / fan_in", _HE, _kaiming("kaiming_uniform_")),
    Scheme("kaiming_normal", "N with variance gain² / fan_in", _HE, _kaiming("kaiming_normal_")),
    Scheme("lecun_uniform", "U with variance 1 / fan_in", _LECUN, _linear("kaiming_uniform_")),
    Scheme("lecun_normal", "N with variance 1 / fan_in", _LECUN, _linear("kaiming_normal_")),
    Scheme("orthogonal", "a random matrix with orthonormal rows or columns", _SAXE, _fixed("orthogonal_", gain=1.0)),
    Scheme("delta_orthogonal", "an orthogonal matrix at the kernel's centre, zero elsewhere", _XIAO, _fixed("delta_orthogonal_", gain=1.0)),
    Scheme("identity", "the identity matrix", "Le et al. 2015, arXiv:1504.00941", _fixed("eye_")),
    Scheme("dirac", "the identity for convolutions", "Zagoruyko & Komodakis 2017, arXiv:1706.00388", _fixed("dirac_", groups=1)),
    Scheme("sparse", "90 % zeros in each column, the rest N(0, 0.01²)", "Martens 2010", _fixed("sparse_", sparsity=0.9, std=0.01)),
    Scheme("variance_scaling", "N cut at 2 std and widened to variance gain² / fan_in (Keras, JAX)", _HE, _variance_scaling),
    Scheme(
        "torch_default",
        "U(±1/√fan_in), of linear layers and convolutions",
        "pytorch#15314",
        _fixed_words("kaiming_uniform_", a=_ROOT_5, mode="fan_in", nonlinearity="leaky_relu"),
    ),
    Scheme("torch_recurrent", "U(±1/√hidden), of every weight in a cell", "torch.nn.RNNBase", _uniform(lambda s: s.shape[-1] ** -0.5)),
    Scheme("gpt2", "N(0, 0.02²)", _GPT2, _fixed("normal_", mean=0.0, std=0.02)),
    Scheme("gpt2_residual", "N(0, 0.02² / (2 layers)), closing a branch", _GPT2, _normal(lambda s: 0.02 / math.sqrt(2.0 * s.layers))),
    Scheme(
        "bert",
        "N(0, 0.02²) cut at 2 std",
        "Devlin et al. 2019, arXiv:1810.04805",
        _fixed("trunc_normal_", mean=0.0, std=0.02, a=-0.04, b=0.04),
    ),
    Scheme("t5", "N(0, 1 / fan_in)", "Raffel et al. 2020, arXiv:1910.10683", _normal(lambda s: s.fan_in**-0.5)),
    Scheme("small_init", "N(0, 2 / (5 width))", "Nguyen & Salazar 2019, arXiv:1910.05895", _normal(lambda s: math.sqrt(0.4 / s.fan_in))),
    Scheme(
        "deepnorm", "Xavier with gain (8 layers)^-1/4", "Wang et al. 2022, arXiv:2203.00555", lambda s: _xavier((8.0 * s.layers) ** -0.25)
    ),
    Scheme("siren_first", "U(±1/fan_in), first sine layer", "Sitzmann et al. 2020, arXiv:2006.09661", _uniform(lambda s: 1.0 / s.fan_in)),
    Scheme(
        "siren", "U(±√(6/fan_in)/ω₀)", "Sitzmann et al. 2020, arXiv:2006.09661", _uniform(lambda s: math.sqrt(6.0 / s.fan_in) / s.frequency)
    ),
    Scheme("fixup", "He divided by layers^(1/(2m-2)), m weights in a branch", "Zhang et al. 2019, arXiv:1901.09321", _fixup),
    Scheme(
        "icnr",
        "He, each kernel repeated factor² times, before a pixel shuffle",
        "Aitken et al. 2017, arXiv:1707.02937",
        lambda s: InitCall("icnr_", (("factor", s.factor), ("nonlinearity", "relu"))),
    ),
    Scheme(
        "lora_a",
        "torch's default on the factor that reads",
        "Hu et al. 2022, arXiv:2106.09685",
        _fixed_words("kaiming_uniform_", a=_ROOT_5, mode="fan_in", nonlinearity="leaky_relu"),
    ),
    Scheme("lora_b", "0 on the factor that writes", "Hu et al. 2022, arXiv:2106.09685", _fixed("zeros_")),
    Scheme("mup_output", "N(0, 1 / fan_in²), of the readout", "Yang et al. 2022, arXiv:2203.03466", _normal(lambda s: 1.0 / s.fan_in)),
)
"""Every scheme that is spoken of by name."""


def _xavier(gain: float) -> InitCall:
    return InitCall("xavier_normal_", (("gain", gain),))
