"""`initcheck rule [CODE|NAME]`: explain a rule, or list them."""

from __future__ import annotations

from collections.abc import Iterator

import click

from initcheck.cli.context import console
from initcheck.cli.options import appearance
from initcheck.config import load
from initcheck.report.style import Style


@click.command("rule")
@click.argument("name", required=False)
@click.option("--all", "everything", is_flag=True, help="List all rules.")
@appearance
def command(name: str | None, *, everything: bool, color: str, quiet: bool, verbose: int) -> int:
    """Explain the rule with this code or NAME; without one, list all rules."""
    from initcheck.rules import catalogue, explain

    out = console(color, verbose, quiet=quiet)
    if name is None or everything:
        from initcheck.report import table

        rows = [(rule.code, rule.name, rule.severity, rule.summary) for rule in catalogue()]
        headers = ("code", "name", "severity", "what it does")
        out.out(table.listing(rows, headers, color=out.color, ascii_only=out.ascii_only, width=out.width))
        return 0
    from initcheck.report import rule_page

    style = Style(out.color, out.ascii_only, out.width)
    page = rule_page.render(explain(name), load().settings.options)
    out.out(style.finish("\n".join(_shown(page, style))) + "\n")
    return 0


def _shown(page: str, style: Style) -> Iterator[str]:
    """The page's lines with headings in bold and paragraphs wrapped; code stays as it is."""
    code = False
    for line in page.splitlines():
        code ^= line.startswith("```")
        if code or line.startswith("```") or not line:
            yield line
        elif line.startswith("#"):
            yield style.paint(line, "strong")
        else:
            yield from style.wrap(line, rest="  " if line.startswith("- ") else "")
