"""`initcheck rule [CODE|NAME|TABLE]`: explain a rule, show a reference table, or list them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

import click

from initcheck.cli.context import console
from initcheck.cli.options import appearance
from initcheck.config import load
from initcheck.report.style import Style


@click.command("rule")
@click.argument("name", required=False)
@click.option("--all", "everything", is_flag=True, help="Print the pages of all rules and all reference tables.")
@appearance
def command(name: str | None, *, everything: bool, color: str, quiet: bool, verbose: int) -> int:
    """Explain the rule with this code or NAME, or show a reference table; without a name, list them."""
    out = console(color, verbose, quiet=quiet)
    style = Style(out.color, out.ascii_only, out.width)
    if name is None and not everything:
        out.out(_listing(style))
        return 0
    pages = _all_pages() if everything else [_page(str(name))]
    out.out("\n".join(style.finish("\n".join(_shown(page, style))) + "\n" for page in pages))
    return 0


def _listing(style: Style) -> str:
    from initcheck.report import table
    from initcheck.rules import catalogue
    from initcheck.theory.reference import TABLES

    rows: list[tuple[str, ...]] = [(rule.code, rule.name, rule.severity, rule.summary) for rule in catalogue()]
    rows += [("", name, "table", f"{title}.") for name, (title, _) in TABLES.items()]
    headers = ("code", "name", "severity", "what it does")
    return table.listing(rows, headers, color=style.color, ascii_only=style.ascii_only, width=style.width)


def _page(name: str) -> str:
    from initcheck.report import rule_page
    from initcheck.rules import explain
    from initcheck.theory.reference import TABLES

    if name.lower() in TABLES:
        return "\n\n".join(rule_page.reference(name.lower())) + "\n"
    return rule_page.render(explain(name), load().settings.options)


def _all_pages() -> list[str]:
    from initcheck.rules import catalogue
    from initcheck.theory.reference import TABLES

    return [_page(name) for name in (*(rule.code for rule in catalogue()), *TABLES)]


def _shown(page: str, style: Style) -> Iterator[str]:
    """The page's lines with headings in bold, paragraphs and tables wrapped; code stays as it is."""
    code = False
    for is_table, lines in groupby(page.splitlines(), key=lambda line: line.startswith("|")):
        if is_table and not code:
            yield from _table(list(lines), style)
            continue
        for line in lines:
            code ^= line.startswith("```")
            if code or line.startswith("```") or not line:
                yield line
            elif line.startswith("#"):
                yield style.paint(line, "strong")
            else:
                yield from style.wrap(line, rest="  " if line.startswith("- ") else "")


def _table(lines: list[str], style: Style) -> list[str]:
    from initcheck.report import table

    head, _, *body = ([cell.strip() for cell in line.strip("|").split(" | ")] for line in lines)
    return table.fitted(body, head, style)
