"""How text becomes a terminal's text: colour, plain-ASCII fallback, widths, wrapping, numbers and paths."""

from __future__ import annotations

import math
import textwrap
import unicodedata
from dataclasses import dataclass
from pathlib import Path

GLYPHS = "✓✗→×·…√▁▂▃▄▅▆▇█─│"
"""What the reports draw with; an output that cannot encode all of these gets the ASCII form."""

_CODES = {
    "error": "1;31",
    "warning": "1;33",
    "info": "1;36",
    "help": "1;32",
    "good": "32",
    "strong": "1",
    "dim": "2",
    "gutter": "34",
}

_SPELLED = (
    *("✓ ok", "✗ x", "→ ->", "← <-", "× x", "· -", "… ...", "√ sqrt", "─ -", "│ |", "— --", "– -", "− -", "≈ ~", "≤ <=", "≥ >=", "≠ !="),
    *("² ^2", "³ ^3", "½ 1/2", "± +-", "∞ inf", "‘ '", "’ '", '“ "', '” "', "σ sigma", "μ mu", "π pi", "φ phi", "γ gamma", "β beta"),
    *("α alpha", "ε eps", "▁ _", "▂ .", "▃ ,", "▄ -", "▅ ~", "▆ =", "▇ +", "█ #"),
)
_ASCII = str.maketrans({spelling[0]: spelling[2:] for spelling in _SPELLED})


@dataclass(frozen=True, slots=True)
class Style:
    """The look of one output. `width` is the number of columns; nothing but source excerpts and names is ever cut."""

    color: bool = False
    ascii_only: bool = False
    width: int = 100

    def paint(self, text: str, kind: str) -> str:
        """The text in the colour of `kind`; the colour never says more than the words do."""
        return f"\x1b[{_CODES[kind]}m{text}\x1b[0m" if self.color and text else text

    def finish(self, text: str) -> str:
        """The whole output, with glyphs replaced where the terminal has none."""
        return text.translate(_ASCII) if self.ascii_only else text

    def source(self, line: str) -> str:
        """A line of the user's source with tabs as four spaces; in ASCII mode each other character is a `?`, so that carets stay true."""
        line = line.expandtabs(4)
        return line.encode("ascii", "replace").decode("ascii") if self.ascii_only else line

    def wrap(self, text: str, first: str = "", rest: str = "") -> list[str]:
        """The finished text wrapped at spaces; `first` and `rest` begin the first and the other lines. Long words stay whole."""
        lines = textwrap.wrap(
            self.finish(text),
            max(self.width, len(rest) + 20),
            initial_indent=first,
            subsequent_indent=rest,
            break_long_words=False,
            break_on_hyphens=False,
        )
        return lines or [first.rstrip()]


def can_show(encoding: str | None) -> bool:
    """Whether all glyphs can be encoded."""
    try:
        GLYPHS.encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def cells(text: str) -> int:
    """The number of terminal columns that the text takes: East Asian wide characters take two, combining marks none."""
    return sum(0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def shown_path(path: str) -> str:
    """The path relative to the working directory when it lies below it."""
    try:
        return str(Path(path).relative_to(Path.cwd()))
    except (ValueError, OSError):  # elsewhere, or relative already, or the directory is gone
        return path


def number(value: float | None) -> str:
    """Three significant digits, without exponent where that stays short; `-` when not known."""
    if value is None:
        return "-"
    if not math.isfinite(value):
        return str(value)
    if abs(value) >= 1000:
        return f"{value:,.0f}" if abs(value) < 1e6 else f"{value:.1e}"
    return f"{value:.3g}"


def count(amount: int, noun: str) -> str:
    """`1 model`, `2 models`; nouns that do not count (`info`) stay."""
    return f"{amount:,} {noun}{'' if amount == 1 or noun == 'info' else 's'}"


def size(parameters: int) -> str:
    """`250,378 parameters`, `11.7 M parameters`."""
    for unit, factor in (("B", 1e9), ("M", 1e6)):
        if parameters >= factor:
            return f"{parameters / factor:.1f} {unit} parameters"
    return count(parameters, "parameter")
