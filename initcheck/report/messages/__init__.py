"""The pages of the error messages: one table for each stage at which a check can end."""

from __future__ import annotations

import difflib

from initcheck.report.messages import building, fixing, loading, running, stored, typed, verifying
from initcheck.report.messages.page import MessagePage

_ROOMS = (typed, loading, building, running, stored, fixing, verifying)
PAGES: dict[str, MessagePage] = {page.name: page for room in _ROOMS for page in room.PAGES}
"""All pages by the name of the error, in the order of the stages."""


def nearest(name: str, likeness: float = 0.6) -> str:
    """The error name that a misspelt one is close to, empty for none."""
    close = difflib.get_close_matches(name.lower(), list(PAGES), 1, likeness)
    return close[0] if close else ""
