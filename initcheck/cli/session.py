"""From what was typed to a Report: find the targets, check each in the worker, gather what happened."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from initcheck import __version__
from initcheck.cli.context import Console
from initcheck.cli.picking import PLAIN, Flow, picked
from initcheck.cli.sources import read_all, supplemented, whole
from initcheck.config import Configuration, suggestion
from initcheck.errors import ConfigError, ExitCode, InitcheckError, NothingToCheck, TargetError, UsageError
from initcheck.records.finding import Failure
from initcheck.records.report import ModelReport, Report
from initcheck.records.target import Target
from initcheck.report.summary import measured, read_only
from initcheck.source import notebook
from initcheck.source.reading import exists, python_source

COMMANDS = ("check", "run", "show", "fix", "load", "verify", "rule", "targets")


@dataclass(slots=True)
class Found:
    """The targets of one command line, what could not be loaded, and what holds no model."""

    targets: list[Target] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    empty: list[NothingToCheck] = field(default_factory=list)
    allow_empty: bool = False


def find(specs: Sequence[str], configuration: Configuration, console: Console, *, allow_empty: bool = False) -> Found:
    """Reads the sources, without running any of them.

    Raises:
        UsageError: when a target is spelled in a way that has no meaning.
    """
    loader = configuration.settings.loader
    found = Found(allow_empty=allow_empty)
    for spec in specs:
        if allow_empty and _holds_no_model(spec):
            console.detail(f"{spec}: skipped, it defines no model")
            continue
        _no_misspelt_command(spec)
        targets, problems = _expanded(spec, loader)
        for problem in problems:
            _sort(problem, spec, found, console.detail if allow_empty else console.note)
        for target in targets:
            inputs = configuration.settings.inputs or configuration.inputs_of(target.spec, spec) or target.inputs
            called, refused = _called(target, configuration)
            found.targets += [dataclasses.replace(whole(one) if loader == "import" else one, inputs=inputs) for one in called]
            for problem in refused:
                _sort(problem, target.spec, found, console.note)
    found.targets = list(dict.fromkeys(found.targets))
    return found


def _called(target: Target, configuration: Configuration) -> tuple[tuple[Target, ...], tuple[InitcheckError, ...]]:
    """The target, with the constructor arguments that the configuration has for it and nobody typed."""
    written = None if target.arguments else configuration.arguments_of(target.spec)
    return ((target,), ()) if written is None else _expanded(f"{target.spec}({written})", configuration.settings.loader)


def _expanded(spec: str, loader: str) -> tuple[tuple[Target, ...], tuple[InitcheckError, ...]]:
    if loader == "static":
        from initcheck.discover.static.offers import readable

        return readable(spec)
    from initcheck.discover.files import too_deep
    from initcheck.discover.targets import expand

    try:
        return expand(spec)
    except RecursionError:
        return (), (too_deep(spec.partition("::")[0]),)


def check(found: Found, configuration: Configuration, console: Console, flow: Flow = PLAIN) -> Report:
    """Runs the worker over the targets; does not start it when there are none, or when the cache knows all of them."""
    if flow.keyword or flow.last_failed:
        found.targets = picked(found.targets, configuration.settings, flow, console)
    settings = configuration.settings
    models: list[ModelReport] = []
    torch = ""
    if settings.loader == "static":
        models += read_all(found.targets, settings, console.note if found.allow_empty else None)
    elif found.targets:
        from initcheck.cli.answers import gathered

        models, torch = gathered(found.targets, settings, console, flow, lambda model: supplemented(model, settings))
    return Report(tuple(models), __version__, torch, settings.seed, settings.fail_on, tuple(found.failures))


def specs_of(typed: Sequence[str], configuration: Configuration) -> tuple[str, ...]:
    """What to check: what was typed, else the configured targets.

    Raises:
        UsageError: when there is neither.
    """
    specs = tuple(typed) or configuration.targets
    if not specs:
        raise UsageError("nothing to check was named", "initcheck model.py, or put targets = [...] into [tool.initcheck] of pyproject.toml")
    return specs


def exit_code(report: Report, *, exit_zero: bool = False, allow_empty: bool = False) -> ExitCode:
    """The code of the whole command; a bug and an incomplete result win over findings."""
    if any(failure.name == "internal-error" for failure in report.all_failures):
        return ExitCode.BUG
    code = report.exit_code
    if code in (ExitCode.CLEAN, ExitCode.FINDINGS) and not all(measured(model) or read_only(model) for model in report.models):
        return ExitCode.INCOMPLETE
    if (code == ExitCode.FINDINGS and exit_zero) or (code == ExitCode.NOTHING_CHECKED and allow_empty):
        return ExitCode.CLEAN
    return code


def checked_settings(**flags: object) -> dict[str, object]:
    """The flags as fields of Settings; a number that is not one is refused here.

    Raises:
        UsageError: for an infinite timeout.
    """
    timeout = flags.get("timeout")
    if isinstance(timeout, float) and not math.isfinite(timeout):
        raise UsageError("--timeout must be a number of seconds")
    return flags


def _sort(problem: InitcheckError, spec: str, found: Found, tell: Callable[[str], None]) -> None:
    """A target that cannot be loaded is reported, one without a model is mentioned, a meaningless one ends the command."""
    if isinstance(problem, NothingToCheck):
        found.empty.append(problem)
        tell(f"note: {problem.message}")
    elif isinstance(problem, (UsageError, ConfigError)):
        raise problem
    else:
        found.failures.append(Failure("load", spec, problem.message, problem.hint, problem.name))


def _holds_no_model(spec: str) -> bool:
    if not spec.endswith((".py", notebook.SUFFIX)):
        return False
    from initcheck.discover.files import looks_like_model

    try:
        return exists(spec) and not looks_like_model(python_source(spec))
    except TargetError:
        return False  # a damaged notebook is told as such where it is opened


def _no_misspelt_command(spec: str) -> None:
    """`initcheck chekc model.py` reads `chekc` as a target, which deserves a better answer than a missing file."""
    if not spec.replace("-", "").isalpha() or Path(spec).exists():
        return
    if spec in COMMANDS:
        raise UsageError(f"the command {spec!r} must come first", f"initcheck {spec} ...")
    if Path(f"{spec}.py").is_file():
        raise UsageError(f"there is no file and no command {spec!r}", f"did you mean {spec}.py?")
    hint = suggestion(spec, COMMANDS, " ")
    raise UsageError(f"there is no file and no command {spec!r}", hint.strip() or "initcheck --help")
