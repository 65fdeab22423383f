"""Keeps the generated parts of the README fresh: `python -m benchmarks.readme` rewrites them, `--check` only compares."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from initcheck.rules import catalogue

README = Path(__file__).parents[1] / "README.md"


def rule_table() -> str:
    rows = ["| code | name | what it says |", "| --- | --- | --- |"]
    rows += [f"| {rule.code} | `{rule.name}` | {rule.summary} |" for rule in catalogue()]
    return "\n".join(rows)


PARTS = {"rules": rule_table}


def fresh(text: str) -> str:
    for name, make in PARTS.items():
        pattern = re.compile(rf"(<!-- {name} -->\n).*?(\n<!-- /{name} -->)", re.DOTALL)
        if not pattern.search(text):
            raise SystemExit(f"README.md has no part {name!r}")
        text = pattern.sub(lambda match, made=make(): match.group(1) + made + match.group(2), text)
    return text


def main() -> None:
    text = README.read_text(encoding="utf-8")
    if fresh(text) == text:
        return
    if "--check" in sys.argv[1:]:
        raise SystemExit("README.md is stale: run `python -m benchmarks.readme`")
    README.write_text(fresh(text), encoding="utf-8")


if __name__ == "__main__":
    main()
