"""`initcheck [check] TARGET...`: diagnose."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from initcheck.cli import session
from initcheck.cli.context import Console, console
from initcheck.cli.options import FORMATS, OutputFile, Word, appearance, failing, flat, running
from initcheck.config import load
from initcheck.errors import UsageError
from initcheck.records.report import Report


@click.command("check")
@click.argument("targets", nargs=-1)
@running
@failing
@click.option("--output-format", type=Word(FORMATS), default="full", envvar="INITCHECK_OUTPUT_FORMAT", help="What standard output shows.")
@click.option("-o", "--output", "outputs", type=OutputFile(), multiple=True, help="Write the report to a file as well; repeatable.")
@appearance
def command(targets: tuple[str, ...], **options: Any) -> int:
    """Build each TARGET, run it once and report wrong initial weights.

    A TARGET is model.py, model.py::Net, "model.py::Net(width=64)", package.module:factory, torchvision:resnet18 or a folder.
    Without one, the targets of the configuration are checked.
    """
    out = console(options["color"], options["verbose"], quiet=options["quiet"])
    flags = {key: options[key] for key in ("fail_on", "inputs", "seed", "batch", "timeout")}
    configuration = load(flags=session.checked_settings(select=flat(options["select"]), ignore=flat(options["ignore"]), **flags))
    for key, origin in configuration.origins:
        out.detail(f"{key}: from {origin}")
    allow_empty = options["allow_empty"]
    specs = targets if allow_empty and not configuration.targets else session.specs_of(targets, configuration)
    found = session.find(specs, configuration, out, allow_empty=allow_empty)
    report = session.check(found, configuration, out)
    for kind, path in options["outputs"]:
        _write(path, _render(report, kind, Console(width=out.width, verbose=out.verbose)))
    code = session.exit_code(report, exit_zero=options["exit_zero"], allow_empty=allow_empty)
    if report.models or report.failures or options["output_format"] == "json":
        out.out(_render(report, options["output_format"], out))
        _remark(report, options["output_format"], out)
    elif not allow_empty:
        first = found.empty[0] if found.empty else None
        out.error("no model was found in anything given", first.hint if first is not None else "")
    return int(code)


def _render(report: Report, kind: str, out: Console) -> str:
    if kind == "json":
        from initcheck.report import json

        return json.render(report)
    if kind == "concise":
        from initcheck.report import concise

        return concise.render(report, color=out.color, ascii_only=out.ascii_only)
    from initcheck.report import terminal

    verbose = bool(out.verbose)
    return terminal.render(report, color=out.color, ascii_only=out.ascii_only, width=out.width, verbose=verbose, quiet=out.quiet)


def _remark(report: Report, kind: str, out: Console) -> None:
    """What the lines of `concise` leave unsaid goes to standard error."""
    if kind == "concise":
        from initcheck.report.summary import result, unjudged

        out.note(result(report))
        for group in unjudged(report.skips):
            out.detail(f"not judged: {group.times} × {group}")


def _write(path: str, text: str) -> None:
    try:
        Path(path).write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror or error}") from error
