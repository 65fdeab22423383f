"""`initcheck [check] TARGET...`: diagnose."""

from __future__ import annotations

from typing import Any

import click

from initcheck.cli import output, session
from initcheck.cli.context import console
from initcheck.cli.options import FORMATS, SETTINGS, OutputFile, Word, appearance, failing, flat, running, several
from initcheck.cli.picking import Flow
from initcheck.cli.stdin import received
from initcheck.config import load


@click.command("check")
@click.argument("targets", nargs=-1)
@running
@several
@failing
@click.option("-k", "keyword", default="", metavar="EXPR", help="Only targets whose names fit: 'encoder and not test'.")
@click.option("--lf", "last_failed", is_flag=True, help="Only targets that failed when they were last checked; all, if none did.")
@click.option("-x", "exit_first", is_flag=True, help="Stop at the first target with a finding that counts or a failure.")
@click.option("--durations", is_flag=True, help="Tell how long each target took, and with what.")
@click.option("--output-format", type=Word(FORMATS), default="full", envvar="INITCHECK_OUTPUT_FORMAT", help="What standard output shows.")
@click.option("-o", "--output", "outputs", type=OutputFile(), multiple=True, help="Write the report to a file as well; repeatable.")
@appearance
def command(targets: tuple[str, ...], **options: Any) -> int:
    """Build each TARGET, run it once and report wrong initial weights.

    A TARGET is model.py, model.py::Net, "model.py::Net(width=64)", package.module:factory, torchvision:resnet18, timm:NAME, hf:./folder,
    a notebook, a file of weights, a folder, or - for standard input.
    Without one, the targets of the configuration are checked.
    """
    out = console(options["color"], options["verbose"], quiet=options["quiet"])
    flags = {key: options[key] for key in ("fail_on", *SETTINGS)}
    configuration = load(flags=session.checked_settings(select=flat(options["select"]), ignore=flat(options["ignore"]), **flags))
    for key, origin in configuration.origins:
        out.detail(f"{key}: from {origin}")
    allow_empty = options["allow_empty"]
    specs = targets if allow_empty and not configuration.targets else session.specs_of(targets, configuration)
    specs = received(specs, options["stdin_filename"])
    found = session.find(specs, configuration, out, allow_empty=allow_empty)
    flow = Flow(options["keyword"], options["last_failed"], options["exit_first"], options["durations"], not options["no_cache"])
    report = session.check(found, configuration, out, flow)
    output.show(report, options["output_format"], options["outputs"], out)
    code = session.exit_code(report, exit_zero=options["exit_zero"], allow_empty=allow_empty)
    if not (report.models or report.failures or allow_empty or options["output_format"] == "json"):
        first = found.empty[0] if found.empty else None
        out.error("no model was found in anything given", first.hint if first is not None else "")
    return int(code)
