"""The command line: click, one module per command, exit codes, and nothing else."""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from typing import NoReturn

from initcheck.errors import DEPTH, ExitCode, InitcheckError

_COMMANDS = {
    "check": "Diagnose the initial weights of models.",
    "run": "Run a program up to its first training step and diagnose its models.",
    "show": "Show the layer table of a model.",
    "fix": "Rewrite the source where the start of a model's weights is at fault.",
    "load": "Fill a model with stored weights and prove that they arrived.",
    "verify": "Train two variants briefly on digits and compare them.",
    "rule": "Explain a rule, or list all of them.",
    "targets": "List the models in files, without importing them.",
}
_FRONT = ("--help", "-h", "--version")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the program on these arguments (the process's, if None) and returns its exit code."""
    typed = list(sys.argv[1:] if arguments is None else arguments)
    if not typed or (typed[0] not in _COMMANDS and typed[0] not in _FRONT):
        typed.insert(0, "check")
    before = signal.signal(signal.SIGTERM, _terminated)
    sys.setrecursionlimit(max(sys.getrecursionlimit(), DEPTH))
    try:
        return _run(typed)
    except InitcheckError as error:
        from initcheck.cli.context import tell

        tell(error)
        return int(error.exit_code)
    except KeyboardInterrupt:
        return _interrupted()
    except SystemExit as ending:
        # click ends so when its reader has gone away (`--help | head`), which is no finding
        return ending.code if isinstance(ending.code, int) and ending.code > 1 else int(ExitCode.CLEAN)
    except Exception as error:  # noqa: BLE001  (the one place that turns a bug into a line and an exit code)
        return _bug(error, typed)
    finally:
        signal.signal(signal.SIGTERM, before)


def _run(typed: list[str]) -> int:
    import click

    from initcheck.cli.group import program

    try:
        code = program(_COMMANDS).main(typed, prog_name="initcheck", standalone_mode=False)
    except click.exceptions.Abort:
        return _interrupted()
    except click.ClickException as error:
        from initcheck.cli.context import console

        command = f" {typed[0]}" if typed[0] in _COMMANDS else ""
        console().error(error.format_message(), f"initcheck{command} --help")
        return int(ExitCode.USAGE)
    return int(code or 0)


def _terminated(number: int, _: object) -> NoReturn:
    # an exception, so that the worker is taken down on the way out
    raise SystemExit(128 + number)


def _interrupted() -> int:
    sys.stderr.write("\ninterrupted\n")
    return int(ExitCode.INTERRUPTED)


def _bug(error: Exception, typed: list[str]) -> int:
    from initcheck.cli.context import console
    from initcheck.worker import REPORT_HINT

    if "-vv" in typed or typed.count("-v") + typed.count("--verbose") > 1:
        import traceback

        traceback.print_exception(error)
    console().error(f"initcheck itself failed: {type(error).__name__}: {error}", REPORT_HINT)
    return int(ExitCode.BUG)
