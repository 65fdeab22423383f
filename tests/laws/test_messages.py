"""What holds for every error: its name has a page, and every page belongs to a name that the source uses."""

import ast
import re
from pathlib import Path

import pytest

import initcheck
from initcheck.report import message_page
from initcheck.report.messages import PAGES, nearest
from initcheck.rules import catalogue
from initcheck.theory.reference import TABLES

PACKAGE = Path(initcheck.__file__).parent
ERRORS = {"InitcheckError", "UsageError", "ConfigError", "TargetError", "NothingToCheck", "Refused"}
BASES = {"error", "target"}
"""Names of classes that are only raised under the name of a more particular case."""


def _named(call):
    """The texts that a call gives an error for its name."""
    function = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
    values = [keyword.value for keyword in call.keywords if keyword.arg == "name"] if function in ERRORS else []
    values += call.args[4:5] if function == "Failure" else []
    values += call.args[1:2] if function == "lost" else []
    parts = [part for value in values for part in ((value.body, value.orelse) if isinstance(value, ast.IfExp) else (value,))]
    return [part.value for part in parts if isinstance(part, ast.Constant)]


def _of_classes(node):
    bases = {getattr(base, "id", "") for base in node.bases}
    if not bases & ERRORS and node.name not in ERRORS:
        return []
    assigned = [statement for statement in node.body if isinstance(statement, ast.Assign) and statement.targets[0].id == "name"]
    return [statement.value.value for statement in assigned]


def names_in_source():
    found = {"internal-error", "not-measured"}  # made from constants by the worker and by the concise report
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                found.update(_named(node))
            elif isinstance(node, ast.ClassDef):
                found.update(_of_classes(node))
    return {name for name in found if re.fullmatch(r"[a-z]+(-[a-z]+)*", name)}


def test_every_error_has_a_page():
    assert not sorted(names_in_source() - BASES - set(PAGES))


def test_every_page_belongs_to_an_error():
    assert not sorted(set(PAGES) - names_in_source())


def test_no_target_error_is_nameless():
    nameless = [
        f"{path.relative_to(PACKAGE)}:{node.lineno}"
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "TargetError"
        and not any(keyword.arg in ("name", None) for keyword in node.keywords)
    ]
    assert not nameless


def test_no_page_has_the_name_of_a_rule_or_a_table():
    assert not set(PAGES) & {*(rule.name for rule in catalogue()), *TABLES}


@pytest.mark.parametrize("page", PAGES.values(), ids=lambda page: page.name)
def test_pages_are_complete(page):
    assert page.meaning.endswith(".") or page.meaning.endswith(").")
    assert page.because and all(text.endswith(".") for text in page.because)
    assert page.remedies and any(paste for _, paste in page.remedies)
    text = message_page.render(page)
    for heading in ("## What it means", "## Why it happens", "## Example", "## What to do"):
        assert heading in text
    assert page.name in page.example or page.name in ("usage", "config", "no-model")


def test_a_misspelt_message_is_answered_with_the_nearest():
    assert nearest("need-args") == "needs-args"
    assert nearest("qqqq") == ""
