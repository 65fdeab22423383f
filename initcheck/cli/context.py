"""Where the command line writes, and how its output may look."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TextIO

from initcheck.errors import InitcheckError
from initcheck.report.style import Style, can_show

FALLBACK_WIDTH = 100

_ESCAPE = re.compile(r"\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)|[@-Z\\-_])")
"""Colours, cursor movements and titles."""


@dataclass(slots=True)
class Console:
    """The two streams of a command: results go to standard output, everything else to standard error."""

    color: bool = False
    ascii_only: bool = False
    width: int = FALLBACK_WIDTH
    verbose: int = 0
    quiet: bool = False
    pending: bool = False
    """Whether an unfinished progress line stands on the terminal."""

    def out(self, text: str) -> None:
        """Writes a result; a reader that has gone away (`| head`) is no error."""
        try:
            sys.stdout.write(text)
            sys.stdout.flush()
        except BrokenPipeError:
            # Python flushes once more at its end, which must not complain either
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    def note(self, text: str) -> None:
        """Says something about the run, unless `-q` was given."""
        if not self.quiet:
            self._err(self._style().finish(text))

    def detail(self, text: str) -> None:
        """Says something that only `-v` asks for."""
        if self.verbose:
            self._err(self._style().finish(text))

    def user(self, line: str) -> None:
        """Passes on a line that the user's own code printed."""
        self._err(self._style().finish("│ ") + _harmless(line))

    def progress(self, text: str) -> None:
        """Shows the present stage on one line of a terminal that the next output takes away; nothing in a pipe."""
        if self.quiet or not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
            return
        sys.stderr.write(f"\r\x1b[K{self._style().finish(text)[: self.width - 1]}")
        sys.stderr.flush()
        self.pending = True

    def done(self) -> None:
        """Takes the progress line away."""
        if self.pending:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            self.pending = False

    def error(self, message: str, hint: str = "") -> None:
        """Says what could not be done, and what can be done about it."""
        style = Style(wants_color("auto", sys.stderr, os.environ) if not self.color else True, self.ascii_only)
        self._err(style.finish(f"{style.paint('error:', 'error')} {message}"))
        if hint:
            self._err(style.finish(f"{style.paint('help:', 'help')} {hint}"))

    def _style(self) -> Style:
        return Style(self.color, self.ascii_only, self.width)

    def _err(self, text: str) -> None:
        self.done()
        try:
            sys.stderr.write(f"{text}\n")
            sys.stderr.flush()
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())


def _harmless(line: str) -> str:
    """The line without what would move the cursor, colour the terminal or ring; the last state of a line that was drawn over."""
    last = next((part for part in reversed(line.split("\r")) if part), "")
    return "".join(char if char.isprintable() or char == "\t" else f"\\x{ord(char):02x}" for char in _ESCAPE.sub("", last))


def console(color: str = "auto", verbose: int = 0, *, quiet: bool = False) -> Console:
    """The console for this process's streams and environment."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")  # a name in the user's code may not fit the terminal's encoding
    ascii_only = os.environ.get("TERM") == "dumb" or not can_show(sys.stdout.encoding) or not can_show(sys.stderr.encoding)
    width = shutil.get_terminal_size((FALLBACK_WIDTH, 24)).columns
    return Console(wants_color(color, sys.stdout, os.environ), ascii_only, width, verbose, quiet)


def wants_color(choice: str, stream: TextIO, environ: Mapping[str, str]) -> bool:
    """`--color` over NO_COLOR over FORCE_COLOR and CLICOLOR_FORCE over whether the stream is a terminal."""
    if choice != "auto":
        return choice == "always"
    if environ.get("NO_COLOR"):
        return False
    for name in ("FORCE_COLOR", "CLICOLOR_FORCE"):
        if environ.get(name, "0") not in ("", "0"):
            return True
    return stream.isatty() and environ.get("TERM") != "dumb"


def tell(error: InitcheckError) -> None:
    """Reports an error that ends the command."""
    console().error(error.message, error.hint)
