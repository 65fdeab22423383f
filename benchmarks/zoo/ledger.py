"""Results and the human verdicts together: what is right, what is a false alarm, what nobody has read yet."""

from __future__ import annotations

import fnmatch
import json
import statistics
import tomllib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LEDGER = Path(__file__).parents[1] / "zoo_findings.toml"
GROUPS = {"tv": "torchvision", "hf": "transformers"}
LOUD = ("warning", "error")
JUDGED, ROLES = "built, run and judged", "next and previous role known, of those reached"
KNOWN_SHARE = 0.98
FALSE_SHARE = 1 / 200


@dataclass(frozen=True)
class Verdict:
    """What a human says of a finding; `models` are shell patterns separated by spaces, `parameter` is one for the first parameter named."""

    models: str
    rule: str
    parameter: str
    verdict: str
    reason: str
    seen: str

    def covers(self, model: str, finding: dict[str, Any]) -> bool:
        """Whether this entry speaks of a finding."""
        first = finding["parameters"][0] if finding["parameters"] else ""
        named = any(fnmatch.fnmatch(model, pattern) for pattern in self.models.split())
        return named and finding["code"] == self.rule and fnmatch.fnmatch(first, self.parameter)


@dataclass(frozen=True)
class Read:
    """A loud finding and its verdict: true, false or unread."""

    model: str
    finding: dict[str, Any]
    verdict: str


def verdicts() -> list[Verdict]:
    """The ledger, in order."""
    entries = tomllib.loads(LEDGER.read_text(encoding="utf-8")).get("finding", [])
    found = [Verdict(**entry) for entry in entries]
    for entry in found:
        if entry.verdict not in ("true", "false"):
            raise SystemExit(f"{LEDGER.name}: the verdict of {entry.models} {entry.rule} is {entry.verdict!r}, neither true nor false")
    return found


def results(paths: Iterable[Path]) -> list[dict[str, Any]]:
    """The last result of each model, sorted by name."""
    lines = [json.loads(line) for path in paths for line in path.read_text(encoding="utf-8").splitlines()]
    return sorted({line["model"]: line for line in lines}.values(), key=lambda result: result["model"])


def judged(found: list[dict[str, Any]], ledger: list[Verdict]) -> list[Read]:
    """All findings at warning or above with what the ledger says."""
    read = []
    for result in found:
        for finding in result.get("findings", []):
            if finding["severity"] in LOUD:
                verdict = next((entry.verdict for entry in ledger if entry.covers(result["model"], finding)), "unread")
                read.append(Read(result["model"], finding, verdict))
    return read


def report(paths: list[Path], table: Path | None) -> int:
    """Prints the summary and what the ledger does not know; 0 when all goals are met."""
    found, ledger = results(paths), verdicts()
    read = judged(found, ledger)
    text = "\n".join([_sentence(found, read), "", *_summary(found, read), "", *_by_rule(found, read), "", *_not_checked(found)])
    print(text)
    if table is not None:
        table.parent.mkdir(exist_ok=True)
        table.write_text(f"{text}\n", encoding="utf-8")
    used = {id(entry) for entry in ledger for one in read if entry.covers(one.model, one.finding)}
    for entry in ledger:
        if id(entry) not in used:
            print(f"no longer found: {entry.models} {entry.rule} {entry.parameter} ({entry.verdict})")
    for one in read:
        if one.verdict == "unread":
            parameters = ", ".join(one.finding["parameters"][:2])
            print(
                f"unread: {one.model}: {one.finding['severity']} {one.finding['code']} {parameters}: {one.finding['message']} ({one.finding['where']})"
            )
    return 0 if _goals(found, read) else 1


def _goals(found: list[dict[str, Any]], read: list[Read]) -> bool:
    checked = [result for result in found if result["state"] == "ok"]
    alarmed = {one.model for one in read if one.verdict == "false"}
    return (
        not any(result["state"] in ("crash", "killed") for result in found)
        and not any(one.verdict == "unread" for one in read)
        and _share(checked) >= KNOWN_SHARE
        and len(alarmed) <= FALSE_SHARE * len(checked)
    )


def _share(checked: list[dict[str, Any]]) -> float:
    """The share with a known next and previous role among the weights that the input reached."""
    weights = sum(result["weights"] for result in checked) - _unreached(checked)
    unknown = sum(len(result["unknown"]) for result in checked) - _unreached(checked)
    return 1 - unknown / max(weights, 1)


def _unreached(checked: list[dict[str, Any]]) -> int:
    return sum(kind == "unused" for result in checked for _, kind, _ in result["unknown"])


def _sentence(found: list[dict[str, Any]], read: list[Read]) -> str:
    all_models, vision, language = (
        _column(part, read) for part in [found, *([r for r in found if r["model"].startswith(key)] for key in GROUPS)]
    )
    return (
        f"{all_models[JUDGED]} models ({vision[JUDGED]} of torchvision, {language[JUDGED]} of transformers) with {all_models['parameters judged']} parameters: "
        f"{all_models['warnings and errors read as true']} findings at warning or above read as true and {all_models['warnings and errors read as false']} as false, "
        f"models with a false alarm {all_models['models with a false alarm']}, crashes {all_models['crashes']}; "
        f"the next and the previous role are known of {all_models[ROLES]} of the weights that the input reaches."
    )


def _summary(found: list[dict[str, Any]], read: list[Read]) -> list[str]:
    columns = [("all", found)] + [(title, [r for r in found if r["model"].startswith(f"{key}/")]) for key, title in GROUPS.items()]
    columns = [(title, rows) for title, rows in columns if rows]
    lines = ["| | " + " | ".join(title for title, _ in columns) + " |", "| --- |" + " ---: |" * len(columns)]
    rows = [_column(part, read) for _, part in columns]
    return lines + [f"| {name} | " + " | ".join(column[name] for column in rows) + " |" for name in rows[0]]


def _column(found: list[dict[str, Any]], read: list[Read]) -> dict[str, str]:
    names = {result["model"] for result in found}
    checked = [result for result in found if result["state"] == "ok"]
    mine = [one for one in read if one.model in names]
    levels = Counter(finding["severity"] for result in found for finding in result.get("findings", []))
    times = [result["cpu"] for result in checked]
    alarmed = {one.model for one in mine if one.verdict == "false"}
    return {
        "models tried": f"{len(found):,}",
        JUDGED: f"{len(checked):,}",
        "parameters judged": f"{sum(result['parameters'] for result in checked):,}",
        "weight tensors": f"{sum(result['weights'] for result in checked):,}",
        "that the synthesised input does not reach (towers of a second modality, tokens for masking)": f"{_unreached(checked):,}",
        ROLES: f"{_share(checked):.2%}",
        "skips (a rule could not judge something)": f"{sum(len(result['skips']) for result in checked):,}",
        "findings: info": f"{levels['info']:,}",
        "findings: warning": f"{levels['warning']:,}",
        "findings: error": f"{levels['error']:,}",
        "warnings and errors read as true": f"{sum(one.verdict == 'true' for one in mine):,}",
        "warnings and errors read as false": f"{sum(one.verdict == 'false' for one in mine):,}",
        "not read yet": f"{sum(one.verdict == 'unread' for one in mine):,}",
        "models with a false alarm": f"{len(alarmed)} ({len(alarmed) / max(len(checked), 1):.2%})",
        "crashes": str(sum(result["state"] in ("crash", "killed") for result in found)),
        "CPU seconds per model, median / largest": f"{statistics.median(times or [0]):.1f} / {max(times or [0]):.1f}",
        "CPU minutes in all": f"{sum(result.get('cpu', 0) for result in found) / 60:.1f}",
    }


def _by_rule(found: list[dict[str, Any]], read: list[Read]) -> list[str]:
    kinds = Counter((f["code"], f["name"], f["severity"]) for result in found for f in result.get("findings", []))
    models = Counter(kind for result in found for kind in {(f["code"], f["name"], f["severity"]) for f in result.get("findings", [])})
    false = Counter((one.finding["code"], one.finding["severity"]) for one in read if one.verdict == "false")
    lines = ["| rule | severity | findings | models | false |", "| --- | --- | ---: | ---: | ---: |"]
    return lines + [
        f"| {code} {name} | {severity} | {count} | {models[code, name, severity]} | {false[code, severity]} |"
        for (code, name, severity), count in sorted(kinds.items())
    ]


def _not_checked(found: list[dict[str, Any]]) -> list[str]:
    states = {
        "left-out": "left out",
        "no-build": "no tiny configuration builds",
        "no-run": "built, but no synthesised input runs",
        "timeout": "too slow",
        "killed": "killed",
        "crash": "crashed",
    }
    lines = []
    for state, title in states.items():
        names = [f"{r['model']} ({r['reason']})" if state == "left-out" else r["model"] for r in found if r["state"] == state]
        if names:
            lines.append(f"{title} ({len(names)}): {', '.join(names)}")
            lines.append("")
    return lines[:-1]
