"""The layer table of `initcheck show`, and lists of rules and targets."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

from initcheck.records.finding import Finding, rank
from initcheck.records.report import LayerSummary, ModelReport
from initcheck.report.fold import fold
from initcheck.report.profile import PLAIN_KINDS, axes, profile, root
from initcheck.report.sparkline import Axis, bar
from initcheck.report.style import Style, cells, number, size

MARKS = {"error": "✗", "warning": "!", "info": "i"}
"""The symbol of each severity; colour never stands alone."""

COLUMNS = ("layer", "shape", "looks like", "std", "needs", "rms", "", "grad", "", "findings")
DROPPED_FIRST = (4, 2, 8, 6, 1)
"""Columns that go when the terminal is too narrow, in this order; numbers are never wrapped."""

FEW = 3
"""So many repeated rows are worth a fold."""

LONGEST_BLOCK = 40
"""Layers in a block whose repetitions are looked for."""

_RIGHT = (3, 4, 5, 7)


def render(model: ModelReport, *, color: bool, ascii_only: bool, width: int, verbose: bool = False) -> str:
    """The table of one model: one row per layer, equal neighbours folded unless `verbose`."""
    style = Style(color, ascii_only, max(width, 40))
    lines = [f"{style.paint(model.target.spec, 'strong')}  {model.model}, {size(model.parameters)}"]
    if model.input is not None:
        lines += style.wrap(f"{model.input.text}  {model.input.origin}".rstrip(), "  input  ", " " * 9)
    else:
        stored = model.target.kind == "weights" and not model.failures
        lines.append("  weights alone: there is no model" if stored else "  not measured: the model did not run")
    if not model.layers:
        return style.finish("\n".join([*lines, "  no layers with weights", ""]))
    lines += ["", *_table(model, style, verbose=verbose), ""]
    lines += [line for label, text in profile(model.layers) for line in style.wrap(text, f"  {label:<9}", " " * 11)]
    reasons = list(dict.fromkeys(layer.unknown for layer in model.layers if layer.unknown))
    lines += [line for reason in reasons[:FEW] for line in style.wrap(f"not known: {reason}", "  ", "  ")]
    return style.finish("\n".join([*lines, ""]))


def listing(rows: Sequence[Sequence[str]], headers: Sequence[str], *, color: bool, ascii_only: bool, width: int) -> str:
    """A plain table of texts; the last column is cut to the width."""
    style = Style(color, ascii_only, max(width, 40))
    finished = [[style.finish(text) for text in row] for row in rows]
    taken = sum(max(map(cells, column)) + 2 for column in list(zip(headers, *finished, strict=True))[:-1]) + 2
    cut = [[*row[:-1], _cut(row[-1], style.width - taken, style)] for row in finished]
    head, rule, *body = tabulated(cut, headers, ())
    return "\n".join([style.paint(head, "dim"), style.paint(style.finish(rule), "dim"), *body]) + "\n"


def fitted(rows: Sequence[Sequence[str]], headers: Sequence[str], style: Style) -> list[str]:
    """A table of texts where it fits the width; else one paragraph per row, its cells behind their headers."""
    finished = [[style.finish(text) for text in row] for row in rows]
    if sum(max(map(cells, column)) + 2 for column in zip(headers, *finished, strict=True)) <= style.width:
        head, rule, *body = tabulated(finished, headers, ())
        return [style.paint(head, "dim"), style.paint(style.finish(rule), "dim"), *body]
    margin = max(map(cells, headers[1:])) + 4
    lines = []
    for first, *others in finished:
        lines.append(style.paint(first, "strong"))
        for header, text in zip(headers[1:], others, strict=True):
            lines += style.wrap(text, f"  {header}".ljust(margin), " " * margin) if text else []
        lines.append("")
    return lines[:-1]


def _table(model: ModelReport, style: Style, *, verbose: bool) -> list[str]:
    marks = _marks(model.findings)
    on = axes(model.layers)
    rows: list[list[str]] = []
    folded: dict[int, str] = {}
    for first, rest in _repeats(model.layers, marks, verbose=verbose):
        rows += [[style.finish(text) for text in _row(layer, marks, on)] for layer in first]
        if rest:
            names = fold(layer.name or layer.weight for layer in rest)
            folded[len(rows)] = style.finish(f"  … {len(rest)} more like {'this' if len(first) == 1 else 'these'}: {names}")
            rows.append([""] * len(COLUMNS))
    keep = [index for index in range(len(COLUMNS)) if index == 0 or any(row[index] not in ("", "-") for row in rows)]
    lines: list[str] = []
    for drop in (None, *DROPPED_FIRST):
        keep = [index for index in keep if index != drop]
        right = [position for position, column in enumerate(keep) if column in _RIGHT]
        lines = tabulated([[row[column] for column in keep] for row in rows], [COLUMNS[column] for column in keep], right)
        if max(map(cells, lines)) <= style.width:
            break
    head, rule, *body = lines
    return [style.paint(head, "dim"), style.paint(style.finish(rule), "dim"), *_painted(body, folded, style)]


def _repeats(
    layers: Sequence[LayerSummary], marks: dict[str, str], *, verbose: bool
) -> Iterator[tuple[Sequence[LayerSummary], Sequence[LayerSummary]]]:
    """Runs of layers as (what is shown, what only repeats it); a repeated block may have several layers."""
    looks = [_likeness(layer, marks) for layer in layers]
    at = 0
    while at < len(layers):
        period, covered = 1, 1
        for candidate in range(1, 0 if verbose else min(LONGEST_BLOCK, (len(layers) - at) // 2) + 1):
            end = at + candidate
            while looks[end : end + candidate] == looks[at : at + candidate]:
                end += candidate
            if end - at - candidate >= max(FEW, covered - period + 1):
                period, covered = candidate, end - at
        yield layers[at : at + period], layers[at + period : at + covered]
        at += covered


def _painted(body: list[str], folded: dict[int, str], style: Style) -> list[str]:
    """The rows in colour; the text of a folded row reaches over all columns."""
    painted = []
    for index, line in enumerate(body):
        if index in folded:
            painted.append(style.paint(_cut(folded[index], style.width, style), "dim"))
            continue
        found = ((severity, line.rfind(f" {style.finish(mark)} IC")) for severity, mark in MARKS.items())
        severity, at = max(found, key=lambda pair: pair[1])
        painted.append(line if at < 0 else line[: at + 1] + style.paint(line[at + 1 :], severity))
    return painted


def _cut(text: str, room: int, style: Style) -> str:
    room = max(room, 20)
    dots = style.finish("…")
    return text if len(text) <= room else f"{text[: room - len(dots)]}{dots}"


def tabulated(rows: Sequence[Sequence[str]], headers: Sequence[str], right: Sequence[int]) -> list[str]:
    """A table without frames: the header, a rule, the rows; columns of `right` are aligned there."""
    import tabulate  # half of its cost is spent on commands that print no table

    look = tabulate.TableFormat(
        None, tabulate.Line("  ", "─", "──", ""), None, None, tabulate.DataRow("  ", "  ", ""), tabulate.DataRow("  ", "  ", ""), 0, None
    )
    alignment = ["right" if index in right else "left" for index in range(len(headers))]
    padding, tabulate.MIN_PADDING = tabulate.MIN_PADDING, 0
    try:
        text = tabulate.tabulate(rows, headers, tablefmt=look, disable_numparse=True, colalign=alignment if rows else None)
    finally:
        tabulate.MIN_PADDING = padding
    return [line.rstrip() for line in text.split("\n")]


def _row(layer: LayerSummary, marks: dict[str, str], on: tuple[Axis, Axis]) -> list[str]:
    signal, gradient = root(layer.second_moment), root(layer.gradient)
    plain = layer.kind in PLAIN_KINDS
    return [
        layer.name or layer.weight,
        _shape(layer),
        layer.scheme or "-",
        number(layer.std),
        _needs(layer),
        number(signal),
        bar(signal, on[0]) if plain and signal is not None else "",
        number(gradient),
        bar(gradient, on[1]) if plain and gradient is not None else "",
        marks.get(layer.weight, ""),
    ]


def _needs(layer: LayerSummary) -> str:
    if layer.recommended_gain is None or not layer.fan_in:
        return "-"
    return number(layer.recommended_gain / math.sqrt(layer.fan_in))


def _shape(layer: LayerSummary) -> str:
    shape = layer.shape
    if layer.kind == "linear" and len(shape) == 2:
        return f"{shape[1]}→{shape[0]}"
    if layer.kind == "conv" and len(shape) > 2:
        return f"{shape[1]}→{shape[0]} {'×'.join(map(str, shape[2:]))}"
    return "×".join(map(str, shape)) or "scalar"


def _marks(findings: Iterable[Finding]) -> dict[str, str]:
    """The symbol and codes of the findings of each parameter, gravest first."""
    found: dict[str, list[Finding]] = {}
    for finding in findings:
        for name in finding.parameters:
            found.setdefault(name, []).append(finding)
    marks = {}
    for name, members in found.items():
        members.sort(key=lambda finding: -rank(finding.severity))
        codes = dict.fromkeys(finding.code for finding in members)
        marks[name] = f"{MARKS[members[0].severity]} {' '.join(codes)}"
    return marks


def _likeness(layer: LayerSummary, marks: dict[str, str]) -> tuple[object, ...]:
    words = tuple(part for part in layer.name.split(".") if not part.isdigit())
    return (words, layer.kind, layer.shape, layer.scheme, marks.get(layer.weight, ""))
