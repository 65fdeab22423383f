"""A report on standard output and in files, in the formats asked for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from initcheck.cli.context import Console
from initcheck.errors import UsageError
from initcheck.files import place
from initcheck.records.report import Report


def show(report: Report, kind: str, outputs: Sequence[tuple[str, str]], out: Console) -> None:
    """Writes the report to the files of `-o`, then to standard output.

    Raises:
        UsageError: when a file cannot be written.
    """
    for other, path in outputs:
        write(path, _render(report, other, Console(width=out.width, verbose=out.verbose)))
    if report.models or report.failures or kind == "json":
        out.out(_render(report, kind, out))
        _remark(report, kind, out)


def _render(report: Report, kind: str, out: Console) -> str:
    if kind == "json":
        from initcheck.report import json

        return json.render(report)
    if kind == "concise":
        from initcheck.report import concise

        return concise.render(report, color=out.color, ascii_only=out.ascii_only)
    from initcheck.report import terminal

    verbose = bool(out.verbose)
    return terminal.render(report, color=out.color, ascii_only=out.ascii_only, width=out.width, verbose=verbose, quiet=out.quiet)


def _remark(report: Report, kind: str, out: Console) -> None:
    """What the lines of `concise` leave unsaid goes to standard error."""
    if kind == "concise":
        from initcheck.report.summary import result, unjudged

        out.note(result(report))
        for group in unjudged(report.skips):
            out.detail(f"not judged: {group.times} × {group}")


def write(path: str, text: str) -> None:
    """Writes a result, whole or not at all.

    Raises:
        UsageError: when the file cannot be written.
    """
    try:
        place(Path(path), text.encode())
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror or error}") from error
