"""Options that several commands share, and words that correct themselves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from initcheck.config import memory_limit, suggestion
from initcheck.errors import UsageError
from initcheck.records.finding import SEVERITIES
from initcheck.records.settings import LOADERS

F = TypeVar("F", bound=Callable[..., Any])

FORMATS = ("full", "concise", "json")


class Word(click.ParamType):  # type: ignore[type-arg]  # generic only in recent versions
    """One of a few words; a misspelt one gets the nearest as a hint."""

    name = "word"

    def __init__(self, words: tuple[str, ...]) -> None:
        self.words = words

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str | None:  # noqa: ARG002  (click's signature)
        """The words, as `--help` shows them."""
        return "|".join(self.words)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The word in lower case."""
        word = str(value).lower()
        if word not in self.words:
            self.fail(f"{value!r}: {suggestion(word, self.words)}", param, ctx)
        return word


class Codes(click.ParamType):  # type: ignore[type-arg]  # generic only in recent versions
    """Rule codes, prefixes or names, separated by commas."""

    name = "codes"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        """The single words."""
        if isinstance(value, tuple):
            return value
        words = tuple(word.strip() for word in str(value).split(",") if word.strip())
        if not words:
            self.fail("needs at least one code or name", param, ctx)
        return words


class Jobs(click.ParamType):  # type: ignore[type-arg]  # generic only in recent versions
    """`auto` or a number above 0; `auto` becomes 0."""

    name = "auto|n"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number."""
        if isinstance(value, int):
            return value
        if str(value).lower() == "auto":
            return 0
        if not str(value).isdigit() or not int(value):
            self.fail(f"{value!r}: write auto or a number above 0", param, ctx)
        return int(value)


class Memory(click.ParamType):  # type: ignore[type-arg]  # generic only in recent versions
    """`4GB` or `80%`."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The text, once it is known to be a size."""
        try:
            memory_limit(str(value), 100)
        except UsageError as error:
            self.fail(f"{value!r}: {error.hint}", param, ctx)
        return str(value)


class OutputFile(click.ParamType):  # type: ignore[type-arg]  # generic only in recent versions
    """`FORMAT:FILE`, the format one of those that the command can write."""

    name = "format:file"

    def __init__(self, formats: tuple[str, ...] = FORMATS) -> None:
        self.formats = formats

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        """The format and the path."""
        if isinstance(value, tuple):
            return value[0], value[1]
        kind, _, path = str(value).partition(":")
        if not path:
            self.fail(f"{value!r}: write FORMAT:FILE, for example json:result.json", param, ctx)
        if kind not in self.formats:
            self.fail(f"{kind!r}: {suggestion(kind, self.formats)}", param, ctx)
        return kind, path


def appearance(command: F) -> F:
    """`--color`, `-q` and `-v`."""
    command = click.option(
        "--color", type=Word(("auto", "always", "never")), default="auto", envvar="INITCHECK_COLOR", help="Use of colour."
    )(command)
    command = click.option("-q", "--quiet", is_flag=True, help="Only findings and failures.")(command)
    return click.option("-v", "--verbose", count=True, help="More detail; twice for tracebacks.")(command)


def running(command: F) -> F:
    """What decides how a target is built and run."""
    for decorator in reversed(
        (
            click.option("--select", type=Codes(), multiple=True, help="Only these rules: codes, prefixes or names, comma-separated."),
            click.option("--ignore", type=Codes(), multiple=True, help="Not these rules."),
            click.option("--input", "inputs", multiple=True, metavar="SPEC", help="Sample input, such as 1,28,28 or x=float32[8,3,64,64]."),
            click.option("--stdin-filename", metavar="FILE", help="The file that the source on standard input (target `-`) stands for."),
            click.option("--seed", type=click.IntRange(min=0), help="Seed of the build and the input (0)."),
            click.option("--batch", type=click.IntRange(min=0), help="Samples in the input; 0 chooses by model size."),
            click.option("--timeout", type=click.FloatRange(min=0, min_open=True), help="Seconds per target (120)."),
            click.option(
                "--loader", type=Word(LOADERS), help="How files become models: run what a model needs, import all, or only read (auto)."
            ),
            click.option(
                "--static", "loader", flag_value="static", help="Read the source and execute nothing; says what it did not check."
            ),
            click.option("--meta", is_flag=True, default=None, help="Compare with the model on fresh memory, as after the meta device."),
            click.option("--max-memory", type=Memory(), help="Memory per target: 4GB, or a share of what is available (80%)."),
            click.option("--trust", is_flag=True, default=None, help="Let the code of the targets write files, connect, start programs."),
            click.option("--trust-pickle", is_flag=True, default=None, help="Open pickled models, which can run any code."),
        )
    ):
        command = decorator(command)
    return command


def several(command: F) -> F:
    """What decides how many targets are gone through."""
    for decorator in reversed(
        (
            click.option("-n", "--jobs", type=Jobs(), help="Targets at the same time (auto: as many as there are cores)."),
            click.option("--no-cache", is_flag=True, help="Check anew what has not changed, and keep nothing in .initcheck_cache."),
        )
    ):
        command = decorator(command)
    return command


def failing(command: F) -> F:
    """What decides about the exit code."""
    for decorator in reversed(
        (
            click.option("--fail-on", type=Word(tuple(reversed(SEVERITIES))), help="Mildest severity that gives exit code 1 (warning)."),
            click.option("-e", "--exit-zero", is_flag=True, help="Exit with 0 even with findings."),
            click.option("--allow-empty", is_flag=True, help="Files without a model, and no model at all, are fine (for hooks)."),
        )
    ):
        command = decorator(command)
    return command


def flat(groups: tuple[tuple[str, ...], ...]) -> tuple[str, ...]:
    """The words of a repeated option in order."""
    return tuple(word for group in groups for word in group)


SETTINGS = ("inputs", "seed", "batch", "timeout", "loader", "max_memory", "jobs", "trust", "trust_pickle", "meta")
"""The options of `running` that are settings of the same name."""
