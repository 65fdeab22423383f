"""Entries of a corpus of strangers' files, each in a folder of its own, and what the command line says about them.

`python -m tests.end_to_end.wild FOLDER` prints the table for a corpus anywhere.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
import sys
import tempfile
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.end_to_end.process import start

WILD = Path(__file__).parents[1] / "models" / "wild"
HEADER = re.compile(r"^# (wild|expect|parameters|fault|missing): *(.+?) *$", re.MULTILINE)
NOT_RUN = "no forward pass: "
AT_ONCE = 2
PER_PROCESS = 25


@dataclass(frozen=True, slots=True)
class Entry:
    """One scenario: a file, or a folder with its main file marked by the header."""

    name: str
    source: Path
    main: Path
    """Relative to the staged corpus."""
    wild: str
    expect: str
    parameters: int | None = None
    fault: str = ""
    missing: str = ""

    @property
    def cure(self):
        """What the author would add to the file where the message asks for it, or None."""
        path = self.source.parent / "cures" / f"{self.name}.txt"
        return path.read_text(encoding="utf-8") if path.is_file() else None


def header(path):
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".ipynb":
        first = next(cell for cell in json.loads(text)["cells"] if cell["cell_type"] == "code")
        text = "".join(first["source"])
    return dict(HEADER.findall(text)) if text.startswith("# wild:") else {}


def entries(root):
    """All entries of a corpus, by name."""
    found = []
    for path in sorted(Path(root).rglob("*")):
        if path.suffix not in {".py", ".ipynb"} or not (marks := header(path)):
            continue
        inside = path.relative_to(root)
        name = inside.parts[0].partition(".")[0]
        main = inside if len(inside.parts) > 1 else Path(name) / inside
        marks["parameters"] = int(marks["parameters"]) if "parameters" in marks else None
        found.append(Entry(name=name, source=Path(root) / inside.parts[0], main=main, **marks))
    return found


def stage(chosen, folder):
    """Give each entry a folder of its own, as if it had just been cloned."""
    for entry in chosen:
        place = Path(folder) / entry.name
        if entry.source.is_dir():
            shutil.copytree(entry.source, place, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            place.mkdir()
            shutil.copy(entry.source, place)


def command(arguments, cwd, **options):
    """(exit code, standard output, standard error), however long it takes."""
    process = start(*arguments, cwd=cwd, **options)
    try:
        out, err = process.communicate(timeout=1800)
    finally:
        process.kill()
    return process.returncode, out.decode("utf-8", "replace"), err.decode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class Said:
    """What was said of one entry."""

    models: tuple = ()
    failures: tuple = ()
    """Of the file and of its models."""

    @property
    def complaint(self):
        """Why this does not count as checked; empty if it does."""
        if self.failures:
            return "; ".join(f"{failure['name']}: {failure['message']}" for failure in self.failures)
        if not any(model["parameters"] for model in self.models):
            return "no model with parameters"
        idle = [model["model"] for model in self.models if any(skip["reason"].startswith(NOT_RUN) for skip in model["skips"])]
        return f"not run: {', '.join(idle)}" if idle else ""


def check(chosen, folder, *options):
    """{name: Said}, from as few processes as keep both cores busy."""
    groups = [chosen[at : at + PER_PROCESS] for at in range(0, len(chosen), PER_PROCESS)]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(
            pool.map(lambda group: command([*(entry.main for entry in group), "--output-format", "json", *options], folder), groups)
        )
    models, failures = defaultdict(list), defaultdict(list)
    for code, out, err in answers:
        assert code in {0, 1, 4, 5}, err
        report = json.loads(out)
        for failure in report["failures"]:
            failures[re.split(r"[/\\]", failure["subject"])[0]].append(failure)
        for model in report["models"]:
            name = re.split(r"[/\\.:]", model["target"]["path"])[0]
            models[name].append(model)
            failures[name].extend(model["failures"])
    return {entry.name: Said(tuple(models[entry.name]), tuple(failures[entry.name])) for entry in chosen}


def commands(hint):
    """What a reader of the hint would paste: (kind, words), in the order of the text. Explaining a rule cures nothing."""
    found = []
    for line in hint.splitlines():
        for kind, text in re.findall(r"((?:python -m )?initcheck|pip install) (?!rule )([^`\n]+)", line):
            found.append(("pip" if kind.startswith("pip") else "initcheck", tuple(shlex.split(text))))
    return found


def asks_for_a_function(hint):
    """The file that the hint wants extended by `initcheck_model()`, or None."""
    match = re.search(r"put this (?:once )?into (\S+?):?\s+def initcheck_model", hint, re.IGNORECASE)
    return match[1].rstrip(":") if match else None


def table(root):
    """Print one line per entry and the share that is checked."""
    chosen = entries(root)
    with tempfile.TemporaryDirectory() as folder:
        stage(chosen, folder)
        said = check(chosen, folder)
    checked = 0
    for entry in chosen:
        complaint = said[entry.name].complaint
        counts = [model["parameters"] for model in said[entry.name].models]
        findings = [finding for model in said[entry.name].models for finding in model["findings"]]
        codes = sorted({finding["code"] for finding in findings if finding["severity"] != "info"})
        other = entry.parameters not in {None, *counts} and not complaint
        checked += not complaint
        state = "message" if complaint else "other  " if other else "checked"
        print(f"{state} {entry.name:34} {entry.expect:8} {counts} {codes} {entry.fault} {complaint[:300]!r}")
    expected = sum(entry.expect == "checked" for entry in chosen)
    print(f"{checked} of {len(chosen)} checked; {expected} are expected to be")


if __name__ == "__main__":
    table(sys.argv[1] if len(sys.argv) > 1 else WILD)
