"""The report as a piece of HTML for notebooks; everything that comes from the user's code is escaped."""

from __future__ import annotations

from html import escape

from initcheck.records.finding import Failure, Finding
from initcheck.records.report import ModelReport, Report
from initcheck.report.fold import fold
from initcheck.report.profile import profile
from initcheck.report.style import shown_path, size
from initcheck.report.summary import counted, measured, result, unjudged

_COLORS = {"error": "#c62828", "warning": "#b26a00", "info": "#1565c0"}


def render(report: Report) -> str:
    """A `<div>` without scripts and without outside resources."""
    parts = [_model(model) for model in report.models]
    parts += [_failure(failure) for failure in report.failures]
    parts.append(f"<p><b>{escape(result(report))}</b></p>")
    groups = unjudged(report.skips)
    if groups:
        items = "".join(f"<li>{group.times} × {escape(str(group))}</li>" for group in groups)
        parts.append(f"<details><summary>Not judged</summary><ul>{items}</ul></details>")
    return f'<div class="initcheck">{"".join(parts)}</div>'


def _model(model: ModelReport) -> str:
    about = f"{escape(model.model)}, {escape(size(model.parameters))}"
    if model.input is not None:
        about += f", input <code>{escape(model.input.text)}</code>"
    said = counted(model.findings) or ("no findings" if measured(model) else "not measured")
    head = f"<p><b>{escape(model.target.spec)}</b> {about}: {said}</p>"
    rows = "".join(_finding(finding) for finding in model.findings)
    table = f"<table><tr><th>severity</th><th>rule</th><th>parameters</th><th>what</th><th>remedy</th></tr>{rows}</table>" if rows else ""
    drawn = "".join(f"<div><code>{label:<8} {escape(text)}</code></div>" for label, text in profile(model.layers)) if rows else ""
    return head + table + drawn + "".join(_failure(failure) for failure in model.failures)


def _finding(finding: Finding) -> str:
    place = ""
    if finding.location is not None:
        place = f"<br><small>{escape(shown_path(finding.location.path))}:{finding.location.line}</small>"
    numbers = "; ".join(text for text in (finding.observed, finding.expected) if text)
    what = "<br>".join(escape(text) for text in (finding.message, numbers, finding.why, *finding.symptoms) if text)
    remedy = escape(finding.fix.title) if finding.fix is not None else ""
    cells = (
        f'<td style="color:{_COLORS[finding.severity]}">{finding.severity}</td>',
        f"<td>{escape(finding.code)} {escape(finding.name)}</td>",
        f"<td><code>{escape(fold(finding.parameters))}</code>{place}</td>",
        f'<td style="text-align:left">{what}</td>',
        f'<td style="text-align:left">{remedy}</td>',
    )
    return f"<tr>{''.join(cells)}</tr>"


def _failure(failure: Failure) -> str:
    hint = f"<br><i>{escape(failure.hint)}</i>" if failure.hint else ""
    return f'<p style="color:{_COLORS["error"]}">{escape(failure.name or failure.stage)}: {escape(failure.message)}{hint}</p>'
