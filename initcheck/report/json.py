"""The whole report as JSON: the same bytes for the same result, readable back without torch."""

from __future__ import annotations

import json

from initcheck.errors import UsageError
from initcheck.records.report import SCHEMA, Report
from initcheck.records.serial import from_plain, to_plain


def render(report: Report) -> str:
    """JSON text, ASCII only, keys sorted, no times; non-finite numbers are strings."""
    return json.dumps(to_plain(report), sort_keys=True, indent=2, allow_nan=False) + "\n"


def load(text: str) -> Report:
    """The report that `render` wrote.

    Raises:
        UsageError: when the text is no report, or one of a newer schema.
    """
    try:
        data = json.loads(text)
    except ValueError as error:
        raise UsageError(f"this is not JSON: {error}") from error
    if not isinstance(data, dict) or "models" not in data:
        raise UsageError("this JSON is not a report of initcheck", "write one with `initcheck -o json:FILE TARGET`")
    if data.get("schema", 0) > SCHEMA:
        raise UsageError(f"the report has schema {data['schema']}, this initcheck reads up to {SCHEMA}", "update initcheck")
    try:
        return from_plain(Report, data)
    except (KeyError, TypeError, ValueError) as error:
        raise UsageError(f"this JSON is not a report of initcheck: {error}") from error
