"""The group of commands, each imported only when it is run."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

import click

from initcheck import __version__
from initcheck.config import suggestion

_EPILOG = """\
`initcheck TARGET` is `initcheck check TARGET`; `initcheck check --help` lists its options.

\b
Exit codes: 0 clean, 1 findings, 2 wrong command line or configuration, 3 bug in initcheck,
4 a target could not be checked, 5 no model found.
"""


class LazyGroup(click.Group):
    """A group that knows its commands' names and summaries without importing them."""

    summaries: Mapping[str, str]

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  (click's signature)
        """The names in the order of the table."""
        return list(self.summaries)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, imported now."""
        if cmd_name not in self.summaries:
            ctx.fail(f"there is no command {cmd_name!r}: {suggestion(cmd_name, list(self.summaries))}")
        command: click.Command = import_module(f"initcheck.cli.{cmd_name}").command
        command.context_settings.setdefault("help_option_names", ["-h", "--help"])
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  (click's signature)
        """The table of commands, from the summaries alone."""
        with formatter.section("Commands"):
            formatter.write_dl(list(self.summaries.items()))


def program(summaries: Mapping[str, str]) -> click.Group:
    """The whole program."""
    group = LazyGroup(
        "initcheck",
        help="Find wrong initial weights in PyTorch models before the first training step.",
        epilog=_EPILOG,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    group.summaries = summaries
    return click.version_option(__version__, message="%(prog)s %(version)s")(group)
