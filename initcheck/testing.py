"""Assertions about initial weights for the user's own tests; importing this module imports no torch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from initcheck.errors import NothingToCheck, TargetError
from initcheck.records.finding import Finding, Severity, rank
from initcheck.records.report import ModelReport, Report
from initcheck.report.fold import fold
from initcheck.report.profile import profile
from initcheck.report.style import Style, shown_path
from initcheck.report.summary import counted, measured

FIRST_LINE = 80
"""Characters of the first line, which is all that pytest's summary shows."""

WIDTH = 100


def assert_init(
    model_or_factory: object,
    inputs: object = None,
    *,
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
    fail_on: Severity = "warning",
    **settings: Any,
) -> Report:
    """Asserts that a model starts well.

    Args:
        model_or_factory: a module, a function without arguments that builds one, or a target such as `"model.py::Net"`.
        inputs: a sample input (tensor, tuple or dictionary); synthesised when left out.
        select: codes, prefixes or names of the only rules to ask.
        ignore: codes, prefixes or names of rules not to ask.
        fail_on: the mildest severity that fails the assertion.
        **settings: further fields of `initcheck.records.settings.Settings`, such as `seed` and `batch`.

    Returns:
        The report, with what lies below `fail_on`.

    Raises:
        AssertionError: when a finding reaches `fail_on`; the first line says it all in 80 characters.
        InitcheckError: when the model could not be built, run or measured: what was not measured never passes.
    """
    __tracebackhide__ = True
    from initcheck.engine import check

    report = check(model_or_factory, inputs, select=tuple(select), ignore=tuple(ignore), fail_on=fail_on, **settings)
    require(report)
    return report


def require(report: Report) -> None:
    """Asserts that a report is complete and has nothing at or above its `fail_on`.

    Raises:
        AssertionError: when a finding reaches `fail_on`.
        InitcheckError: when something was not measured.
    """
    __tracebackhide__ = True
    for failure in report.all_failures:
        raise TargetError(failure.message + (f"\n{failure.hint}" if failure.hint else ""), failure.hint, name=failure.name)
    if not report.models:
        raise NothingToCheck("no model was checked")
    for model in report.models:
        if not measured(model):
            raise TargetError(f"{_title(model)} was not measured, so nothing can be said of it", name="not-measured")
    text = failure_text(report)
    if text:
        raise AssertionError(text)


def failure_text(report: Report) -> str:
    """What the assertion says; empty when no finding reaches `fail_on`."""
    blocks = [_model_text(model, report.fail_on) for model in report.models]
    return "\n\n".join(block for block in blocks if block)


def _model_text(model: ModelReport, fail_on: Severity) -> str:
    findings = [finding for finding in model.findings if rank(finding.severity) >= rank(fail_on)]
    if not findings:
        return ""
    lines = [_first_line(model, findings), ""]
    for finding in findings:
        lines += [f"  {line}".rstrip() for line in _finding_lines(finding)]
    drawn = profile(model.layers)
    if drawn:
        lines += ["", *(f"  {label:<8} {text}" for label, text in drawn)]
    lines += ["", f"  explain: initcheck rule {findings[0].code}"]
    return "\n".join(lines)


def _first_line(model: ModelReport, findings: Sequence[Finding]) -> str:
    head = f"{_title(model)}: {counted(findings).replace(' ', ' initialization ', 1)}"
    for shown in range(len(findings), 0, -1):
        more = f", +{len(findings) - shown}" if shown < len(findings) else ""
        line = f"{head} ({', '.join(map(_brief, findings[:shown]))}{more})"
        if len(line) <= FIRST_LINE:
            return line
    return head if len(head) <= FIRST_LINE else f"{head[: FIRST_LINE - 1]}…"


def _brief(finding: Finding) -> str:
    amount = len(finding.parameters)
    return f"{finding.code} ×{amount}" if amount > 1 else finding.code


def _title(model: ModelReport) -> str:
    return model.model or model.target.spec


def _finding_lines(finding: Finding) -> list[str]:
    style = Style(width=WIDTH)
    lines = style.wrap(f"{finding.severity} {finding.code} {finding.name}  {fold(finding.parameters, limit=4)}", rest="      ")
    lines += style.wrap(finding.message, "      ", "      ")
    numbers = "; ".join(text for text in (finding.observed, f"expected {finding.expected}" if finding.expected else "") if text)
    if numbers:
        lines += style.wrap(numbers, "      ", "      ")
    if finding.location is not None:
        lines.append(f"      {shown_path(finding.location.path)}:{finding.location.line}")
    if finding.fix is not None and finding.fix.title:
        lines += style.wrap(f"help: {finding.fix.title}", "      ", "      ")
    return lines
