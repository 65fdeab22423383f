"""The page of one error message, the same text at the terminal and in the documentation."""

from __future__ import annotations

from initcheck.report.messages import PAGES
from initcheck.report.messages.page import MessagePage


def render(page: MessagePage) -> str:
    """Markdown text."""
    parts = [f"# {page.name}", "message · the result is incomplete where it appears", "## What it means", page.meaning]
    parts += ["## Why it happens", *_list(page.because)]
    parts += ["## Example", _code(page.example)]
    parts += ["## What to do"]
    for what, paste in page.remedies:
        parts.append(what)
        parts += [_code(paste)] if paste else []
    return "\n\n".join(parts) + "\n"


def why(name: str) -> str:
    """The line that points from a failure to its page; empty where there is none."""
    return f"Why? `initcheck rule {name}`" if name in PAGES else ""


def _list(texts: tuple[str, ...]) -> list[str]:
    return ["\n".join(f"- {text}" for text in texts)]


def _code(text: str) -> str:
    return f"```\n{text.strip()}\n```"
