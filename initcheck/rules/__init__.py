"""The judgements: one file per rule, one folder per family; this module is their registry."""

from __future__ import annotations

import difflib
import importlib
import inspect
import pkgutil
from functools import cache
from importlib import metadata

from initcheck.errors import ConfigError, UsageError
from initcheck.records.rule import RuleInfo
from initcheck.rules.base import LayerRule, ModelRule, Rule

FAMILIES = ("symmetry", "lost", "pretrained", "scale", "bias", "recurrent", "special", "embedding", "signal")
"""The folders of rules, in the order in which causes come before consequences."""

ENTRY_POINTS = "initcheck.rules"
"""The entry-point group through which other packages add rule classes."""


@cache
def rule_classes() -> tuple[type[Rule], ...]:
    """All rule classes, built in and from entry points, ordered by code.

    Raises:
        ConfigError: when a rule file cannot be imported or two rules share a code or a name.
    """
    found: list[type[Rule]] = []
    for family in FAMILIES:
        package = importlib.import_module(f"{__name__}.{family}")
        for module in sorted(info.name for info in pkgutil.iter_modules(package.__path__)):
            found += _rules_of(importlib.import_module(f"{package.__name__}.{module}"))
    for entry in metadata.entry_points(group=ENTRY_POINTS):
        try:
            found.append(entry.load())
        except Exception as error:
            raise ConfigError(f"the rule {entry.value} cannot be loaded: {type(error).__name__}: {error}") from error
    for key in ("code", "name"):
        values = [cls.code if key == "code" else cls.name() for cls in found]
        twice = {value for value in values if values.count(value) > 1}
        if twice:
            raise ConfigError(f"two rules share the {key} {', '.join(sorted(twice))}")
    return tuple(sorted(found, key=lambda cls: cls.code))


def catalogue() -> tuple[RuleInfo, ...]:
    """All rules as data, ordered by code."""
    return tuple(cls.info() for cls in rule_classes())


def explain(code_or_name: str) -> RuleInfo:
    """The rule with this code or name, in any case.

    Raises:
        UsageError: when there is none, with the nearest ones as a hint.
    """
    wanted = code_or_name.strip()
    known = {text: info for info in catalogue() for text in (info.code, info.name)}
    for text, info in known.items():
        if text.lower() == wanted.lower():
            return info
    close = difflib.get_close_matches(wanted.lower(), [text.lower() for text in known], n=1)
    similar = next((text for text in known if close and text.lower() == close[0]), "")
    raise UsageError(f"no rule {wanted!r}", f"did you mean {similar}?" if similar else "`initcheck rule --all` lists them")


def matches(rule: type[Rule] | RuleInfo, pattern: str) -> bool:
    """Whether a rule is meant by `ALL`, a code, a code prefix, or a name."""
    name = rule.name() if isinstance(rule, type) else rule.name
    return pattern == "ALL" or rule.code.startswith(pattern) or name == pattern


def _rules_of(module: object) -> list[type[Rule]]:
    return [
        cls
        for _, cls in inspect.getmembers(module, inspect.isclass)
        if issubclass(cls, Rule) and cls not in (Rule, LayerRule, ModelRule) and cls.__module__ == module.__name__  # type: ignore[attr-defined]
    ]
