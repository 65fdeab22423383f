"""Trainings before and after, as `verify` makes them and as `fix --verify` and `load --verify` ask for them."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from typing import Any, TypeVar

import click

from initcheck.cli.context import Console
from initcheck.errors import InitcheckError, TargetError, UsageError
from initcheck.records.finding import Failure
from initcheck.records.serial import from_plain, to_plain
from initcheck.records.settings import Settings
from initcheck.records.target import Target
from initcheck.records.verification import Verification, Wish

F = TypeVar("F", bound=Callable[..., Any])

WORK = "initcheck.remedy.verifying:in_child"

GRACE = 10.0
"""Seconds beyond the budget after which the process is ended: a single step may take long."""

_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}


class Duration(click.ParamType):  # type: ignore[type-arg]  # generic only in recent versions
    """`60`, `60s`, `2m`."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The seconds."""
        if isinstance(value, float):
            return value
        match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([a-z]*)", str(value).strip().lower())
        if match is None or match[2] not in _UNITS:
            self.fail(f"{value!r}: write 60s, 2m or a number of seconds", param, ctx)
        return float(match[1]) * _UNITS[match[2]]


def verifying(command: F) -> F:
    """`--verify` and `--budget` for a command that changes how a model starts."""
    command = click.option("--budget", type=Duration(), help="Time that the trainings of --verify may take (60s).")(command)
    return click.option("--verify", is_flag=True, help="Train each model briefly before and after, as `initcheck verify` does.")(command)


def wished(options: dict[str, Any], against: str) -> Wish | None:
    """What `--verify` and `--budget` ask for; None for nothing.

    Raises:
        UsageError: for a budget that nothing is trained with, or that makes no sense.
    """
    budget = options["budget"]
    if not options["verify"]:
        if budget is not None:
            raise UsageError("--budget is the time for --verify, which was not given", "add --verify, or leave --budget out")
        return None
    from initcheck.verify.data.wishes import checked

    wish = Wish(against) if budget is None else Wish(against, budget=budget)
    checked(wish)
    return wish


def trained(
    before: Target, after: Target | None, wish: Wish, settings: Settings, out: Console, user: Callable[[str], None] | None = None
) -> Verification:
    """Trains two targets in a child process, or one and what `wish.against` makes of it.

    `user` is given what the user's code prints, each line once, however often the models are built; the console when left out.

    Raises:
        InitcheckError: when that cannot be done.
    """
    from initcheck.worker import Worker

    out.progress("starting torch …")
    asked = {"wish": to_plain(wish), "after": to_plain(after) if after is not None else None}
    patient = dataclasses.replace(settings, timeout=wish.budget + GRACE)
    try:
        with Worker(patient, user_output=_once(user or out.user), progress=out.progress, work=WORK, asked=asked) as worker:
            return from_plain(Verification, worker.done(before))
    except TargetError as error:
        if error.name != "timeout":
            raise
        message = f"{before.spec}: the trainings did not end within {wish.budget:g} s and {GRACE:g} more: a single step takes too long"
        raise TargetError(message, "--budget 300s, or verify a smaller model of the same kind", name="over-budget") from error
    finally:
        out.done()


def tried(before: Target, after: Target, wish: Wish, settings: Settings, out: Console) -> Verification | Failure:
    """The same, where the command goes on without it, and has shown already what the user's code prints."""
    try:
        return trained(before, after, wish, settings, out, lambda _: None)
    except InitcheckError as error:
        return Failure("verify", before.spec, error.message, error.hint, error.name)


def _once(tell: Callable[[str], None]) -> Callable[[str], None]:
    told: set[str] = set()

    def new(line: str) -> None:
        if line not in told:
            told.add(line)
            tell(line)

    return new
