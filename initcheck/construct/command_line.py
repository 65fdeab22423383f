"""The command line of a script that is only read for its model: empty, and never refused for what it lacks."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from initcheck.construct.guard import changed


@contextlib.contextmanager
def empty_command_line(note: Callable[[str], None]) -> Iterator[None]:
    """Parsers take the absence of required options: the first of their choices, else their default or None; `note` is told which."""
    original = argparse.ArgumentParser.parse_known_args

    def parse_known_args(self: argparse.ArgumentParser, args: Any = None, namespace: Any = None) -> Any:
        if args is None:
            _relax(self, note)
        return original(self, args, namespace)

    with changed(argparse.ArgumentParser, "parse_known_args", parse_known_args):
        yield


def _relax(parser: argparse.ArgumentParser, note: Callable[[str], None]) -> None:
    for group in parser._mutually_exclusive_groups:  # noqa: SLF001  (argparse offers no other way to change a finished parser)
        group.required = False
    for action in parser._actions:  # noqa: SLF001
        positional = not action.option_strings
        if not action.required or isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            continue
        action.required = False
        if positional and action.nargs is None:
            action.nargs = "?"
        elif positional and action.nargs == "+":
            action.nargs = "*"
        name = action.option_strings[-1] if action.option_strings else action.dest
        if action.default is None and action.choices is not None and (choices := list(action.choices)):
            action.default = choices[0]
            note(f"{name} is required: {choices[0]!r}, the first of its choices, stands for it")
        else:
            note(f"{name} is required: {action.default!r} stands for it")
