"""`initcheck targets [PATH...]`: what there is to check, without importing any of it."""

from __future__ import annotations

import click

from initcheck.cli import session
from initcheck.cli.context import console
from initcheck.cli.options import appearance
from initcheck.cli.stdin import received
from initcheck.config import load
from initcheck.errors import ExitCode


@click.command("targets")
@click.argument("paths", nargs=-1)
@appearance
def command(paths: tuple[str, ...], color: str, verbose: int, *, quiet: bool) -> int:
    """List the models that PATHs hold (the working directory, if none is given), as `initcheck` takes them."""
    out = console(color, verbose, quiet=quiet)
    configuration = load()
    found = session.find(received(paths or configuration.targets or (".",), None), configuration, out)
    width = max((len(target.spec) for target in found.targets), default=0)
    out.out("".join(f"{target.spec:<{width}}  {target.kind}\n" for target in found.targets))
    for failure in found.failures:
        out.error(failure.message, failure.hint)
    if found.failures:
        return int(ExitCode.INCOMPLETE)
    return int(ExitCode.CLEAN if found.targets else ExitCode.NOTHING_CHECKED)
