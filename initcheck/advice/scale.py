"""What a layer's surroundings ask of its weight, and what to write instead; shared by the rules that speak of scale."""

from __future__ import annotations

from initcheck.records.evidence import Layer, Nonlinearity
from initcheck.records.recording import InitCall
from initcheck.theory.functions.gated import maxout_square
from initcheck.theory.gains import required_gain
from initcheck.theory.schemes import Recommendation, recommendation

MAXOUT = "custom:maxout"
WAVES = ("sin", "cos")


def needed_gain(nonlinearity: Nonlinearity) -> float:
    """The gain, std * sqrt(fan_in), that keeps the second moment through this nonlinearity.

    Raises:
        NotKnown: for one whose moments are neither known nor measured.
    """
    if is_wave(nonlinearity):
        gain = recommendation("siren", nonlinearity.parameter).gain
        if gain is not None:
            return gain
    if nonlinearity.role == MAXOUT:
        return _maxout_gain(nonlinearity)
    return required_gain(nonlinearity.role, nonlinearity.parameter, nonlinearity.square_ratio)


def advice(layer: Layer) -> Recommendation:
    """The initialization to recommend for a layer, by the nonlinearity that it feeds."""
    if not layer.nonlinearity.known():
        return recommendation("linear")
    nonlinearity = layer.nonlinearity.get()
    if is_wave(nonlinearity):
        return recommendation("siren", nonlinearity.parameter)
    if nonlinearity.role == MAXOUT:
        gain = _maxout_gain(nonlinearity)
        return Recommendation(
            f"xavier_normal_(gain={gain:.3g})",
            InitCall("xavier_normal_", (("gain", round(gain, 4)),)),
            gain,
            f"the largest of {_first(nonlinearity):g} pieces has a second moment of {gain**-2:.3g} times theirs",
            "Goodfellow et al. 2013, arXiv:1302.4389",
        )
    return recommendation(nonlinearity.role, nonlinearity.parameter)


def spoken(nonlinearity: Nonlinearity) -> str:
    """The nonlinearity as people write it."""
    if is_wave(nonlinearity):
        return f"{nonlinearity.role}({_first(nonlinearity):g} x)"
    names = {
        "relu": "ReLU",
        "leaky_relu": "LeakyReLU",
        "prelu": "PReLU",
        "gelu": "GELU",
        "gelu_tanh": "GELU",
        "silu": "SiLU",
        "selu": "SELU",
        "elu": "ELU",
        MAXOUT: "maxout",
    }
    return names.get(nonlinearity.role, nonlinearity.role)


def is_wave(nonlinearity: Nonlinearity) -> bool:
    """Whether it is a sine of a scaled argument, whose weights the scale has to be divided out of."""
    return nonlinearity.role in WAVES and _first(nonlinearity) >= 2.0


def _maxout_gain(nonlinearity: Nonlinearity) -> float:
    return float(maxout_square(int(_first(nonlinearity))) ** -0.5)


def _first(nonlinearity: Nonlinearity) -> float:
    """The first hyper-parameter, 1 where there is none."""
    return nonlinearity.parameter[0] if nonlinearity.parameter else 1.0
