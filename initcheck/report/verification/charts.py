"""Two kinds of charts as inline SVG without scripts: losses along the run, and scores by learning rate."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 420, 240
_LEFT, _RIGHT, _TOP, _BOTTOM = 48, 12, 12, 36


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a chart: points (x, y), the class that gives its colour, and whether it is one of many or the one that counts."""

    points: tuple[tuple[float, float], ...]
    kind: str
    strong: bool = False
    title: str = ""


@dataclass(frozen=True, slots=True)
class Scale:
    """One axis: from `low` to `high`, logarithmic or not, with marks (value, text)."""

    low: float
    high: float
    logarithmic: bool
    marks: tuple[tuple[float, str], ...]
    label: str

    def share(self, value: float) -> float:
        """Where a value lies between the ends, held between 0 and 1."""
        low, high = self.low, self.high
        if self.logarithmic:
            low, high, value = math.log10(low), math.log10(high), math.log10(max(value, low))
        return min(max((value - low) / (high - low), 0.0), 1.0) if high > low else 0.5


def decades(values: Sequence[float], label: str) -> Scale:
    """A logarithmic scale in whole powers of ten around the finite values above zero."""
    finite = [value for value in values if math.isfinite(value) and value > 0] or [1.0]
    low, high = math.floor(math.log10(min(finite))), math.ceil(math.log10(max(finite)))
    high = max(high, low + 1)
    return Scale(10.0**low, 10.0**high, True, tuple((10.0**power, f"{10.0**power:g}") for power in range(low, high + 1)), label)


def chart(name: str, about: str, across: Scale, up: Scale, lines: Sequence[Line]) -> str:
    """The chart; `about` says in words what it shows."""
    body = [*_grid(across, up)]
    body += [_line(line, across, up) for line in sorted(lines, key=lambda one: one.strong)]
    return (
        f'<svg role="img" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}">'
        f"<title>{escape(name)}</title><desc>{escape(about)}</desc>{''.join(body)}</svg>"
    )


def _grid(across: Scale, up: Scale) -> list[str]:
    right, bottom = WIDTH - _RIGHT, HEIGHT - _BOTTOM
    parts = []
    for value, text in up.marks:
        y = _y(up, value)
        parts.append(f'<line class="grid" x1="{_LEFT}" y1="{y:.1f}" x2="{right}" y2="{y:.1f}"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{escape(text)}</text>')
    for value, text in across.marks:
        x = _x(across, value)
        parts.append(f'<line class="grid" x1="{x:.1f}" y1="{_TOP}" x2="{x:.1f}" y2="{bottom}"/>')
        parts.append(f'<text x="{x:.1f}" y="{bottom + 15}" text-anchor="middle">{escape(text)}</text>')
    parts.append(f'<text x="{(_LEFT + right) / 2:.0f}" y="{HEIGHT - 4}" text-anchor="middle">{escape(across.label)}</text>')
    parts.append(f'<text x="2" y="{_TOP - 2}" dominant-baseline="auto">{escape(up.label)}</text>' if up.label else "")
    return parts


def _line(line: Line, across: Scale, up: Scale) -> str:
    shown = [(_x(across, x), _y(up, y)) for x, y in line.points if math.isfinite(y)]
    if not shown:
        return ""
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in shown)
    kind = f"{line.kind}{' strong' if line.strong else ''}"
    dots = (
        "".join(f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="2.5"/>' for x, y in shown) if line.strong and len(shown) <= 12 else ""
    )
    return f'<g><title>{escape(line.title)}</title><polyline class="{kind}" points="{path}"/>{dots}</g>'


def _x(scale: Scale, value: float) -> float:
    return _LEFT + scale.share(value) * (WIDTH - _LEFT - _RIGHT)


def _y(scale: Scale, value: float) -> float:
    return HEIGHT - _BOTTOM - scale.share(value) * (HEIGHT - _TOP - _BOTTOM)
