"""The page of one rule or of one reference table, the same text at the terminal and in the documentation."""

from __future__ import annotations

from collections.abc import Sequence

from initcheck.records.rule import Mends, RuleInfo

MENDING: dict[Mends, str] = {
    "either": "Safe where a layer holds the framework's default or memory that nobody wrote, and where an argument of an `nn.init` call is corrected; unsafe "
    "where it replaces what you wrote, or touches loaded, frozen or tied weights.",
    "unsafe": "Unsafe: it replaces what you wrote. Apply it with `--unsafe-fixes` or `initcheck.fix(model, unsafe=True)`.",
    "display": "No new start of the weights mends it: the code has to change. `initcheck fix` does it where it can be sure of the line.",
}
"""What each kind of remedy means for the reader."""


def render(rule: RuleInfo, options: Sequence[tuple[str, float]] = ()) -> str:
    """Markdown text; `options` are `("rule-name.option", value)` pairs of this project's configuration."""
    parts = [f"# {rule.name} ({rule.code})", f"{rule.severity} · {rule.family} · since {rule.since}"]
    parts += _section("What it does", _sentence(rule.summary))
    parts += _section("Why is this bad?", _sentence(rule.why))
    parts += _section("When it is silent", _sentence(rule.silent_when))
    for example in rule.examples:
        parts += _section("Bad", _code(example.bad))
        parts += _section("Good", _code(example.good))
    parts += _section("Thresholds", _thresholds(rule, dict(options)))
    for name in rule.tables:
        parts += reference(name, level=2)
    parts += _section("Fix safety", MENDING[rule.mends])
    parts += _section("References", _sentence(rule.source))
    return "\n\n".join(parts) + "\n"


def reference(name: str, level: int = 1) -> list[str]:
    """Heading and Markdown text of a reference table (a key of `initcheck.theory.reference.TABLES`)."""
    from initcheck.theory.reference import TABLES, markdown

    title, make = TABLES[name]
    return [f"{'#' * level} {title}", markdown(make())]


def _section(title: str, text: str) -> list[str]:
    return [f"## {title}", text] if text else []


def _sentence(text: str) -> str:
    """The text of a docstring section, which follows a colon there, with a capital at its start."""
    first = text.partition(" ")[0]
    return text[:1].upper() + text[1:] if first.isalpha() and first.islower() else text


def _code(source: str) -> str:
    return f"```python\n{source.strip()}\n```"


def _thresholds(rule: RuleInfo, options: dict[str, float]) -> str:
    lines = []
    for option in rule.options:
        chosen = options.get(f"{rule.name}.{option.name}", options.get(f"{rule.code}.{option.name}"))
        value = f"{option.value:g} (default)" if chosen is None else f"{chosen:g} (configured; the default is {option.value:g})"
        lines.append(f"- `{option.name}` = {value}: {option.help}")
    if lines:
        lines.append(f"\nSet in `[tool.initcheck.rules.{rule.name}]` of pyproject.toml.")
    return "\n".join(lines)
