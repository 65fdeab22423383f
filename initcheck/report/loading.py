"""What came of a load, for people at a terminal: the table of what arrived, then what is wrong with it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence

from initcheck.records.arrival import Arrived, State, elements
from initcheck.records.finding import Finding
from initcheck.records.loading import LoadReport
from initcheck.records.serial import to_plain
from initcheck.report.fold import fold
from initcheck.report.frames import failure_frame, finding_frame
from initcheck.report.style import Style, cells, size
from initcheck.report.table import MARKS, tabulated
from initcheck.report.verification.terminal import lines

HEADERS = ("status", "tensors", "parameters", "names", "")
WORDS: dict[State, str] = {
    "loaded": "LOADED",
    "overwritten": "OVERWRITTEN",
    "changed": "CHANGED",
    "missing": "MISSING",
    "mismatched": "MISMATCH",
    "unexpected": "UNEXPECTED",
}
"""The words of the load report of transformers where it has one."""
REMARKS = 4
"""Rows for the tensors of one state that differ in what there is to say of them."""
_LEAST = 24


def render(report: LoadReport, *, color: bool, ascii_only: bool, width: int, verbose: bool = False, quiet: bool = False) -> str:
    """The report as text that ends in a newline; `quiet` leaves out what is well."""
    style = Style(color, ascii_only, max(width, 40))
    loud = [finding for finding in report.model.findings if finding.severity != "info" or verbose]
    if quiet and report.ok and not loud:
        return ""
    blocks = [_header(report, style), _table(report, style, verbose=verbose), _verdict(report, style, verbose=verbose)]
    blocks += [finding_frame(finding, (), style) for finding in loud]
    blocks += [failure_frame(failure, style) for failure in report.model.failures]
    blocks += _trial(report, style)
    blocks.append(_written(report, style))
    return style.finish("\n\n".join("\n".join(block) for block in blocks if block) + "\n")


def as_json(report: LoadReport) -> str:
    """JSON text, ASCII only, keys sorted, no times."""
    return json.dumps(to_plain(report), sort_keys=True, indent=2, allow_nan=False) + "\n"


def _trial(report: LoadReport, style: Style) -> list[list[str]]:
    """How the model trains without the weights and with them."""
    found = [lines(report.trial, style)] if report.trial is not None else []
    found += [failure_frame(report.untried, style)] if report.untried is not None else []
    return [[style.paint("Trained without the stored weights and with them:", "strong")], *found] if found else []


def _header(report: LoadReport, style: Style) -> list[str]:
    model = report.model
    lines = style.wrap(f"{model.target.spec}  {model.model}, {size(model.parameters)} · from {report.arrival.source}", rest="  ")
    name = model.target.spec
    first = lines[0]
    lines[0] = style.paint(name, "strong") + first[len(name) :] if first.startswith(name) else first
    notes = [*report.arrival.notes, *(model.built.notes if model.built is not None else ())]
    return [*lines, *(line for note in notes for line in style.wrap(f"note: {note}", "  ", "  "))]


def _table(report: LoadReport, style: Style, *, verbose: bool) -> list[str]:
    rows = []
    for state, word in WORDS.items():
        groups = _remarks(report, state)
        for remark, group in groups[: None if verbose else REMARKS]:
            rows.append([word, f"{len(group):,}", f"{elements(group):,}", "\n".join(one.name for one in group), remark])
        rest = [one for _, group in groups[REMARKS:] for one in group] if not verbose else []
        if rest:
            rows.append([word, f"{len(rest):,}", f"{elements(rest):,}", "\n".join(one.name for one in rest), "(-v shows all)"])
    return _fitted([[style.finish(text) for text in row] for row in rows], style, verbose=verbose)


def _fitted(rows: list[list[str]], style: Style, *, verbose: bool) -> list[str]:
    """The table, its names shortened to what the line has room for; remarks go to lines of their own when that does not help."""
    taken = 2 + sum(max([cells(HEADERS[column]), *(cells(row[column]) for row in rows)]) + 2 for column in (0, 1, 2))
    remarks = max((cells(row[4]) for row in rows), default=0)
    room = style.width - taken - remarks - 2
    below = room < _LEAST and remarks > 0
    room = max(style.width - taken if below else room, _LEAST)
    body = [[*row[:3], _names(row[3].split("\n"), room, style), "" if below else row[4]] for row in rows]
    shown = [row[:4] for row in body] if below or not remarks else body
    head, rule, *lines = tabulated(shown, HEADERS[: len(shown[0])] if shown else HEADERS, (1, 2))
    found = [style.paint(head, "dim"), style.paint(style.finish(rule), "dim")]
    for line, row in zip(lines, rows, strict=True):
        kind = {"LOADED": "good", "OVERWRITTEN": "error", "MISMATCH": "warning"}.get(row[0], "")
        found.append(line.replace(row[0], style.paint(row[0], kind), 1) if kind else line)
        if below and row[4]:
            found += style.wrap(row[4], " " * 6, " " * 6)
        if verbose:
            found += [style.paint(text, "dim") for text in style.wrap(fold(row[3].split("\n")), " " * 6, " " * 6)]
    return found


def _names(names: list[str], room: int, style: Style) -> str:
    """The folded names; where they need more than `room`, only how they begin, as far down as there is room for."""
    text = fold(names)
    depth = max(name.count(".") for name in names)
    while cells(text) > room and depth:
        starts = [".".join(name.split(".")[:depth]) + (".*" if name.count(".") >= depth else "") for name in names]
        text, depth = style.finish(fold(starts)), depth - 1
    dots = style.finish("…")
    return text if cells(text) <= room else f"{text[: room - len(dots)]}{dots}"


def _remarks(report: LoadReport, state: State) -> list[tuple[str, list[Arrived]]]:
    """The tensors of one state by what there is to say of them, in the order of the model."""
    groups: dict[str, list[Arrived]] = {}
    for one in report.arrival.of(state):
        groups.setdefault(_remark(one, report), []).append(one)
    return list(groups.items())


def _remark(one: Arrived, report: LoadReport) -> str:
    if one.state == "loaded":
        return ""
    if one.drawn:
        return f"{one.because}; drawn by {one.drawn}" if one.because else f"drawn by {one.drawn}"
    if one.state == "missing":
        found = [finding for finding in report.model.findings if one.name in finding.parameters and not finding.code.startswith("IC9")]
        judged = ", ".join(dict.fromkeys(f"{MARKS[finding.severity]} {finding.code}" for finding in found))
        if one.kind == "buffer":
            return one.because or "keeps its own values"
        return one.because or (f"stays random → {judged}" if judged else f"stays random{_scheme(one.name, report)}")
    if one.state == "mismatched":
        shapes = f"{_shape(one.stored_shape)} in the file, {_shape(one.shape)} in the model"
        return one.because or shapes
    if one.state == "unexpected":
        rename = next((rename for rename in report.arrival.renames if one.name.startswith(rename.old.split("*")[0] or "\0")), None)
        return f"fits elsewhere: --rename {_quoted(str(rename))}" if rename is not None else ""
    return one.because


def _scheme(name: str, report: LoadReport) -> str:
    owner = name.rpartition(".")[0]
    layer = next((layer for layer in report.model.layers if layer.weight == name or (owner and layer.name == owner)), None)
    return f": {layer.scheme}" if layer is not None and layer.scheme not in ("", "-", "not known") else ""


def _quoted(text: str) -> str:
    return f"'{text}'" if "*" in text else text


def _shape(shape: Sequence[int]) -> str:
    return f"[{', '.join(map(str, shape))}]"


def _verdict(report: LoadReport, style: Style, *, verbose: bool) -> list[str]:
    return [line for mark, text, kind in _said(report, verbose=verbose) for line in _marked(mark, text, kind, style)]


def _said(report: LoadReport, *, verbose: bool) -> Iterator[tuple[str, str, str]]:
    arrival = report.arrival
    proven = len(arrival.of("loaded"))
    if not arrival.named:
        yield "✗", "Nothing was loaded: no stored name fits the model.", "error"
    elif report.random_share > 0:
        share = f"{100.0 * report.random_share:.1f} %" if report.random_share >= 0.0005 else "less than 0.1 %"
        drawn = any(one.drawn for one in arrival.tensors)
        offer = "" if drawn or not _judged(report) else " `--fix-missing` gives them the scheme that is recommended for their place."
        yield "!", f"{share} of the parameters {'are random' if drawn else 'stay at their random initialization'}.{offer}", "warning"
    if proven:
        lost = len(arrival.of("changed", "overwritten"))
        yield "✓", f"{proven:,} tensors are in the model bit for bit{f', {lost:,} are not' if lost else ''}.", "good"
    if report.violated:
        yield "✗", "Not everything fits, and --strict was given.", "error"
    quiet = [finding for finding in report.model.findings if finding.severity == "info"]
    if quiet and not verbose:
        yield "i", f"{_listed(quiet)} (-v shows {'it' if len(quiet) == 1 else 'them'}).", "info"


def _judged(report: LoadReport) -> bool:
    """Whether the rules about starts found something in what stays random."""
    names = {one.name for one in report.arrival.of("missing", "mismatched")}
    return any(names & set(finding.parameters) and not finding.code.startswith("IC9") for finding in report.model.findings)


def _listed(findings: Iterable[Finding]) -> str:
    return ", ".join(dict.fromkeys(f"{finding.code} {finding.name}" for finding in findings))


def _marked(mark: str, text: str, kind: str, style: Style) -> list[str]:
    sign = style.finish(mark)
    first, *rest = style.wrap(text, f"{sign} ", " " * (len(sign) + 1))
    return [style.paint(sign, kind) + first[len(sign) :], *rest]


def _written(report: LoadReport, style: Style) -> list[str]:
    if report.written:
        return style.wrap(f"Wrote {report.written}.")
    return style.wrap(f"Nothing was written: {report.withheld}.") if report.withheld else []
