"""A whole model by one policy: what of it the source does not say yet, as if it were faults."""

from __future__ import annotations

import math

from initcheck.fix.source.calls import wanted
from initcheck.fix.source.correcting import calls_of
from initcheck.fix.source.model import Model, by_parameter, whole
from initcheck.records.finding import Finding, Step, remedy
from initcheck.records.recording import InitCall, ParameterRecord, Plain

CODE = "scheme"
"""The code of what is no fault, but not as a policy would start it."""

_CONSTANTS = {"zeros": 0.0, "zero": 0.0, "ones": 1.0, "one": 1.0}
_FREE = ("framework default", "library", "never written", "unknown")


def unmet(model: Model, *, unsafe: bool) -> list[Finding]:
    """One finding for all parameters that the policy starts by the same calls, as far as they are started otherwise.

    unsafe: also those that the author started, and those that were loaded.
    """
    groups: dict[object, dict[str, list[Step]]] = {}
    for name, steps in by_parameter(model.report.starts).items():
        record = model.record(name)
        if record is None or met(record, steps):
            continue
        ruling = record.ruling()
        if not unsafe and ((ruling is not None and ruling.origin not in _FREE) or record.later()):
            continue
        groups.setdefault(calls_of(steps), {})[name] = steps
    found = []
    for members in groups.values():
        title = f"start them by {next(iter(members.values()))[0].call}"
        fix = remedy([step for steps in members.values() for step in steps], "unsafe", title)
        observed = f"{len(members)} parameters are started otherwise"
        found.append(Finding(CODE, "by-policy", "info", tuple(members), title, observed, fix=fix))
    return found


def met(record: ParameterRecord, steps: list[Step]) -> bool:
    """Whether the writes of a parameter are what the steps would do, in whichever of the equal spellings."""
    first, rest = steps[0], steps[1:]
    ruling = record.ruling()
    if whole(first):
        return ruling is not None and ruling.call.known() and alike(ruling.call.get(), first.call) and len(record.later()) >= len(rest)
    if first.block is None and ruling is not None and ruling.call.known() and alike(ruling.call.get(), first.call):
        return True  # the same call on every part is recorded as one
    calls = [write.call.get() for write in record.writes if write.call.known()]
    if first.call.name in ("mul_", "zero_row_"):
        return any(call.name in (first.call.name, "zero_") for call in calls)
    return sum(alike(call, first.call) for call in calls) >= (1 if first.block is not None else first.blocks)


def alike(made: InitCall, asked: InitCall) -> bool:
    """Whether two calls draw with the same mean and variance, or write the same constant."""
    one, other = _constant(made), _constant(asked)
    if one is not None or other is not None:
        return one == other
    if _scheme(made.name) != _scheme(asked.name):
        return False
    first, second = _telling(made), _telling(asked)
    return first.keys() == second.keys() and all(_close(first[key], second[key]) for key in first)


def _telling(call: InitCall) -> dict[str, Plain]:
    given = wanted(call)
    if str(call.argument("nonlinearity", "leaky_relu")) != "leaky_relu":
        given.pop("a", None)
    return given


def _scheme(name: str) -> str:
    base = name.rstrip("_")
    return base.rpartition("_")[0] if base.startswith(("kaiming", "xavier")) else base


def _constant(call: InitCall) -> float | None:
    name = call.name.rstrip("_")
    if name in _CONSTANTS:
        return _CONSTANTS[name]
    value = call.argument("val", call.argument("value"))
    return float(value) if name in ("constant", "fill", "full") and isinstance(value, (int, float)) else None


def _close(one: Plain, other: Plain) -> bool:
    if isinstance(one, (int, float)) and isinstance(other, (int, float)):
        return math.isclose(one, other, rel_tol=1e-3)
    return one == other
