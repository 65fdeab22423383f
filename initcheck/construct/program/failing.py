"""What the program itself raised, as one error with the user's own line, the cause, and what to type instead."""

from __future__ import annotations

import json
import re
import shlex
import traceback
from pathlib import Path

from initcheck.construct.blame import argparse_message, first_lines
from initcheck.construct.program.entry import MODULE
from initcheck.construct.recording.frames import Kind, kind_of
from initcheck.construct.stand_ins.packages import install_command
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
        hint = install_command(error.name.partition(".")[0])
        return TargetError(f"{start} imports {error.name}, which is not installed", hint, name="missing-import")
    if isinstance(error, EOFError):
        return TargetError(f"{start} waits for input on stdin", "give the answer as an option of the program", name="program-failed")
    if isinstance(error, KeyError) and error.args[:1] and error.args[0] in RANKS:
        settings = "RANK=0 LOCAL_RANK=0 WORLD_SIZE=1 MASTER_ADDR=localhost MASTER_PORT=29500"
        message = f"{start} reads {error.args[0]} from the environment, as torchrun sets it"
        return TargetError(message, f"{settings} {command(target)}", name="program-failed")
    return TargetError(f"{start}: {cause}", _hint(target), name="program-failed")


def _exit(target: Target, error: SystemExit) -> TargetError:
    said = argparse_message(error) or _click_message(error)
    if said:
        message = f"{target.spec} does not accept its command line: {said}"
        return TargetError(message, command(target, _wanted(said)), name="exits")
    shown = f"sys.exit({error.code!r})" if not isinstance(error.code, str) else f"sys.exit: {first_lines(error.code)}"
    return TargetError(f"{target.spec} did not come to its first step: {place(target, error)} calls {shown}", _hint(target), name="exits")


def command(target: Target, more: str = "") -> str:
    """The command line that ran the program, with more arguments."""
    given = shlex.join(str(argument) for argument in json.loads(target.arguments or "[]"))
    head = "initcheck run -m" if target.qualname == MODULE else "initcheck run"
    return " ".join(part for part in (head, target.path, given, more) if part)


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


def _wanted(said: str) -> str:
    """What to add to the command line, where argparse says what it lacks."""
    if not said.startswith(_REQUIRED):
        return "--help" if "unrecognized" in said or "invalid" in said else ""
    words = [re.split(r"[/\s]", word.strip())[0] for word in said.removeprefix(_REQUIRED).split(",")]
    return " ".join(f"{word} {word.lstrip('-').upper().replace('-', '_')}" if word.startswith("-") else word.upper() for word in words)


def _click_message(error: BaseException) -> str:
    """What click had to say before it exited."""
    cause = error.__context__
    tell = getattr(cause, "format_message", None)
    return str(tell()) if callable(tell) else ""


def _hint(target: Target) -> str:
    if target.qualname == MODULE:
        return f"`python {command(target).removeprefix('initcheck run ')}` must get that far by itself"
    return f"initcheck {target.path}  # checks the model without running the program"
