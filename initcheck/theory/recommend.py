"""What to write instead: the initialization that each nonlinearity or place in a network asks for."""

from __future__ import annotations

import math
from dataclasses import dataclass

from initcheck.records.recording import InitCall
from initcheck.theory.gains import gain_facts
from initcheck.theory.nonlinearities import canonical, curve, known

_HE = "He et al. 2015, arXiv:1502.01852"
_GLOROT = "Glorot & Bengio 2010"
_KLAMBAUER = "Klambauer et al. 2017, arXiv:1706.02515"
_XIAO = "Schoenholz et al. 2017, arXiv:1611.01232"

_RECTIFIED = frozenset({"relu", "relu6", "rrelu"})
_SMOOTH = frozenset({"gelu", "gelu_tanh", "quick_gelu", "silu", "mish", "elu", "celu", "hardswish", "softplus", "log_sigmoid", "cos"})
_CENTRED = frozenset({"tanh", "softsign", "hardtanh", "erf", "atan", "sin"})
_SQUASHED = {"sigmoid": 4.0, "hardsigmoid": 6.0}
_SHRINKING = frozenset({"tanhshrink", "softshrink", "hardshrink"})


@dataclass(frozen=True, slots=True)
class Recommendation:
    """What to write: `scheme` as source text, `call` the same as data (None where no call alone will do).

    gain: of that call, dimensionless, None where there is no such number. alternatives: further choices that train as well.
    """

    scheme: str
    call: InitCall | None
    gain: float | None
    reason: str
    source: str
    alternatives: tuple[str, ...] = ()


def recommendation(role_or_context: str, parameter: float | None = None) -> Recommendation:
    """The initialization for a weight that feeds this nonlinearity, or stands in this place.

    Args:
        role_or_context: a role word, or `recurrent`, `transformer`, `residual`, `output`, `embedding`, `siren`, `norm`, `linear`.
        parameter: hyper-parameter of the nonlinearity; for `siren` the frequency (30), for `residual` the number of branches.

    Returns:
        For a word that is not known, the general advice to measure the gain, without a call.
    """
    word = canonical(role_or_context)
    place = {"recurrent": _recurrent, "transformer": _transformer, "output": _output, "embedding": _embedding, "norm": _norm}.get(word)
    if place is not None:
        return place()
    if word == "siren":
        return _siren(30.0 if parameter is None else parameter)
    if word == "residual":
        return _residual(parameter)
    return _nonlinearity(word, parameter) if known(word) else _measured(word)


def _nonlinearity(role: str, parameter: float | None) -> Recommendation:
    if role in _RECTIFIED or role in ("leaky_relu", "prelu"):
        return _rectified(role, parameter)
    if role == "selu":
        reason = "SELU normalizes itself at a weight variance of 1 / fan_in (torch's gain of 3/4 does not)"
        return _kaiming("linear", 0.0, reason, _KLAMBAUER, ("kaiming_uniform_ with nonlinearity='linear'",))
    if role in _SMOOTH:
        gain = gain_facts(role, parameter).forward_gain
        reason = f"torch has no gain for {role}; that of ReLU, √2, is close to the exact {gain:.3g} and trains as well"
        return _kaiming("relu", 0.0, reason, _HE, (f"std {gain:.3g} / sqrt(fan_in)",))
    if role in _CENTRED:
        reason = "its slope at zero is about 1, so a gain of 1 keeps small signals and their gradients alike"
        more = ("xavier_normal_ with gain up to 5/3",) if role == "tanh" else ()
        return _xavier(1.0, reason, f"{_GLOROT}; {_XIAO}", ("orthogonal_", *more))
    if role in _SQUASHED:
        reason = f"its slope is at most 1/{_SQUASHED[role]:g}; without that gain the gradient shrinks in every layer"
        return _xavier(_SQUASHED[role], reason, _GLOROT, ("a normalization layer before it", "tanh instead"))
    if role in _SHRINKING:
        reason = "its slope at zero is 0: signals that start small die out whatever the gain"
        return Recommendation("a normalization layer before it", None, None, reason, _XIAO)
    if role in ("linear", "abs"):
        return _kaiming(
            "linear",
            0.0,
            "it keeps the second moment; a gain of 1 does too",
            "LeCun et al. 1998, section 4.6",
            ("xavier_normal_", "orthogonal_"),
        )
    gain = gain_facts(role, parameter).recommended
    reason = f"it grows faster than its input; a gain of {gain:.3g} balances it at a second moment of 1 only"
    return _xavier(round(gain, 4), reason, _HE, ("a normalization layer before it, which also keeps it there",))


def _rectified(role: str, parameter: float | None) -> Recommendation:
    if role in _RECTIFIED:
        reason = "half of the second moment is lost at zero; a gain of √2 restores it"
        return _kaiming("relu", 0.0, reason, f"{_HE}, eq. 10", ("kaiming_uniform_", "orthogonal_ with gain √2"))
    slope = curve(role).default if parameter is None or math.isnan(parameter) else parameter
    reason = f"with a negative slope of {slope:.3g} a gain of √(2 / (1 + slope²)) keeps the second moment"
    return _kaiming("leaky_relu", slope, reason, f"{_HE}, eq. 15", ("kaiming_normal_ with nonlinearity='relu' for small slopes",))


def _kaiming(nonlinearity: str, slope: float, reason: str, source: str, alternatives: tuple[str, ...]) -> Recommendation:
    facts = gain_facts(nonlinearity, slope if nonlinearity == "leaky_relu" else None)
    call = InitCall("kaiming_normal_", (("a", slope), ("mode", "fan_in"), ("nonlinearity", nonlinearity)))
    argument = f"a={slope:.4g}, " if nonlinearity == "leaky_relu" else ""
    return Recommendation(f"kaiming_normal_({argument}nonlinearity={nonlinearity!r})", call, facts.torch_gain, reason, source, alternatives)


def _xavier(gain: float, reason: str, source: str, alternatives: tuple[str, ...]) -> Recommendation:
    call = InitCall("xavier_normal_", (("gain", gain),))
    return Recommendation(
        "xavier_normal_()" if gain == 1.0 else f"xavier_normal_(gain={gain:.4g})", call, gain, reason, source, alternatives
    )


def _recurrent() -> Recommendation:
    return Recommendation(
        "orthogonal_() on each gate's block of weight_hh, xavier_uniform_() on weight_ih, forget bias 1",
        InitCall("orthogonal_", (("gain", 1.0),)),
        1.0,
        "an orthogonal matrix keeps the length of the state over every step; on the packed matrix it holds for no single gate",
        "Saxe et al. 2014, arXiv:1312.6120",
        ("identity for a ReLU cell (Le et al. 2015, arXiv:1504.00941)",),
    )


def _transformer() -> Recommendation:
    return Recommendation(
        "normal_(std=0.02)",
        InitCall("normal_", (("mean", 0.0), ("std", 0.02))),
        None,
        "normalization sets the scale of every branch; small weights keep the residual stream close to the identity",
        "Radford et al. 2019 (GPT-2), section 2.3",
        ("xavier_uniform_()", "trunc_normal_(std=0.02)", "residual projections divided by sqrt(2 layers)"),
    )


def _residual(branches: float | None) -> Recommendation:
    count = "branches" if branches is None else f"{branches:g}"
    return Recommendation(
        "zeros_() on the last layer of each branch",
        InitCall("zeros_"),
        0.0,
        f"without normalization every branch adds to the second moment; its share must stay below about 3 / {count}",
        "Zhang et al. 2019, arXiv:1901.09321; De & Smith 2020, arXiv:2002.10444",
        ("a scalar gate at 0 per branch", "a gain of 1 / sqrt(branches)", "a normalization layer in each branch"),
    )


def _output() -> Recommendation:
    return Recommendation(
        "normal_(std=0.01)",
        InitCall("normal_", (("mean", 0.0), ("std", 0.01))),
        None,
        "logits near zero start the loss at ln(classes)",
        "Goyal et al. 2017, arXiv:1706.02677, section 5.1",
        ("zeros_()", "xavier_uniform_()", "torch's default"),
    )


def _embedding() -> Recommendation:
    return Recommendation(
        "normal_(std=0.02)",
        InitCall("normal_", (("mean", 0.0), ("std", 0.02))),
        None,
        "a row is read as it is, so no fan enters; tied to an output layer, unit rows would make logits of size sqrt(width)",
        "Radford et al. 2019 (GPT-2), section 2.3",
        ("normal_(std=width ** -0.5)", "normal_(std=1) when it is not tied to the output layer"),
    )


def _norm() -> Recommendation:
    return Recommendation(
        "any scheme",
        None,
        None,
        "the normalization that follows removes the scale; only the effective learning rate depends on it",
        "van Laarhoven 2017, arXiv:1706.05350",
        ("kaiming_normal_(nonlinearity='relu')", "torch's default"),
    )


def _siren(frequency: float) -> Recommendation:
    return Recommendation(
        f"uniform_(-b, b) with b = sqrt(6 / fan_in) / {frequency:g}, and b = 1 / fan_in in the first layer",
        None,
        math.sqrt(2.0) / frequency,
        f"sin({frequency:g} x) then sees pre-activations of second moment 1",
        "Sitzmann et al. 2020, arXiv:2006.09661, section 3.2",
    )


def _measured(word: str) -> Recommendation:
    return Recommendation(
        "std = g / sqrt(fan_in) with g = 1 / sqrt(E[phi(z)^2])",
        None,
        None,
        f"no gain is known for {word}; measure what it makes of standard normal values",
        _HE,
        ("a normalization layer",),
    )
