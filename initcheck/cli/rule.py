"""`initcheck rule [CODE|NAME|TABLE|MESSAGE]`: explain a rule or an error message, show a reference table, or list them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

import click

from initcheck.cli.context import console
from initcheck.cli.options import appearance
from initcheck.config import load
from initcheck.errors import UsageError
from initcheck.report.style import Style


@click.command("rule")
@click.argument("name", required=False)
@click.option("--all", "everything", is_flag=True, help="Print the pages of all rules, reference tables and messages.")
@appearance
def command(name: str | None, *, everything: bool, color: str, quiet: bool, verbose: int) -> int:
    """Explain the rule with this code or NAME, a reference table, or an error message; without a name, list them."""
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
    from initcheck.report.messages import PAGES
    from initcheck.rules import catalogue
    from initcheck.theory.reference import TABLES

    rows: list[tuple[str, ...]] = [(rule.code, rule.name, rule.severity, rule.summary) for rule in catalogue()]
    rows += [("", name, "table", f"{title}.") for name, (title, _) in TABLES.items()]
    headers = ("code", "name", "severity", "what it does")
    messages = [(page.name, page.meaning) for page in PAGES.values()]
    tables = ((rows, headers), (messages, ("message", "what it means")))
    return "\n".join(table.listing(body, head, color=style.color, ascii_only=style.ascii_only, width=style.width) for body, head in tables)


def _page(name: str) -> str:
    from initcheck.report import message_page, rule_page
    from initcheck.report.messages import PAGES, nearest
    from initcheck.rules import explain
    from initcheck.theory.reference import TABLES

    wanted = name.strip().lower()
    if wanted in TABLES:
        return "\n\n".join(rule_page.reference(wanted)) + "\n"
    if wanted in PAGES:
        return message_page.render(PAGES[wanted])
    try:
        rule = explain(name)
    except UsageError as error:
        close = nearest(wanted, 0.8 if "did you mean" in error.hint else 0.6)
        if close:
            raise UsageError(error.message, f"did you mean {close}?") from error
        raise
    return rule_page.render(rule, load().settings.options)


def _all_pages() -> list[str]:
    from initcheck.report.messages import PAGES
    from initcheck.rules import catalogue
    from initcheck.theory.reference import TABLES

    return [_page(name) for name in (*(rule.code for rule in catalogue()), *TABLES, *PAGES)]


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
