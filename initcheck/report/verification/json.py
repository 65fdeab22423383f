"""A verification as JSON: the same bytes for the same result, readable back without torch."""

from __future__ import annotations

import json

from initcheck.records.serial import from_plain, to_plain
from initcheck.records.verification import Verification


def render(verification: Verification) -> str:
    """JSON text, ASCII only, keys sorted, no times; non-finite numbers are strings. `verdict` stands at the top as well."""
    plain = to_plain(verification) | {"verdict": verification.verdict}
    return json.dumps(plain, sort_keys=True, indent=2, allow_nan=False) + "\n"


def load(text: str) -> Verification:
    """The verification that `render` wrote.

    Raises:
        ValueError: when the text is none.
    """
    data = json.loads(text)
    data.pop("verdict", None)
    return from_plain(Verification, data)
