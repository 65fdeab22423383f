"""Whatever the user's code raises while a model is built, as one error with the user's own line and cause."""

from __future__ import annotations

import ast
import importlib.metadata
import importlib.util
import re
import shlex
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from initcheck.construct.guard import own_process, refusal_in
from initcheck.construct.recording.frames import Kind, kind_of
from initcheck.construct.stand_ins.evidence import behind
from initcheck.construct.stand_ins.missing import shown
from initcheck.construct.stand_ins.packages import install_command
from initcheck.errors import InitcheckError, TargetError
from initcheck.records.target import Target
from initcheck.source.reading import python_source

_OWN = str(Path(__file__).parent)
_NO_DATA = re.compile(r"download=True|[Dd]ataset (was )?not found|[Nn]o such file or directory|does not exist")
_NO_DEVICE = re.compile(r"NVIDIA driver|not compiled with CUDA|No CUDA GPUs|CUDA error|HIP error|no kernel image")
_TOO_LARGE = re.compile(r"can't allocate memory|not enough memory|[Oo]ut of memory|Unable to allocate")


@contextmanager
def explained(target: Target) -> Iterator[None]:
    """Turns what is raised inside into a `TargetError`; a refusal of the guard comes through whatever it was wrapped in."""
    try:
        yield
    except InitcheckError:
        raise
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt) and not own_process():
            raise
        refused = refusal_in(error)
        if refused is not None:
            raise refused from error
        missing = behind(error)
        if missing is not None:
            raise missing from error
        raise _explanation(target, error) from error


def _explanation(target: Target, error: BaseException) -> TargetError:
    where, line = _place(target, error)
    start = f"cannot build {target.spec}: {where}"
    cause = f"{type(error).__name__}: {first_lines(str(error))}".rstrip(": ")
    package = _imported(error)
    if isinstance(error, SystemExit):
        return _exit(target, error, start)
    if isinstance(error, ModuleNotFoundError) and error.name:
        return _unimportable(error.name, start, line, package)
    if package:
        message = f"{start} imports {' '.join((package, _version(package))).strip()}, which fails: {cause}"
        return TargetError(message, f"python -c 'import {package}' has to work first", name="import-failed")
    if isinstance(error, ImportError):
        return _unknown_name(error, f"{start}: {cause}", line)
    if isinstance(error, NameError) and target.recipe is not None and error.name and _binds(target, error.name):
        message = f"{start}: {cause}; `{error.name}` is set by a statement of the file that was not executed"
        return TargetError(message, _hint(target), name="build-failed")
    if isinstance(error, FileNotFoundError) and error.filename:
        return _no_file(target, str(error.filename), f"{start} needs {error.filename} ({type(error).__name__})")
    if _NO_DATA.search(str(error)):
        return TargetError(f"{start} needs data: {cause}", _hint(target), name="needs-data")
    if _NO_DEVICE.search(str(error)):
        return TargetError(f"{start} needs another device: {cause}", _hint(target), name="needs-device")
    if isinstance(error, MemoryError) or _TOO_LARGE.search(str(error)):
        hint = f"give it smaller sizes: initcheck '{target.path}::{target.qualname}(...)'"
        return TargetError(f"{start}: the model does not fit into memory: {cause}", hint, name="too-large")
    if line and target.recipe is not None and _inside_constructor(error):
        return TargetError(
            f"{start}: {cause}", f"mend {where}; the other models of the file: initcheck targets {target.path}", name="build-failed"
        )
    return TargetError(f"{start}: {cause}", _hint(target), name="build-failed")


def _unimportable(name: str, start: str, line: int, importer: str) -> TargetError:
    """A module that is not there: its package is not installed, or is and has no such part."""
    package = name.partition(".")[0]
    if importer and importer != package:
        return TargetError(
            f"{start} imports {importer}, which needs {name}; that is not installed", install_command(package), name="missing-import"
        )
    if package == name or importlib.util.find_spec(package) is None:
        return TargetError(f"{start} imports {name}, which is not installed", install_command(package), name="missing-import")
    known = " ".join((package, _version(package))).strip()
    hint = f"install the version of {package} that the file was written for, or change line {line}"
    return TargetError(f"{start} imports {name}, which {known} has not", hint, name="import-failed")


def _unknown_name(error: ImportError, message: str, line: int) -> TargetError:
    if "relative import" in str(error):
        return TargetError(message, f"run initcheck on the file inside its package, or change line {line}", name="import-failed")
    package = (error.name or "").partition(".")[0]
    own = not package or _version(package) == ""
    hint = f"mend line {line}" if own else f"install the version of {package} that the file was written for, or change line {line}"
    return TargetError(message, hint, name="import-failed")


def _imported(error: BaseException) -> str:
    """The installed package in whose import an exception was raised, empty if in none."""
    package = ""
    for frame, _ in traceback.walk_tb(error.__traceback__):
        kind = kind_of(frame.f_code)
        if kind is Kind.USER:
            package = ""
        elif kind is Kind.LIBRARY and frame.f_code.co_name == "<module>" and not package:
            package = str(frame.f_globals.get("__name__", "")).partition(".")[0]
    return package


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _no_file(target: Target, missing: str, message: str) -> TargetError:
    """A file that is not there; one that lies beside the script is found from that folder."""
    folder = Path(target.path).parent
    if target.recipe is not None and not Path(missing).is_absolute() and (folder / missing).exists():
        spec = target.spec.replace(target.path, Path(target.path).name, 1)
        return TargetError(message, f"cd {shlex.quote(str(folder))} && initcheck {shlex.quote(spec)}", name="needs-data")
    return TargetError(message, _hint(target), name="needs-data")


def _exit(target: Target, error: SystemExit, start: str) -> TargetError:
    said = argparse_message(error)
    required = said.partition("the following arguments are required: ")[2]
    if required:
        options = " ".join(f"{name} ..." if name.startswith("-") else name.upper() for name in required.split(", "))
        hint = f"Try: {whole_program(target)} {options}, or give the command line option a default"
        return TargetError(f"{start} parses the command line; {target.path} requires {required}", hint, name="exits")
    if said:
        hint = f"give the command line option a default, or {_hint(target)}"
        return TargetError(f"{start} parses the command line: {said}", hint, name="exits")
    shown = "sys.exit()" if error.code is None else f"sys.exit({error.code!r})"
    return TargetError(f"{start} calls {shown}", _hint(target), name="exits")


def argparse_message(error: BaseException) -> str:
    """What argparse had to say before it exited; it prints that and raises only a number."""
    for frame, _ in traceback.walk_tb(error.__traceback__):
        if frame.f_code.co_name == "error" and frame.f_globals.get("__name__") == "argparse":
            return str(frame.f_locals.get("message", ""))
    return ""


def _place(target: Target, error: BaseException) -> tuple[str, int]:
    """The last line of the user's own code in the traceback, else the last line of all; as text, and its number."""
    if isinstance(error, SyntaxError) and error.filename and error.lineno:
        return f"{shown(error.filename)}:{error.lineno}", error.lineno
    frames = list(traceback.walk_tb(error.__traceback__))
    own = [(frame, line) for frame, line in frames if frame.f_code.co_filename == target.path or kind_of(frame.f_code) is Kind.USER]
    away = [(frame, line) for frame, line in frames if not frame.f_code.co_filename.startswith((_OWN, "<frozen"))]
    for frame, line in reversed(own or away):
        return f"{shown(frame.f_code.co_filename)}:{line}", line
    return target.path, 0


def _inside_constructor(error: BaseException) -> bool:
    """Whether the user's own constructor raised: a fault of the class, whatever the rest of the file does."""
    own = [frame.f_code.co_name for frame, _ in traceback.walk_tb(error.__traceback__) if kind_of(frame.f_code) is Kind.USER]
    return bool(own) and own[-1] == "__init__" and isinstance(error, (AttributeError, NameError, TypeError))


def _binds(target: Target, name: str) -> bool:
    """Whether the file assigns a name anywhere, so that its absence is the slice's doing and not the user's."""
    tree = ast.parse(python_source(target.path))
    return any(isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Store) for node in ast.walk(tree))


def first_lines(text: str) -> str:
    """The start of a message."""
    lines = text.strip().splitlines()
    return "\n".join(lines[:3]) + (" ..." if len(lines) > 3 else "")


def whole_program(target: Target) -> str:
    """The command that runs a file as it is. A notebook becomes a file first; what is imported is a module."""
    if target.recipe is None:
        return f"initcheck run -m {target.path}"
    path = "FILE.py" if target.path == "<stdin>" else shlex.quote(target.path)
    if target.path.endswith(".ipynb"):
        return f"jupyter nbconvert --to script {path} && initcheck run {shlex.quote(target.path.removesuffix('.ipynb') + '.py')}"
    return f"initcheck run {path}"


def _hint(target: Target) -> str:
    if target.recipe is None:
        return "call it in Python to see the whole traceback, or name another constructor"
    run = f"run it for real up to its first training step: {whole_program(target)}"
    return f"{run}, or put this into {target.path}: def initcheck_model(): return ...  # builds the model without data or files"
