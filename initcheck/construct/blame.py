"""Whatever the user's code raises while a model is built, as one error with the user's own line and cause."""

from __future__ import annotations

import ast
import importlib.metadata
import importlib.util
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from initcheck.construct.guard import Refused
from initcheck.construct.stand_ins.evidence import behind
from initcheck.construct.stand_ins.packages import install_command
from initcheck.errors import InitcheckError, TargetError
from initcheck.records.target import Target

_OWN = str(Path(__file__).parent)


@contextmanager
def explained(target: Target) -> Iterator[None]:
    """Turns what is raised inside into a `TargetError`; a refusal of the guard comes through whatever it was wrapped in."""
    try:
        yield
    except InitcheckError:
        raise
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        refused = _refusal(error)
        if refused is not None:
            raise refused from error
        missing = behind(error)
        if missing is not None:
            raise missing from error
        raise _explanation(target, error) from error


def _explanation(target: Target, error: BaseException) -> TargetError:
    where = _line(target, error)
    start = f"cannot build {target.spec}: {where}"
    cause = f"{type(error).__name__}: {_first_lines(str(error))}".rstrip(": ")
    if isinstance(error, SystemExit):
        return _exit(target, error, start)
    if isinstance(error, ModuleNotFoundError) and error.name:
        return _unimportable(error.name, start, where)
    if isinstance(error, ImportError):
        hint = f"install the version of {_top(error)} that the file was written for, or change line {where.rpartition(':')[2]}"
        return TargetError(f"{start}: {cause}", hint, name="import-failed")
    if isinstance(error, NameError) and target.recipe is not None and error.name and _binds(target, error.name):
        message = f"{start}: {cause}; `{error.name}` is set by a statement of the file that was not executed"
        return TargetError(message, _hint(target), name="build-failed")
    if isinstance(error, FileNotFoundError) and error.filename:
        return TargetError(f"{start} needs {error.filename} ({type(error).__name__})", _hint(target), name="build-failed")
    return TargetError(f"{start}: {cause}", _hint(target), name="build-failed")


def _unimportable(name: str, start: str, where: str) -> TargetError:
    """A module that is not there: its package is not installed, or is and has no such part."""
    package = name.partition(".")[0]
    if package == name or importlib.util.find_spec(package) is None:
        return TargetError(f"{start} imports {name}, which is not installed", install_command(package), name="missing-import")
    version = _version(package)
    hint = f"install the version of {package} that the file was written for, or change line {where.rpartition(':')[2]}"
    return TargetError(f"{start} imports {name}, which {package} {version} has not".replace("  ", " "), hint, name="import-failed")


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _top(error: ImportError) -> str:
    return (error.name or "the package").partition(".")[0]


def _exit(target: Target, error: SystemExit, start: str) -> TargetError:
    said = _argparse_message(error)
    if said:
        return TargetError(
            f"{start} parses the command line: {said}", f"give the command line option a default, or {_hint(target)}", name="exits"
        )
    shown = "sys.exit()" if error.code is None else f"sys.exit({error.code!r})"
    return TargetError(f"{start} calls {shown}", _hint(target), name="exits")


def _argparse_message(error: BaseException) -> str:
    """What argparse had to say before it exited; it prints that and raises only a number."""
    for frame, _ in traceback.walk_tb(error.__traceback__):
        if frame.f_code.co_name == "error" and frame.f_globals.get("__name__") == "argparse":
            return str(frame.f_locals.get("message", ""))
    return ""


def _refusal(error: BaseException) -> Refused | None:
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        if isinstance(current, Refused):
            return current
        seen.add(id(current))
        current = current.__cause__ or current.__context__
    return None


def _line(target: Target, error: BaseException) -> str:
    """The last line of the user's own file in the traceback, else the last line of all."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if frame.filename == target.path]
    if own:
        return f"{target.path}:{own[-1].lineno}"
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}:{error.lineno}"
    away = [frame for frame in frames if not frame.filename.startswith((_OWN, "<frozen"))]
    return f"{away[-1].filename}:{away[-1].lineno}" if away else target.path


def _binds(target: Target, name: str) -> bool:
    """Whether the file assigns a name anywhere, so that its absence is the slice's doing and not the user's."""
    tree = ast.parse(Path(target.path).read_bytes())
    return any(isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Store) for node in ast.walk(tree))


def _first_lines(text: str) -> str:
    lines = text.strip().splitlines()
    return "\n".join(lines[:3]) + (" ..." if len(lines) > 3 else "")


def _hint(target: Target) -> str:
    if target.recipe is None:
        return "call it in Python to see the whole traceback, or name another constructor"
    return f"put this into {target.path}: def initcheck_model(): return ...  # builds the model without data or files"
