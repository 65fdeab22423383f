"""One finding or one failure as the terminal shows it."""

from __future__ import annotations

from collections.abc import Sequence

from initcheck.records.finding import Failure, Finding
from initcheck.records.report import LayerSummary
from initcheck.report.excerpt import excerpt
from initcheck.report.fold import fold
from initcheck.report.message_page import why
from initcheck.report.profile import profile
from initcheck.report.style import Style, shown_path
from initcheck.report.summary import place

_LABEL = 9


def finding_frame(finding: Finding, layers: Sequence[LayerSummary], style: Style) -> list[str]:
    """The lines of one finding; `layers` are those whose profile is drawn, none for no profile."""
    lines = [*_title(finding, style), *_where(finding, style)]
    if finding.location is not None:
        lines += excerpt(finding.location, finding.note, style, finding.severity)
    elif finding.note:
        lines += style.wrap(finding.note, "   | ", "   | ")
    known = (("observed", finding.observed), ("expected", finding.expected))
    for label, text in (*known, *profile(layers), ("why", finding.why), *(("also", text) for text in finding.symptoms)):
        if text:
            lines += _labelled(label, text, style)
    if finding.fix is not None and finding.fix.title:
        lines += _head("help", "help:", finding.fix.title, style)
    return lines


def failure_frame(failure: Failure, style: Style) -> list[str]:
    """The lines of one failure: what could not be done and what to do about it."""
    name = f"error {failure.name or failure.stage}:"
    first, *rest = (place(failure) + failure.message).splitlines() or [""]
    lines = _head("error", name, first, style)
    lines += [f"  {line}".rstrip() for line in rest]
    hint, *more = failure.hint.splitlines() or [""]
    if hint:
        lines += _head("help", "help:", hint, style)
        lines += [f"      {line}".rstrip() for line in more]
    page = why(failure.name)
    return [*lines, *style.wrap(page)] if page else lines


def _title(finding: Finding, style: Style) -> list[str]:
    return _head(finding.severity, f"{finding.severity} {finding.code} {finding.name}:", finding.message, style)


def _head(kind: str, head: str, text: str, style: Style) -> list[str]:
    first, *rest = style.wrap(f"{head} {text}", rest="  ")
    if not first.startswith(head):  # the terminal is narrower than the head
        return [style.paint(first, kind), *rest]
    return [f"{style.paint(head, kind)}{first[len(head) :]}", *rest]


def _where(finding: Finding, style: Style) -> list[str]:
    names = fold(finding.parameters, limit=6)
    arrow = "  --> "
    location = finding.location
    if location is None:
        return style.wrap(names, arrow, " " * len(arrow)) if names else []
    column = f":{location.column}" if location.column else ""
    text = f"{shown_path(location.path)}:{location.line}{column}"
    return style.wrap(f"{text}   {names}" if names else text, arrow, " " * len(arrow))


def _labelled(label: str, text: str, style: Style) -> list[str]:
    first = f"   = {label:<{_LABEL}}"
    lines = style.wrap(text, first, " " * len(first))
    return [lines[0].replace(f"= {label}", f"= {style.paint(label, 'strong')}", 1), *lines[1:]]
