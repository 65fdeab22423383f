"""What an advice is: a scheme for a place in a network, its alternatives, its reason, and what is healthy although it looks odd."""

from __future__ import annotations

import math
from dataclasses import dataclass

from initcheck.records.recording import InitCall


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


@dataclass(frozen=True, slots=True)
class Place:
    """One row of the table: `word` in code, `title` for people, and `silent`: what is never held against a weight in this place."""

    word: str
    title: str
    advice: Recommendation
    silent: str = ""


def residual(branches: float | None = None) -> Recommendation:
    """The advice for residual branches without normalization; `branches` is their number."""
    count = "branches" if branches is None else f"{branches:g}"
    return Recommendation(
        "zeros_() on the last layer of each branch",
        InitCall("zeros_"),
        0.0,
        f"without normalization every branch adds to the second moment; its share must stay below about 3 / {count}",
        "Zhang et al. 2019, arXiv:1901.09321; De & Smith 2020, arXiv:2002.10444",
        ("a scalar gate at 0 per branch", "a gain of 1 / sqrt(branches)", "a normalization layer in each branch"),
    )


def siren(frequency: float = 30.0) -> Recommendation:
    """The advice for layers that feed sin(frequency * x)."""
    return Recommendation(
        f"uniform_(-b, b) with b = sqrt(6 / fan_in) / {frequency:g}, and b = 1 / fan_in in the first layer",
        None,
        math.sqrt(2.0) / frequency,
        f"the pre-activations of sin({frequency:g} x) then have second moment 1",
        "Sitzmann et al. 2020, arXiv:2006.09661, section 3.2",
    )


def normal(std: float, scheme: str = "") -> tuple[str, InitCall, None]:
    """Scheme, call and gain of N(0, std^2)."""
    return scheme or f"normal_(std={std:g})", InitCall("normal_", (("mean", 0.0), ("std", std))), None


def zeros(where: str = "") -> tuple[str, InitCall, float]:
    """Scheme, call and gain of zeros; `where` says of what."""
    return f"zeros_(){where}", InitCall("zeros_"), 0.0


def orthogonal(scheme: str = "orthogonal_()", gain: float = 1.0) -> tuple[str, InitCall, float]:
    """Scheme, call and gain of an orthogonal matrix."""
    return scheme, InitCall("orthogonal_", (("gain", gain),)), gain


GPT2 = "Radford et al. 2019 (GPT-2), section 2.3"
