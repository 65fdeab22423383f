"""How a verdict is asked for and compared."""

from __future__ import annotations

from dataclasses import dataclass

import initcheck

LEVELS = ("nothing", "info", "warning", "error")


@dataclass(frozen=True)
class Says:
    """The loudest level allowed or demanded, at which parameter, by which rules (empty: any)."""

    levels: tuple[str, ...]
    parameter: str = ""
    rules: tuple[str, ...] = ()


SILENT = Says(("nothing", "info"))
NOTHING = Says(("nothing",))


def says(*levels, at="", by=()):
    return Says(levels, at, (by,) if isinstance(by, str) else tuple(by))


def judge(build, expected, inputs=None):
    report = initcheck.check(build, inputs)
    assert not report.all_failures, report.all_failures
    told = "\n".join(f"{f.severity} {f.name} {f.parameters}: {f.message} [{f.observed}] {f.symptoms}" for f in report.findings)
    named = [f for f in report.findings if expected.parameter in f.parameters] if expected.parameter else report.findings
    level = max((f.severity for f in named), key=LEVELS.index, default="nothing")
    assert level in expected.levels, f"wanted {expected.levels}, got {level}\n{told}"
    if expected.rules and level not in ("nothing",):
        assert {f.name for f in named if f.severity == level} & set(expected.rules), f"wanted {expected.rules}\n{told}"
    if expected in (SILENT, NOTHING):
        return report
    others = [f for f in report.findings if f not in named and f.severity in ("warning", "error")]
    assert not others, f"side findings\n{told}"
    return report
