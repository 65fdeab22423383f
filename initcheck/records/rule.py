"""A rule as data, for lists, pages and reports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from initcheck.records.finding import Severity

Mends = Literal["either", "unsafe", "display"]
"""How free the remedies of a rule are: safe or unsafe by who wrote the weight, always unsafe, or only told."""


@dataclass(frozen=True, slots=True)
class Example:
    """A bad and a good model: source text that leaves `model` defined; `input_shape` without the batch axis."""

    bad: str
    good: str
    input_shape: tuple[int, ...] = ()
    integers: int = 0
    """When positive, the input is int64 below this number."""
    settings: tuple[tuple[str, bool], ...] = ()
    """Switches that the rule has to be asked with, such as ("meta", True)."""


@dataclass(frozen=True, slots=True)
class RuleOption:
    """One tolerance of a rule."""

    name: str
    value: float
    help: str


@dataclass(frozen=True, slots=True)
class RuleInfo:
    """What `initcheck rule` shows. The sections come from the docstring of the rule class; `tables` names reference tables."""

    code: str
    name: str
    family: str
    severity: Severity
    since: str
    summary: str
    why: str
    silent_when: str
    source: str
    options: tuple[RuleOption, ...] = ()
    examples: tuple[Example, ...] = ()
    tables: tuple[str, ...] = ()
    mends: Mends = "display"
