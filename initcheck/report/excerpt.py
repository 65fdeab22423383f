"""The user's source around a line, with a caret under the columns that are meant."""

from __future__ import annotations

from initcheck.records.source import Location
from initcheck.report.style import Style, cells
from initcheck.source.reading import shown_lines

CONTEXT = 1
"""Lines shown before and after the line itself."""


def excerpt(location: Location, note: str, style: Style, kind: str) -> list[str]:
    """The frame lines, or the note alone when the file cannot be read (an importable library, an interactive session)."""
    lines = shown_lines(location.path)
    if not 1 <= location.line <= len(lines):
        return style.wrap(note, "   | ", "   | ") if note else []
    first, last = max(location.line - CONTEXT, 1), min(location.line + CONTEXT, len(lines))
    while first < location.line and not lines[first - 1].strip():
        first += 1
    while last > location.line and not lines[last - 1].strip():
        last -= 1
    gutter = len(str(last))
    bar = style.paint("|", "gutter")
    shown = [f"{'':{gutter}} {bar}"]
    for index in range(first, last + 1):
        start = _start(lines[index - 1], location, style, gutter) if index == location.line else 0
        text = _cut(style.source(lines[index - 1])[start:], style.width - gutter - 3, style)
        shown.append(f"{style.paint(f'{index:>{gutter}}', 'gutter')} {bar} {text}".rstrip())
        if index == location.line:
            shown += [f"{'':{gutter}} {bar} {line}" for line in _caret(lines[index - 1], location, note, style, kind, start, gutter)]
    return [*shown, f"{'':{gutter}} {bar}"]


def _cut(text: str, width: int, style: Style) -> str:
    dots = style.finish("…")
    return text if cells(text) <= width else f"{text[: max(width - len(dots), 1)]}{dots}"


def _span(line: str, location: Location) -> tuple[int, int]:
    """Start and end of the marked columns, from 0, in characters of the line with its tabs expanded."""
    start = min(max(location.column - 1, 0), len(line))
    end = min(location.end_column - 1, len(line)) if location.end_column > location.column else start + 1
    return len(line[:start].expandtabs(4)), len(line[: max(end, start + 1)].expandtabs(4))


def _start(line: str, location: Location, style: Style, gutter: int) -> int:
    """How much of the beginning is left out so that the marked columns can be seen."""
    _, end = _span(line, location)
    room = style.width - gutter - 4
    left, _ = _span(line, location)
    return 0 if not location.column or end <= room else max(min(left - 8, end - room // 2), 0)


def _caret(line: str, location: Location, note: str, style: Style, kind: str, start: int, gutter: int) -> list[str]:
    if not location.column:
        return [style.paint(text, kind) for text in style.wrap(note)] if note else []
    left, right = _span(line, location)
    text = style.source(line)
    room = max(style.width - gutter - 3, 20)
    blank = " " * cells(text[start:left])
    marks = "^" * max(min(cells(text[left:right]), room - len(blank)), 1)
    if not note or cells(blank + marks) + 1 + cells(note) <= room:
        return [blank + style.paint(f"{marks} {note}".rstrip(), kind)]
    indent = blank if len(blank) + 30 <= room else "  "
    inner = Style(style.color, style.ascii_only, room)
    return [blank + style.paint(marks, kind), *(indent + style.paint(part.strip(), kind) for part in inner.wrap(note, indent, indent))]
