"""Injects faults at random places of healthy models and counts which are named.

    python -m benchmarks.mutations [--count 600] [--seed 0] [--shard 1/2] [--only PATTERN] [--probe 1] [--heal]
        [-o FILE.jsonl] [--report FILE.jsonl ...]

A mutant counts as named when a finding at warning or above has one of the fault's rules and touches one of its parameters; a harmless
one (a zero head, a large weight behind a normalization) is right when nothing at warning or above touches it. Side findings are
those at warning or above that neither name the fault nor are folded into it. Every base must be silent at warning before it is used.
`--heal` fixes every named mutant in memory, with everything allowed, and counts those that are healed without a new finding.
Theory says where a fault harms; `--probe N` trains N mutants of each fault and context (of small bases), and their bases, for a moment to see it.
"""

from __future__ import annotations

import argparse
import json
import random
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from torch import nn

import initcheck
from benchmarks.mutations.bases import BASES, Base
from benchmarks.mutations.faults import FAULTS, MISMATCHED, Fault, Place, fill, mismatch
from benchmarks.mutations.heal import heal
from benchmarks.mutations.probe import probe
from initcheck.records.report import Report

Mutant = tuple[Base, Fault, Place]
Result = dict[str, Any]


def check(build: Callable[[], nn.Module], base: Base) -> Report:
    return initcheck.check(build, base.inputs())


def mutants(count: int, seed: int, only: str) -> Iterator[Mutant]:
    """`count` mutants, spread over faults and bases as evenly as places allow, in random order."""
    generator = random.Random(seed)
    places: dict[str, list[Mutant]] = defaultdict(list)
    for base in BASES:
        report = check(base.build, base)
        loud = [finding.name for finding in report.at_least("warning")]
        if loud or report.all_failures:
            print(f"base {base.name} is not silent: {loud or report.all_failures}")
            continue
        for fault in FAULTS:
            if re.search(only, f"{base.name} {fault.name}"):
                places[fault.name] += [(base, fault, place) for place in fault.places(base, report.layers)]
    chosen: list[Mutant] = []
    for found in places.values():
        generator.shuffle(found)
    while len(chosen) < count and any(places.values()):
        chosen += [found.pop() for found in places.values() if found]
    generator.shuffle(chosen)
    yield from chosen[:count]


def mutant(base: Base, fault: Fault, place: Place) -> Callable[[], nn.Module]:
    put = fill(mismatch(base)) if fault is MISMATCHED else fault.put

    def build() -> nn.Module:
        model = base.build()
        put(model, place)
        return model

    return build


def judge(base: Base, fault: Fault, place: Place, seed: int, *, healing: bool = False) -> Result:
    build = mutant(base, fault, place)
    report = initcheck.check(build, base.inputs(), seed=seed)
    loud = report.at_least("warning")
    named = [f for f in loud if f.code in fault.codes and set(f.parameters) & set(place.blamed)]
    touching = [f for f in loud if set(f.parameters) & set(place.blamed)]
    side = [f for f in loud if f not in named]
    result: Result = {
        "base": base.name,
        "style": base.style,
        "fault": fault.name,
        "parameters": list(place.parameters)[:3],
        "harmful": place.harmful,
        "right": bool(named) if place.harmful else not touching,
        "said": [f"{f.severity} {f.code} {f.name} {list(f.parameters)[:3]}" for f in report.findings][:6],
        "side": [f"{f.code} {f.name}" for f in side],
        "failures": [failure.message for failure in report.all_failures],
    }
    if healing and place.harmful and named:
        found = heal(base, build, report, named, seed)
        result |= {"healed": found.healed and not found.new, "new": list(found.new), "declined": list(found.declined)[:4]}
    return result


def table(results: list[Result]) -> str:
    lines = [
        "| fault | context | harmful: named / all | healed / named | harmless: silent / all | probe: loss of base → mutant | side findings |"
    ]
    lines.append("| --- | --- | --- | --- | --- | --- | --- |")
    groups: dict[tuple[str, str], list[Result]] = defaultdict(list)
    for result in results:
        groups[str(result["fault"]), str(result["style"])].append(result)
    order = [fault.name for fault in FAULTS]
    for (fault, style), group in sorted(groups.items(), key=lambda pair: (order.index(pair[0][0]), pair[0][1])):
        cells = [
            f"{sum(bool(r['right']) for r in part)} / {len(part)}" if part else ""
            for part in ([r for r in group if r["harmful"]], [r for r in group if not r["harmful"]])
        ]
        tried = [bool(r["healed"]) for r in group if "healed" in r]
        mended = f"{sum(tried)} / {len(tried)}" if tried else ""
        side = Counter(name for r in group for name in r["side"])
        probes = "; ".join(f"{r['loss'][0]:.2f} → {r['loss'][1]:.2f}{'' if r['harmful'] else ' (harmless)'}" for r in group if "loss" in r)
        lines.append(
            f"| {fault} | {style} | {cells[0]} | {mended} | {cells[1]} | {probes} | {', '.join(f'{name} x{n}' for name, n in side.items())} |"
        )
    return f"{sentence(results)}\n\n" + "\n".join(lines)


def sentence(results: list[Result]) -> str:
    said = []
    for title, harmful in (("harmful mutants named at the right parameter", True), ("harmless ones silent", False)):
        part = [bool(r["right"]) for r in results if r["harmful"] is harmful]
        said.append(f"{title}: {sum(part)} of {len(part)}" + (f" ({100 * sum(part) / len(part):.1f} %)" if part else ""))
    healed = [bool(r["healed"]) for r in results if "healed" in r]
    if healed:
        share = 100 * sum(healed) / len(healed)
        said.append(f"named mutants healed in memory without a new finding: {sum(healed)} of {len(healed)} ({share:.1f} %)")
    seen = [r["harmed"] == r["harmful"] for r in results if "harmed" in r]
    if seen:
        said.append(f"short trainings that agree with theory on the harm: {sum(seen)} of {len(seen)}")
    said.append(f"side findings: {sum(len(r['side']) for r in results)}")
    return f"{len(results)} mutants; {'; '.join(said)}."


def run(options: argparse.Namespace) -> list[Result]:
    index, of = (int(part) for part in options.shard.split("/"))
    results: list[Result] = []
    probed: Counter[tuple[str, str, bool]] = Counter()
    for number, (base, fault, place) in enumerate(mutants(options.count, options.seed, options.only)):
        if number % of != index - 1:
            continue
        torch.manual_seed(options.seed + number)
        result = judge(base, fault, place, options.seed + number, healing=options.heal)
        if not fault.fact and base.small and probed[fault.name, base.style, place.harmful] < options.probe:
            probed[fault.name, base.style, place.harmful] += 1
            found = probe(base, mutant(base, fault, place), options.seed + number)
            result |= {"loss": [found.base, found.mutant], "harmed": found.harmed}
        results.append(result)
        if options.output:
            with options.output.open("a", encoding="utf-8") as file:
                file.write(json.dumps(result) + "\n")
        if not result["right"] or result["side"] or result["failures"] or not result.get("healed", True):
            print(json.dumps(result, ensure_ascii=False), flush=True)
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=600)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--shard", default="1/1")
    parser.add_argument("--only", default="")
    parser.add_argument("--probe", type=int, default=0)
    parser.add_argument("--heal", action="store_true")
    parser.add_argument("-o", "--output", type=Path)
    parser.add_argument("--report", type=Path, nargs="*")
    options = parser.parse_args()
    print(table(_read(options.report) if options.report else run(options)))


def _read(paths: list[Path]) -> list[Result]:
    return [json.loads(line) for path in paths for line in path.read_text(encoding="utf-8").splitlines()]


if __name__ == "__main__":
    main()
