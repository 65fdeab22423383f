"""One line per finding, `path:line:column: severity CODE name message (parameters)`, for editors and grep."""

from __future__ import annotations

from initcheck.records.finding import Failure, Finding
from initcheck.records.report import ModelReport, Report
from initcheck.report.fold import fold
from initcheck.report.style import Style, shown_path
from initcheck.report.summary import measured, read_only


def render(report: Report, *, color: bool, ascii_only: bool) -> str:
    """The lines, each ended by a newline; empty for a clean report."""
    style = Style(color, ascii_only)
    lines = []
    for model in report.models:
        lines += [_finding(finding, model, style) for finding in model.findings]
        lines += [_failure(failure, model.target.spec, style) for failure in model.failures]
        if not measured(model) and not read_only(model) and not model.failures:
            lines.append(f"{model.target.spec}: {style.paint('error', 'error')} not-measured the model did not run")
    lines += [_failure(failure, failure.subject, style) for failure in report.failures]
    return style.finish("".join(f"{line}\n" for line in lines))


def _finding(finding: Finding, model: ModelReport, style: Style) -> str:
    names = fold(finding.parameters)
    what = f"{style.paint(finding.severity, finding.severity)} {finding.code} {finding.name} {_flat(finding.message)}"
    return f"{_place(finding, model)}: {what}{f' ({names})' if names else ''}"


def _place(finding: Finding, model: ModelReport) -> str:
    location = finding.location or (model.built.location if model.built is not None else None)
    if location is None:
        return model.target.spec
    return f"{shown_path(location.path)}:{max(location.line, 1)}:{max(location.column, 1)}"


def _failure(failure: Failure, subject: str, style: Style) -> str:
    name = failure.name or failure.stage
    return f"{subject or failure.stage}: {style.paint('error', 'error')} {name} {_flat(failure.message)}"


def _flat(text: str) -> str:
    return " ".join(text.split())
