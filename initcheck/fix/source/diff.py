"""Changes of a file as edits and as a unified diff that `git apply` takes."""

from __future__ import annotations

import difflib
import os
from pathlib import Path

from initcheck.fix.source.files import shown
from initcheck.fix.source.text import decoded, edits_between
from initcheck.records.rewriting import FileChange

_NO_END = "\n\\ No newline at end of file\n"


def change_of(path: str, before: bytes, after: bytes) -> FileChange:
    """The change of one file, told for somebody who stands in the working directory."""
    name = shown(path)
    old, new = _lines(before), _lines(after)
    header = "/".join(Path(os.path.relpath(path)).parts)
    tab = "\t" if " " in header else ""
    rows = list(difflib.unified_diff(old, new, f"a/{header}{tab}", f"b/{header}{tab}", lineterm="\n"))
    text = "".join(row if row.endswith("\n") else row + _NO_END for row in rows)
    added = sum(row.startswith("+") for row in rows[2:])
    removed = sum(row.startswith("-") for row in rows[2:])
    return FileChange(name, edits_between(name, decoded(path, before), decoded(path, after)), text, added, removed)


def _lines(data: bytes) -> list[str]:
    """Lines as git counts them: ended by a line feed and nothing else."""
    text = data.decode("utf-8", "surrogateescape")
    parts = text.split("\n")
    return [f"{part}\n" for part in parts[:-1]] + ([parts[-1]] if parts[-1] else [])
