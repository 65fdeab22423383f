"""Runs the zoo: `python -m benchmarks.zoo -o zoo.jsonl [--shard 1/4] [--only PATTERN] [--every 5]`, or reports: `--report zoo.jsonl ...`."""

from __future__ import annotations

import argparse
import fnmatch
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def main() -> None:
    options = _options()
    if options.report:
        from benchmarks.zoo.ledger import report

        raise SystemExit(report(options.report, options.table))
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    from benchmarks.zoo.catalogue import animals
    from benchmarks.zoo.child import run, warm_up

    done = _done(options.output, options.retry)
    warm_up()
    with options.output.open("a") as out:
        for animal in _chosen(list(animals()), options):
            if animal.name in done:
                continue
            if animal.reason and not options.only:
                result: dict[str, Any] = {"model": animal.name, "state": "left-out", "reason": animal.reason}
            else:
                result = run(animal.name, animal.build, options.timeout, options.memory)
            out.write(json.dumps(result) + "\n")
            out.flush()
            _tell(result, quiet=options.quiet)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.zoo", description=__doc__)
    parser.add_argument(
        "-o", "--output", type=Path, default=Path("zoo.jsonl"), help="results, one line per model; models that are there are not run again"
    )
    parser.add_argument("--shard", default="1/1", help="i/n: every n-th model, beginning with the i-th")
    parser.add_argument("--only", nargs="*", default=[], help="models whose name matches one of these, for instance 'hf/bert*'")
    parser.add_argument("--retry", nargs="*", default=[], help="states to run again: no-run, no-build, timeout, killed, crash")
    parser.add_argument("--timeout", type=float, default=180.0, help="seconds per model")
    parser.add_argument("--memory", type=float, default=10.0, help="address space per model, in GiB")
    parser.add_argument("--quiet", action="store_true", help="no line for models without findings")
    parser.add_argument("--report", nargs="+", type=Path, default=[], help="merge these results with the ledger")
    parser.add_argument("--table", type=Path, help="where --report writes its table (benchmarks/results/zoo.md)")
    return parser.parse_args()


def _chosen(everything: list[Any], options: argparse.Namespace) -> Iterator[Any]:
    first, count = map(int, options.shard.split("/"))
    if options.only:
        everything = [animal for animal in everything if any(fnmatch.fnmatch(animal.name, one) for one in options.only)]
    yield from everything[first - 1 :: count]


def _done(path: Path, retry: list[str]) -> set[str]:
    """Models whose last result stands; those in one of the states `retry` are run again."""
    last = {result["model"]: result["state"] for result in map(json.loads, path.read_text().splitlines())} if path.exists() else {}
    return {model for model, state in last.items() if state not in retry}


def _tell(result: dict[str, Any], *, quiet: bool) -> None:
    findings = result.get("findings", [])
    if quiet and not findings and result["state"] == "ok":
        return
    known = f"{result['weights'] - len(result['unknown'])}/{result['weights']} known" if "weights" in result else ""
    print(f"{result['model']:<60} {result['state']:<8} {result.get('cpu', 0):6.1f} s  {known}  {result['reason'][:150]}", flush=True)
    for finding in findings:
        shown = finding["parameters"][0] if finding["parameters"] else ""
        more = f" +{len(finding['parameters']) - 1}" if len(finding["parameters"]) > 1 else ""
        print(f"    {finding['severity']:<8}{finding['code']} {shown}{more}: {finding['message'][:120]}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
