"""The version of a file in an older revision, as a target of its own."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from initcheck.discover.targets import single
from initcheck.errors import TargetError
from initcheck.records.target import Target
from initcheck.source.reading import hand_over


def older(spec: str, revision: str) -> Target:
    """The same target in the text that git has for the revision; what the file imports from beside it is that of the working folder.

    Raises:
        TargetError: when the target is in no file, or git does not have it.
    """
    path, colons, name = spec.partition("::")
    if not path.endswith(".py") or not Path(path).is_file():
        hint = "name the file: initcheck verify model.py::Net --against git:HEAD"
        raise TargetError(f"{spec} is in no Python file, so that git has no version of it", hint, name="revision-missing")
    whole = Path(path)
    shown = whole.with_name(f"{whole.stem}@{re.sub(r'[^A-Za-z0-9._~^-]', '_', revision)}.py")
    hand_over(str(shown), _content(whole, revision))
    return single(f"{shown}{colons}{name}")


def _content(path: Path, revision: str) -> bytes:
    if revision.startswith("-") or not revision:
        raise TargetError(f"{revision!r} is no revision", "for example git:HEAD, git:HEAD~3 or git:main", name="revision-missing")
    command = ["git", "show", f"{revision}:./{path.name}"]
    try:
        done = subprocess.run(command, cwd=path.resolve().parent, capture_output=True, check=False, timeout=60)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired) as error:
        raise TargetError(f"git cannot be asked for {path}: {error}", "git must be installed", name="revision-missing") from error
    if done.returncode:
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        cause = lines[0].removeprefix("fatal: ") if lines else f"exit code {done.returncode}"
        raise TargetError(f"git has no {path} in {revision}: {cause}", f"git log --oneline -- {path}", name="revision-missing")
    return done.stdout
