"""What the program itself raised, as one error with the user's own line, the cause, and what to type instead."""

from __future__ import annotations

import json
import re
import shlex
import traceback
from pathlib import Path
from types import FrameType

from initcheck.construct.blame import argparse_message, first_lines
from initcheck.construct.program.entry import MODULE
from initcheck.construct.recording.frames import Kind, kind_of
from initcheck.construct.stand_ins.packages import install_command, looks_local
from initcheck.errors import InitcheckError, TargetError
from initcheck.records.target import Target

RANKS = ("RANK", "LOCAL_RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
_REQUIRED = "the following arguments are required: "


def explained(target: Target, error: BaseException) -> InitcheckError:
    """The error to tell, for whatever ended the program."""
    if isinstance(error, InitcheckError):
        return error
    start = f"{target.spec} did not come to its first step: {place(target, error)}"
    cause = f"{type(error).__name__}: {first_lines(str(error))}".rstrip(": ")
    if isinstance(error, SystemExit):
        return _exit(target, error)
    if isinstance(error, ModuleNotFoundError) and error.name:
        return _not_installed(start, error.name)
    if isinstance(error, EOFError):
        return TargetError(f"{start} waits for input on stdin", "give the answer as an option of the program", name="program-failed")
    if isinstance(error, KeyError) and error.args[:1] and error.args[0] in RANKS:
        settings = "RANK=0 LOCAL_RANK=0 WORLD_SIZE=1 MASTER_ADDR=localhost MASTER_PORT=29500"
        message = f"{start} reads {error.args[0]} from the environment, as torchrun sets it"
        return TargetError(message, f"{settings} {command(target)}", name="program-failed")
    return TargetError(f"{start}: {cause}", _hint(target), name="program-failed")


def _not_installed(start: str, name: str) -> TargetError:
    """A name that people give to their own files may have a namesake in the index, which is not what the program means."""
    package = name.partition(".")[0]
    if looks_local(package):
        hint = f"run it from the project that {package}.py belongs to, or with PYTHONPATH=FOLDER"
        return TargetError(f"{start} imports {name}, which is not there", hint, name="missing-import")
    return TargetError(f"{start} imports {name}, which is not installed", install_command(package), name="missing-import")


def _exit(target: Target, error: SystemExit) -> TargetError:
    said, more = _complaint(error)
    if said:
        return TargetError(f"{target.spec} does not accept its command line: {said}", command(target, more), name="exits")
    shown = f"sys.exit({error.code!r})" if not isinstance(error.code, str) else f"sys.exit: {first_lines(error.code)}"
    return TargetError(f"{target.spec} did not come to its first step: {place(target, error)} calls {shown}", _hint(target), name="exits")


def command(target: Target, more: str = "") -> str:
    """The command line that ran the program, with more arguments."""
    given = shlex.join(str(argument) for argument in json.loads(target.arguments or "[]"))
    head = "initcheck run -m" if target.qualname == MODULE else "initcheck run"
    return " ".join(part for part in (head, shlex.quote(target.path), given, more) if part)


def place(target: Target, error: BaseException) -> str:
    """The innermost line of the user in the traceback, as `file:line`."""
    if isinstance(error, SyntaxError) and error.filename and error.lineno:
        return f"{shown(error.filename)}:{error.lineno}"
    steps = [(frame.f_code, line) for frame, line in traceback.walk_tb(error.__traceback__)]
    own = [(code.co_filename, line) for code, line in steps if kind_of(code) is Kind.USER]
    return f"{shown(own[-1][0])}:{own[-1][1]}" if own else target.path


def shown(path: str) -> str:
    """The path as seen from the working directory."""
    try:
        return str(Path(path).relative_to(Path.cwd()))
    except (ValueError, OSError):
        return path


def _complaint(error: BaseException) -> tuple[str, str]:
    """What argparse or click had to say before it exited, and what to add to the command line."""
    said = argparse_message(error)
    if not said:
        return _click(error)
    if not said.startswith(_REQUIRED):
        return said, "--help" if "unrecognized" in said or "invalid" in said else ""
    words = [re.split(r"[/\s]", word.strip())[0] for word in said.removeprefix(_REQUIRED).split(",")]
    return said, " ".join(map(_given, words))


def _click(error: BaseException) -> tuple[str, str]:
    """The same of click, which keeps its exception as the context of its exit or as what is to be shown."""
    shows = [frame.f_locals.get("report") for frame, _ in traceback.walk_tb(error.__traceback__) if _is_click(frame)]
    for cause in (error.__context__, *(getattr(show, "__self__", None) for show in reversed(shows))):
        tell = getattr(cause, "format_message", None)
        if callable(tell):
            options = getattr(getattr(cause, "param", None), "opts", ()) or ("--help",)
            return first_lines(str(tell())), _given(options[0]) if options[0] != "--help" else "--help"
    return "", ""


def _is_click(frame: FrameType) -> bool:
    return frame.f_code.co_name == "main" and str(frame.f_globals.get("__name__")) == "click.core"


def _given(word: str) -> str:
    """`--data` as `--data DATA`, and the name of an argument in capitals."""
    value = word.lstrip("-").upper().replace("-", "_")
    return f"{word} {value}" if word.startswith("-") else value


def _hint(target: Target) -> str:
    if target.qualname == MODULE:
        return f"`python {command(target).removeprefix('initcheck run ')}` must get that far by itself"
    return f"initcheck {shlex.quote(target.path)}  # checks the model without running the program"
