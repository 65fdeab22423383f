"""`initcheck show TARGET...`: the layer table."""

from __future__ import annotations

from typing import Any

import click

from initcheck.cli import session
from initcheck.cli.context import console
from initcheck.cli.options import SETTINGS, appearance, flat, running, several
from initcheck.cli.picking import Flow
from initcheck.cli.stdin import received
from initcheck.config import load
from initcheck.errors import ExitCode
from initcheck.report.frames import failure_frame
from initcheck.report.style import Style


@click.command("show")
@click.argument("targets", nargs=-1)
@running
@several
@appearance
def command(targets: tuple[str, ...], **options: Any) -> int:
    """Show each layer: how it looks, how large it is and should be, and the signal through it."""
    from initcheck.report import table

    out = console(options["color"], options["verbose"], quiet=options["quiet"])
    flags = {key: options[key] for key in SETTINGS}
    configuration = load(flags=session.checked_settings(select=flat(options["select"]), ignore=flat(options["ignore"]), **flags))
    found = session.find(received(session.specs_of(targets, configuration), options["stdin_filename"]), configuration, out)
    report = session.check(found, configuration, out, Flow(cached=not options["no_cache"]))
    style = Style(out.color, out.ascii_only, out.width)
    blocks = [
        table.render(model, color=out.color, ascii_only=out.ascii_only, width=out.width, verbose=bool(out.verbose))
        for model in report.models
        if model.layers or not model.failures
    ]
    blocks += [style.finish("\n".join(failure_frame(failure, style))) + "\n" for failure in report.all_failures]
    out.out("\n".join(blocks))
    if not blocks:
        out.error("no model was found in anything given", found.empty[0].hint if found.empty else "")
    code = session.exit_code(report)
    return int(ExitCode.CLEAN if code == ExitCode.FINDINGS else code)
