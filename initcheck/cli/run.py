"""`initcheck run [-m] SCRIPT [ARGS...]`: diagnose the models of a program as it is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from initcheck import __version__
from initcheck.cli import output, session
from initcheck.cli.context import Console, console
from initcheck.cli.options import FORMATS, SETTINGS, OutputFile, Word, appearance, failing, flat, running
from initcheck.config import Configuration, load
from initcheck.errors import NothingToCheck, TargetError, UsageError
from initcheck.records.report import Report
from initcheck.records.target import Target


@click.command("run", context_settings={"allow_interspersed_args": False})
@click.option("-m", "--module", is_flag=True, help="SCRIPT is the name of a module, as after `python -m`.")
@running
@failing
@click.option("--output-format", type=Word(FORMATS), default="full", envvar="INITCHECK_OUTPUT_FORMAT", help="What standard output shows.")
@click.option("-o", "--output", "outputs", type=OutputFile(), multiple=True, help="Write the report to a file as well; repeatable.")
@appearance
@click.argument("script")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[ARGS]...")
def command(script: str, arguments: tuple[str, ...], **options: Any) -> int:
    """Run SCRIPT with its ARGS up to its first training step and diagnose the models that it was about to train.

    The program runs as `python SCRIPT ARGS` would, with its own data; it makes no step, opens no window and starts no workers.
    Options of initcheck come before SCRIPT, everything after it belongs to the program.
    """
    if options["loader"] is not None:
        raise UsageError("a program is run as it is: --loader and --static have no meaning here", f"initcheck check --loader NAME {script}")
    out = console(options["color"], options["verbose"], quiet=options["quiet"])
    flags = {key: options[key] for key in ("fail_on", *(name for name in SETTINGS if name not in ("loader", "jobs")))}
    configuration = load(flags=session.checked_settings(select=flat(options["select"]), ignore=flat(options["ignore"]), **flags))
    for key, origin in configuration.origins:
        out.detail(f"{key}: from {origin}")
    target = _target(script, arguments, configuration, module=options["module"])
    report = _check(target, configuration, out, allow_empty=options["allow_empty"])
    output.show(report, options["output_format"], options["outputs"], out)
    return int(session.exit_code(report, exit_zero=options["exit_zero"], allow_empty=options["allow_empty"]))


def _target(script: str, arguments: tuple[str, ...], configuration: Configuration, *, module: bool) -> Target:
    """The program as a target.

    Raises:
        TargetError: when there is no such script.
    """
    inputs = configuration.settings.inputs or configuration.inputs_of(script)
    target = Target(script, script, "-m" if module else "", "program", json.dumps(list(arguments)), inputs)
    path = Path(script)
    if module or path.is_file() or (path / "__main__.py").is_file():
        if path.suffix == ".ipynb":
            raise TargetError(
                f"{script} is a notebook; initcheck runs Python files", f"jupyter nbconvert --to script {script}", name="not-python"
            )
        return target
    raise TargetError(f"cannot find {script}", _instead(script, arguments), name="file-missing")


def _instead(script: str, arguments: tuple[str, ...]) -> str:
    file, _, name = script.partition("::")
    if name and Path(file).is_file():
        return f"a program is a file: initcheck run {file}, or initcheck check {script}"
    if script in ("python", "python3") and arguments:
        return f"initcheck run {' '.join(arguments)}"
    if Path(script).is_dir():
        return f"name the file in it that trains, for example {script.rstrip('/')}/train.py"
    return "check the path; everything after it belongs to the program"


def _check(target: Target, configuration: Configuration, out: Console, *, allow_empty: bool) -> Report:
    from initcheck.worker import Worker

    settings = configuration.settings
    out.progress("starting torch …")
    with Worker(settings, user_output=out.user, progress=out.progress) as worker:
        try:
            models = worker.check(target)
        except NothingToCheck:
            if not allow_empty:
                raise
            models = ()
        torch = worker.torch
    out.done()
    return Report(models, __version__, torch, settings.seed, settings.fail_on)
