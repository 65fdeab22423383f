"""What to write instead: the initialization that each nonlinearity asks for, and the door to that of each place in a network."""

from __future__ import annotations

from initcheck.records.recording import InitCall
from initcheck.theory.advice.places import PLACES
from initcheck.theory.advice.records import Place, Recommendation, residual, siren
from initcheck.theory.functions.nonlinearities import Parameter, canonical, filled, known
from initcheck.theory.gains import gain_facts

__all__ = ["PLACES", "Place", "Recommendation", "recommendation"]

_HE = "He et al. 2015, arXiv:1502.01852"
_GLOROT = "Glorot & Bengio 2010"
_KLAMBAUER = "Klambauer et al. 2017, arXiv:1706.02515"
_XIAO = "Schoenholz et al. 2017, arXiv:1611.01232"

_ROOT_2 = 1.4142135623730951
_RECTIFIED = frozenset({"relu", "relu6", "rrelu"})
_SMOOTH = frozenset(
    {"gelu", "gelu_tanh", "quick_gelu", "silu", "mish", "elu", "celu", "hardswish", "softplus", "log_sigmoid", "cos", "swish"}
)
_CENTRED = frozenset({"tanh", "softsign", "hardtanh", "erf", "atan", "sin"})
_SQUASHED = {"sigmoid": 4.0, "hardsigmoid": 6.0}
_SHRINKING = frozenset({"tanhshrink", "softshrink", "hardshrink"})


def recommendation(role_or_place: str, parameter: Parameter = None) -> Recommendation:
    """The initialization for a weight that feeds this nonlinearity, or stands in this place.

    Args:
        role_or_place: a role word, or a word of `PLACES` (`recurrent`, `transformer`, `residual`, `output`, `embedding`, …).
        parameter: hyper-parameters of the nonlinearity; for `siren` the frequency (30), for `residual` the number of branches.

    Returns:
        For a word that is not known, the general advice to measure the gain, without a call.
    """
    word = canonical(role_or_place)
    number = parameter[0] if isinstance(parameter, tuple) and parameter else None if isinstance(parameter, tuple) else parameter
    if word == "siren" and number is not None:
        return siren(number)
    if word == "residual" and number is not None:
        return residual(number)
    place = next((place for place in PLACES if place.word == word), None)
    if place is not None:
        return place.advice
    return _nonlinearity(word, parameter) if known(word) else _measured(word)


def _nonlinearity(role: str, parameter: Parameter) -> Recommendation:
    if role in _RECTIFIED or role in ("leaky_relu", "prelu") or (role == "threshold" and filled(role, parameter) == (0.0, 0.0)):
        return _rectified(role, parameter)
    if role == "selu":
        reason = "SELU normalizes itself at a weight variance of 1 / fan_in (torch's gain of 3/4 does not)"
        return _kaiming("linear", 0.0, reason, _KLAMBAUER, ("kaiming_uniform_ with nonlinearity='linear'",))
    if role in _SMOOTH and (facts := gain_facts(role, parameter)).lowest <= _ROOT_2 <= facts.highest:
        reason = f"torch has no gain for {role}; any from {facts.lowest:.3g} to {facts.highest:.3g} trains alike, ReLU's √2 among them"
        exact = f"std {facts.forward_gain:.3g} / sqrt(fan_in), which keeps the second moment exactly"
        return _kaiming("relu", 0.0, reason, _HE, (exact,))
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
    reason = f"a gain of {gain:.3g} balances it at a second moment of 1"
    return _xavier(round(gain, 4), reason, _HE, ("a normalization layer before it, which also keeps it there",))


def _rectified(role: str, parameter: Parameter) -> Recommendation:
    if role in _RECTIFIED or role == "threshold":
        reason = "half of the second moment is lost at zero; a gain of √2 restores it"
        return _kaiming("relu", 0.0, reason, _HE, ("kaiming_uniform_", "orthogonal_ with gain √2"))
    slope = filled(role, parameter)[0]
    reason = f"with a negative slope of {slope:.3g} a gain of √(2 / (1 + slope²)) keeps the second moment"
    return _kaiming("leaky_relu", slope, reason, _HE, ("kaiming_normal_ with nonlinearity='relu' for small slopes",))


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


def _measured(word: str) -> Recommendation:
    return Recommendation(
        "std = g / sqrt(fan_in) with g = 1 / sqrt(E[phi(z)^2])",
        None,
        None,
        f"no gain is known for {word}; measure what it makes of standard normal values",
        _HE,
        ("a normalization layer",),
    )
