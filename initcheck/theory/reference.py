"""The reference tables, generated from the theory: gains, gated products, schemes, recommendations."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from initcheck.errors import NotKnown
from initcheck.theory.advice.recommend import PLACES, Recommendation, recommendation
from initcheck.theory.functions.curves import CURVES, WITHOUT_GAIN
from initcheck.theory.functions.gated import GATED, gated_facts
from initcheck.theory.gains import GainFacts, gain_facts
from initcheck.theory.mean_field import fixed_point
from initcheck.theory.schemes import SCHEMES

_ERROR = {"stable": "heals", "neutral": "stays", "unstable": "grows"}
"""What an error in the second moment does over depth."""

Table = tuple[tuple[str, ...], ...]
"""Rows of cells; the first one is the head."""

_SHOWN = ("linear", "relu", "leaky_relu", "prelu", "elu", "selu", "gelu", "silu", "mish", "softplus", "tanh", "sigmoid", "relu6", "sin")


def gain_table() -> Table:
    """One row for each nonlinearity: moments at second moment 1, the gains that keep signal and gradient, stability, torch's gain."""
    head = ("role", "E[φ]", "E[φ²]", "E[φ′²]", "fwd", "bwd", "dV/dq", "error", "torch", "use (accepted)")
    return (head, *(_gain_row(gain_facts(role)) for role in CURVES))


def gated_table() -> Table:
    """One row for each gated product."""
    head = ("product", "value · gate", "E[h²]", "E[(∂h/∂value)²]", "E[(∂h/∂gate)²]", "gain after", "dlnV/dlnq")
    facts = [gated_facts(name) for name in GATED]
    rows = [
        (f.name, f"{f.value} · {f.gate}", _n(f.square), _n(f.value_derivative), _n(f.gate_derivative), _n(f.forward_gain), _n(f.slope))
        for f in facts
    ]
    return (head, *rows)


def without_gain_table() -> Table:
    """What torch calls an activation although no gain belongs to it."""
    return (("function", "why it has no gain"), *WITHOUT_GAIN.items())


def scheme_table() -> Table:
    """One row for each named scheme."""
    return (("scheme", "what it draws", "source"), *((one.name, one.summary, one.source) for one in SCHEMES))


def recommendation_table() -> Table:
    """One row for each nonlinearity in common use and each place: what to write, what trains as well, what is never flagged, why."""
    head = ("where", "recommended", "accepted as well", "never flagged", "because", "source")
    roles = [_advice_row(f"feeds {role}", recommendation(role), "") for role in _SHOWN]
    return (head, *roles, *(_advice_row(place.title, place.advice, place.silent) for place in PLACES))


TABLES: dict[str, tuple[str, Callable[[], Table]]] = {
    "gains": ("Gains of all nonlinearities at torch's hyper-parameters, pre-activation N(0, 1)", gain_table),
    "gated-products": ("Gated products of two independent pre-activations N(0, 1)", gated_table),
    "without-gain": ("Functions without a gain", without_gain_table),
    "schemes": ("Named schemes", scheme_table),
    "recommendations": ("What to write where", recommendation_table),
}
"""Every reference table by its name, with its title."""


def markdown(table: Sequence[Sequence[str]]) -> str:
    """The table as GitHub shows it."""
    lines = [f"| {' | '.join(row)} |" for row in table]
    return "\n".join([lines[0], "|" + " --- |" * len(table[0]), *lines[1:]])


def _gain_row(facts: GainFacts) -> tuple[str, ...]:
    try:
        accepted = f"{facts.recommended:.2f} ({facts.lowest:.2f}–{facts.highest:.2f})"
    except NotKnown:
        accepted = "a norm first"
    numbers = (facts.mean, facts.square, facts.derivative_square, facts.forward_gain, facts.backward_gain, facts.slope)
    return (facts.role, *(f"{_small(value):.3f}" for value in numbers), _ERROR[facts.fixed_point], _torch(facts), accepted)


def _torch(facts: GainFacts) -> str:
    """torch's gain, and for one that does not keep the signal what the gradient does per layer where it settles."""
    if facts.torch_gain is None:
        return "missing"
    if facts.torch_verdict == "right":
        return f"{facts.torch_gain:.4g} right"
    settled = fixed_point(facts.role, facts.torch_gain)
    return f"{facts.torch_gain:.4g}" + (f" χ₁ {settled.chi_1:.3g}" if settled is not None else "")


def _advice_row(where: str, advice: Recommendation, silent: str) -> tuple[str, ...]:
    return (
        where,
        f"`{advice.scheme}`" if advice.call is not None else advice.scheme,
        "; ".join(advice.alternatives),
        silent,
        advice.reason,
        advice.source,
    )


def _n(value: float) -> str:
    return f"{_small(value):.4f}"


def _small(value: float) -> float:
    """Zero for what is only rounding."""
    return 0.0 if abs(value) < 5e-5 else value
