"""What every voice says the same way: counts, what was measured, what was not judged."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from dataclasses import dataclass

from initcheck.records.finding import Failure, Finding, Skip
from initcheck.records.report import ModelReport, Report
from initcheck.report.fold import fold
from initcheck.report.style import count

CODES = 8
"""Rules that are named one by one where many were silent for the same reason."""

FILES = 3
"""Files that are named in a command to paste, at the most."""


@dataclass(frozen=True, slots=True)
class Unjudged:
    """Judgements that were not possible for one reason."""

    reason: str
    codes: tuple[str, ...]
    subjects: tuple[str, ...]
    times: int

    def __str__(self) -> str:
        named = [*self.codes[:CODES], f"{len(self.codes) - CODES} other rules"] if len(self.codes) > CODES + 1 else self.codes
        about = ", ".join(part for part in (", ".join(named), fold(self.subjects, limit=3)) if part)
        return f"{self.reason} ({about})" if about else self.reason


def measured(model: ModelReport) -> bool:
    """Whether the model ran (stored weights cannot), rules were asked, and nothing broke: only then may silence be called health."""
    return bool(model.checked) and (model.input is not None or model.target.kind == "weights") and not model.failures


def read_only(model: ModelReport) -> bool:
    """Whether nothing but the source was looked at, as was asked for: its silence is no health, and no failure either."""
    return model.built is not None and model.built.source_only and not model.failures


def counted(findings: Iterable[Finding]) -> str:
    """`1 error, 2 warnings`, or empty."""
    levels = [finding.severity for finding in findings]
    return ", ".join(count(levels.count(level), level) for level in ("error", "warning", "info") if level in levels)


def unjudged(skips: Iterable[Skip]) -> tuple[Unjudged, ...]:
    """The skips grouped by reason, the most frequent first."""
    groups: dict[str, list[Skip]] = {}
    for skip in skips:
        groups.setdefault(skip.reason, []).append(skip)
    grouped = [
        Unjudged(
            reason,
            tuple(sorted({skip.code for skip in members if skip.code})),
            tuple(dict.fromkeys(skip.subject for skip in members if skip.subject)),
            len(members),
        )
        for reason, members in groups.items()
    ]
    return tuple(sorted(grouped, key=lambda group: (-group.times, group.reason)))


def result(report: Report) -> str:
    """The one line that says how it went."""
    failures = report.all_failures
    broken = sum(1 for model in report.models if model.failures) + len(report.failures)
    unmeasured = sum(1 for model in report.models if not model.failures and not measured(model) and not read_only(model))
    sources = sum(1 for model in report.models if read_only(model))
    tail = f" {count(broken, 'target')} could not be checked." if failures else ""
    tail += f" {count(unmeasured, 'model')} could not be measured." if unmeasured else ""
    tail += f" Source only: {count(sources, 'model')} read, nothing executed." if sources else ""
    if report.findings:
        return f"Found {counted(report.findings)} in {count(len(report.models), 'model')}.{tail}"
    if not report.models and not failures:
        return "Nothing was checked."
    if tail:
        clean = sources + sum(1 for model in report.models if measured(model))
        return (f"No findings in {count(clean, 'model')}.{tail}" if clean else tail).strip()
    rules = len({code for model in report.models for code in model.checked})
    return f"All clear: {count(len(report.models), 'model')}, {count(rules, 'rule')}, seed {report.seed}."


def fixable(report: Report) -> tuple[str, str]:
    """How many findings have a remedy, and the command that shows what it would change; empty where there is none, or no file to mend."""
    remedies = [
        (model.target.path, finding.fix)
        for model in report.models
        if model.target.recipe is not None and not model.target.source
        for finding in model.findings
        if finding.fix is not None and finding.fix.steps
    ]
    if not remedies:
        return "", ""
    paths = tuple(dict.fromkeys(path for path, _ in remedies))
    names = shlex.join(paths) if len(paths) <= FILES else "FILE"
    safe = sum(1 for _, fix in remedies if fix.safety == "safe")
    bold = len(remedies) - safe
    if not safe:
        return f"{bold} can be fixed", f"initcheck fix {names} --unsafe-fixes --diff"
    return f"{safe} can be fixed{f', {bold} more with --unsafe-fixes' if bold else ''}", f"initcheck fix {names} --diff"


def place(failure: Failure) -> str:
    """Where a failure belongs: the subject, unless the message names it already."""
    return "" if not failure.subject or failure.subject in failure.message else f"{failure.subject}: "
