"""What `initcheck fix` did: the diff, the proof, what was left alone, and all of it as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence

from initcheck.records.finding import Finding
from initcheck.records.fixing import FixRow
from initcheck.records.report import SCHEMA
from initcheck.records.rewriting import LeftAlone, Mended
from initcheck.records.serial import to_plain
from initcheck.report.fold import fold
from initcheck.report.frames import failure_frame
from initcheck.report.style import Style, count
from initcheck.report.table import fitted
from initcheck.report.verification.terminal import lines

_KINDS = {"+": "good", "-": "error", "@": "info"}


def diff(result: Mended, style: Style) -> str:
    """The unified diff of all files; in colour only where nobody pipes it on."""
    text = "".join(change.diff for change in result.files)
    if not style.color:
        return text
    return "\n".join(style.paint(row, _kind(row)) if _kind(row) else row for row in text.split("\n"))


def summary(result: Mended) -> str:
    """One line on what a diff would do."""
    fixable, files = len(result.rows), len(result.files)
    if not files:
        return "Nothing would change."
    return f"Would fix {count(fixable, 'finding')} in {count(files, 'file')}."


def as_json(result: Mended, *, version: str) -> str:
    """The whole result as JSON; the edits count characters of the files as they were."""
    return json.dumps({"schema": SCHEMA, "version": version, **to_plain(result)}, sort_keys=True, indent=2, allow_nan=False) + "\n"


def render(result: Mended, *, color: bool, ascii_only: bool, width: int, verbose: bool = False) -> str:
    """The result for people: what was rewritten, the proof, and what was left alone."""
    style = Style(color, ascii_only, max(width, 40))
    blocks = [_head(result, style), _proof(result.rows, style), _left(result, style, verbose=verbose)]
    blocks += [*_trials(result, style), _tail(result, style)]
    text = "\n\n".join("\n".join(block) for block in blocks if block)
    return style.finish(f"{text}\n") if text else ""


def left_alone(result: Mended, style: Style) -> str:
    """What was not done and why, with lines to paste."""
    return style.finish("\n".join(_left(result, style, verbose=True)))


def trials(result: Mended, style: Style) -> str:
    """How the models train before and after."""
    return style.finish("\n\n".join("\n".join(block) for block in _trials(result, style)))


def _trials(result: Mended, style: Style) -> list[list[str]]:
    found = [lines(one, style) for one in result.trials]
    found += [failure_frame(one, style) for one in result.untried]
    head = [[style.paint("Trained before and after:", "strong")]] if found else []
    return [*head, *found]


def _kind(row: str) -> str:
    return "strong" if row.startswith(("+++ ", "--- ")) else _KINDS.get(row[:1], "")


def _head(result: Mended, style: Style) -> list[str]:
    if result.restored:
        return [
            style.paint("Nothing was changed: the files hold their old bytes.", "warning"),
            *style.wrap(result.reason, "  ", "  "),
        ]
    if not result.files:
        return []
    verb = "Rewrote" if result.written else "Would rewrite"
    names = [f"{change.path} (+{change.added} -{change.removed})" for change in result.files]
    done = "Rebuilt and checked again in a fresh process:" if result.written else "Built from the changed source and checked:"
    return style.wrap(f"{verb} {', '.join(names)}. {done}")


def _proof(rows: Sequence[FixRow], style: Style) -> list[str]:
    cells = [[f"{row.code} {row.name}", fold(row.parameters, 2), row.before, row.after, row.state] for row in rows]
    return fitted(cells, ("finding", "parameters", "before", "after", ""), style) if cells else []


def _left(result: Mended, style: Style, *, verbose: bool) -> list[str]:
    lines: list[str] = []
    for title, group in (("Tried and taken back:", result.failed), ("Left alone:", result.declined)):
        if not group:
            continue
        lines += ([""] if lines else []) + [style.paint(title, "strong")]
        for one in group:
            lines += _one(one, style, verbose=verbose or not result.files)
    return lines


def _one(one: LeftAlone, style: Style, *, verbose: bool) -> list[str]:
    finding = one.finding
    lines = style.wrap(f"{finding.code} {finding.name} ({_about(finding)}): {one.reason}", "  ", "    ")
    if one.snippet and verbose:
        lines += ["    to paste behind the line that makes the model:", *(f"      {row}" for row in one.snippet.split("\n"))]
    return lines


def _about(finding: Finding) -> str:
    return fold(finding.parameters, 2) or finding.name


def _tail(result: Mended, style: Style) -> list[str]:
    remaining = len(result.remaining)
    said = "No findings remain." if not remaining else f"{count(remaining, 'finding')} {'remain' if remaining != 1 else 'remains'}."
    if not (result.files or result.failed or result.declined or remaining):
        return [style.paint("Nothing to fix.", "good")]
    more = f" Undo with `{result.undo}`." if result.undo else ""
    if not result.files and not result.restored:
        said = f"Nothing was changed. {said}"
    return style.wrap(said + more)
