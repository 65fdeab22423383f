"""What a rule is: a frozen class whose docstring, attributes and fields are the single source of its page, options and tests."""

from __future__ import annotations

import dataclasses
import inspect
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, ClassVar

from initcheck.records.evidence import Evidence, Layer
from initcheck.records.finding import Finding, Fix, Severity
from initcheck.records.recording import ParameterRecord
from initcheck.records.rule import Example, Mends, RuleInfo, RuleOption
from initcheck.records.source import Location

SECTIONS = ("Why", "Silent when", "Source")
"""The sections that every rule's docstring has, after its one-line summary."""

DRIFTS = ("signal-vanishes", "signal-explodes", "gradient-vanishes", "gradient-explodes")
"""The rules that judge the drift of a chain; most causes explain all four."""

MATRIX_KINDS = ("linear", "conv", "conv_transpose", "bilinear", "matmul", "recurrent")
"""Kinds of layers whose weight mixes units."""


def tolerance(value: float, text: str) -> Any:
    """A field of a rule that users may set in their configuration."""
    return dataclasses.field(default=value, metadata={"help": text})


@dataclasses.dataclass(frozen=True)
class Rule(ABC):
    """The common part of all rules.

    `symptom` marks a measured consequence: it is folded into a finding of a rule that `explains` it and touches the same
    chain of layers. `spreads` marks a fault that ruins everything after it: it explains symptoms anywhere. Findings milder than
    `explains_from` explain nothing. `tables` names the reference tables that belong on its page. `mends` says how free its remedies are.
    """

    code: ClassVar[str]
    severity: ClassVar[Severity]
    since: ClassVar[str] = "0.1"
    mends: ClassVar[Mends] = "display"
    symptom: ClassVar[bool] = False
    spreads: ClassVar[bool] = False
    explains: ClassVar[tuple[str, ...]] = ()
    explains_from: ClassVar[Severity] = "info"
    examples: ClassVar[tuple[Example, ...]] = ()
    tables: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def name(cls) -> str:
        """The name of the fault, from the class name: `ZeroWeight` is `zero-weight`."""
        return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", cls.__name__).lower()

    @classmethod
    def info(cls) -> RuleInfo:
        """The rule as data.

        Raises:
            ValueError: when the docstring lacks a section.
        """
        sections = _sections(cls)
        return RuleInfo(
            code=cls.code,
            name=cls.name(),
            family=cls.__module__.split(".")[-2],
            severity=cls.severity,
            mends=cls.mends,
            since=cls.since,
            summary=sections["summary"],
            why=sections["Why"],
            silent_when=sections["Silent when"],
            source=sections["Source"],
            options=tuple(
                RuleOption(field.name.replace("_", "-"), float(field.default), field.metadata["help"])
                for field in dataclasses.fields(cls)
                if isinstance(field.default, (int, float)) and "help" in field.metadata
            ),
            examples=cls.examples,
            tables=cls.tables,
        )

    def finding(
        self,
        parameters: tuple[str, ...],
        message: str,
        *,
        severity: Severity | None = None,
        observed: str = "",
        expected: str = "",
        location: Location | None = None,
        fix: Fix | None = None,
        why: str = "",
        note: str = "",
    ) -> Finding:
        """A finding of this rule, at the rule's own severity unless said otherwise."""
        return Finding(self.code, self.name(), severity or self.severity, parameters, message, observed, expected, location, fix, why, note)


class LayerRule(Rule):
    """A rule that judges one layer at a time."""

    @abstractmethod
    def check(self, layer: Layer, evidence: Evidence) -> Iterator[Finding]:
        """The faults of this layer; asking an unknown fact ends the judgement of the layer and becomes a Skip."""


class ModelRule(Rule):
    """A rule that judges the whole model at once."""

    @abstractmethod
    def check(self, evidence: Evidence) -> Iterator[Finding]:
        """The faults of the model; asking an unknown fact ends the judgement and becomes a Skip."""


def written_at(record: ParameterRecord | None) -> Location | None:
    """The line to blame for a parameter's value: its last full write's, else the line that created its layer."""
    if record is None:
        return None
    ruling = record.ruling()
    if ruling is not None and ruling.location.known():
        return ruling.location.get()
    return record.created


def _sections(cls: type[Rule]) -> dict[str, str]:
    text = inspect.cleandoc(cls.__doc__ or "")
    parts = re.split(r"^(Why|Silent when|Source):", text, flags=re.MULTILINE)
    found = {"summary": " ".join(parts[0].split())}
    for title, body in zip(parts[1::2], parts[2::2], strict=True):
        found[title] = " ".join(body.split())
    missing = [title for title in SECTIONS if not found.get(title)]
    if missing or not found["summary"]:
        raise ValueError(f"{cls.__name__}: the docstring lacks {', '.join(missing) or 'a summary'}")
    return found
