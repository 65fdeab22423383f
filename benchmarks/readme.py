"""Keeps the generated parts of the README fresh: `python -m benchmarks.readme` rewrites them, `--check` only compares."""

from __future__ import annotations

import ast
import itertools
import os
import re
import subprocess
import sys
from pathlib import Path

from initcheck.rules import catalogue
from initcheck.theory.reference import TABLES, markdown

README = Path(__file__).parents[1] / "README.md"


def rule_table() -> str:
    rows = ["| code | name | what it says |", "| --- | --- | --- |"]
    rows += [f"| {rule.code} | `{rule.name}` | {rule.summary} |" for rule in catalogue()]
    return "\n".join(rows)


def sample() -> str:
    command = ["initcheck", "examples/mnist_mlp.py"]
    environment = {**os.environ, "COLUMNS": "100", "NO_COLOR": "1", "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(
        [sys.executable, "-m", *command], capture_output=True, text=True, encoding="utf-8", cwd=README.parent, env=environment, check=False
    )
    if done.returncode != 1:
        raise SystemExit(f"the sample command exited with {done.returncode}: {done.stderr}")
    return f"```console\n$ {' '.join(command)}\n{done.stdout.rstrip()}\n```"


def reference() -> str:
    parts = [f"<details><summary>{title}</summary>\n\n{markdown(make())}\n\n</details>" for title, make in TABLES.values()]
    return "\n\n".join(parts)


RESULTS = {
    "zoo": "Public models, as their libraries initialize them",
    "mutations": "Faults put into healthy models",
    "initialize": "Signal and gradient through deep networks",
    "identification": "Schemes told from statistics alone",
    "gains": "Gains against ten million samples through torch",
    "verify_calibration": "False verdicts of `initcheck verify` where both variants are the same",
    "train_classic": "The classic MNIST example trained in full",
    "structure_cost": "Cost of the tests for orthogonality and duplicates",
}
"""The benchmarks whose saved results the README quotes, with what each is about."""


def evidence() -> str:
    """The sentences with which each saved result begins; its tables stay in its file."""
    parts = []
    for name, title in RESULTS.items():
        path = Path("benchmarks", "results", f"{name}.md")
        lines = (README.parent / path).read_text(encoding="utf-8").splitlines()
        said = " ".join(line for line in itertools.takewhile(lambda line: not line.startswith("|"), lines) if line)
        parts.append(f"- **{title}** (`python -m benchmarks.{name}`, [result]({path.as_posix()})): {said}")
    return "\n".join(parts)


def found() -> str:
    """The first sentence of each proof."""
    parts = []
    for path in sorted((README.parent / "benchmarks" / "found").glob("[a-z]*.py")):
        first = (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").split("\n\n")[0]
        parts.append(f"- `{path.stem}`: {' '.join(first.split())}")
    return "\n".join(parts)


PARTS = {"evidence": evidence, "found": found, "sample": sample, "rules": rule_table, "reference": reference}


def fresh(text: str) -> str:
    for name, make in PARTS.items():
        pattern = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
        if not pattern.search(text):
            raise SystemExit(f"README.md has no part {name!r}")
        text = pattern.sub(lambda match, made=make(): match.group(1) + made + "\n" + match.group(2), text)
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
