"""What a finding offers to do: fresh draws by place, safe where nobody chose what stands there."""

from __future__ import annotations

import math
from collections.abc import Iterable

from initcheck.advice.places import Places
from initcheck.advice.start import Start
from initcheck.errors import NotKnown
from initcheck.records.evidence import Evidence
from initcheck.records.finding import Fix, Safety, Step, remedy
from initcheck.records.recording import InitCall
from initcheck.records.stats import WeightStats
from initcheck.theory.functions.nonlinearities import known
from initcheck.theory.gains import gain_facts
from initcheck.theory.schemes import family_of, predicted, scheme_gain

NOBODYS = ("framework default", "never written")
_NEAR = 0.02
_ALIKE = 0.05
_SPECIAL = ("constant", "identity", "sparse")
"""Families that are chosen for what they do, not for their gain."""


def redraw(names: Iterable[str], evidence: Evidence, title: str = "", *, biases: bool = False) -> Fix | None:
    """A fresh start for each of these parameters by its place; None where no place says anything.

    Args:
        names: the parameters.
        evidence: of the model.
        title: the help line; the scheme of the first parameter if left out, or if the line speaks of using another one.
        biases: also start the biases of these layers, where somebody or the default made them other than zero.
    """
    wanted = tuple(names)
    places = Places(evidence)
    starts = [found for name in wanted if (found := _start(places, name)) is not None]
    if not starts:
        return None
    steps = [step for found in starts for step in found.steps]
    if biases:
        steps += _bias_steps(places, wanted, evidence)
    touched = tuple(dict.fromkeys(name for step in steps for name in step.parameters))
    if not title or (title.startswith("use ") and steps[0].call.name not in title):  # the words say what is drawn
        title = f"use {starts[0].scheme}"
    return remedy(steps, safety_of(touched, evidence), title)


def rescale(names: Iterable[str], factor: float, title: str) -> Fix | None:
    """Multiplies what stands there, for a fault of the network around it that a scheme does not know of."""
    return remedy([Step(tuple(names), InitCall("mul_", (("factor", float(f"{factor:.4g}")),)))], "unsafe", title)


def as_meant(names: tuple[str, ...], call: InitCall, evidence: Evidence, title: str) -> Fix | None:
    """The author's own call that was lost, where it suits the nonlinearity; else a start by place."""
    layer = evidence.layer(names[0])
    if layer is not None and layer.nonlinearity.known() and layer.fan_in.known() and family_of(call) not in _SPECIAL:
        curve, gain = layer.nonlinearity.get(), scheme_gain(call, layer.shape, layer.fan_in.get())
        if known(curve.role) and gain is not None:
            facts = gain_facts(curve.role, curve.parameter)
            if facts.band is not None and not facts.lowest <= gain <= facts.highest:
                return redraw(names, evidence, title)
    named = call if call.name.endswith("_") else InitCall(f"{call.name}_", call.kwargs)
    return remedy([Step(names, named)], "unsafe", title)


def fits_already(step: Step, evidence: Evidence) -> bool:
    """Whether all weights of a step have the standard deviation that it would give them; biases fit when they are zero as they should."""
    for name in step.parameters:
        stats = evidence.stats(name)
        if stats is None or step.blocks > 1:
            return False
        expected = predicted(step.call, stats.shape)
        if step.call.name == "zeros_" and stats.second_moment == 0:
            continue
        if expected is None or not expected.std > 0 or abs(stats.std / expected.std - 1.0) > _ALIKE + 3.0 / stats.numel**0.5:
            return False
    return True


def safety_of(names: Iterable[str], evidence: Evidence) -> Safety:
    """`safe` where every one of these parameters holds the framework's default or memory that nobody wrote."""
    return "safe" if all(_nobodys(name, evidence) for name in names) else "unsafe"


def _start(places: Places, name: str) -> Start | None:
    try:
        return places.start(name)
    except NotKnown:
        return None


def _bias_steps(places: Places, names: tuple[str, ...], evidence: Evidence) -> list[Step]:
    found: list[Step] = []
    for name in names:
        layer = evidence.layer(name)
        bias = evidence.stats(layer.bias) if layer is not None and layer.bias else None
        fresh = _start(places, layer.bias) if layer is not None and bias is not None else None
        if fresh is not None and bias is not None and (bias.second_moment > 0 or fresh.scheme != "zeros_()"):
            found += fresh.steps
    return found


def _nobodys(name: str, evidence: Evidence) -> bool:
    record = evidence.record(name)
    if record is not None and (record.tied or record.unwritten > 0):
        return not record.tied and record.unwritten == math.prod(record.shape)
    ruling = record.ruling() if record is not None else None
    if record is not None and ruling is not None:
        return ruling.origin in NOBODYS and not record.later()
    if record is not None and evidence.recording.watched:
        return not record.writes
    return looks_default(evidence.stats(name))


def looks_default(stats: WeightStats | None) -> bool:
    """Whether a weight that nobody watched has the bounds of torch's default, U(±1/sqrt(fan_in))."""
    if stats is None or len(stats.shape) < 2 or not stats.numel or stats.nonfinite or not 1.7 < stats.kurtosis < 1.9:
        return False
    bound = (stats.numel / stats.shape[0]) ** -0.5
    return max(-stats.minimum, stats.maximum) <= bound * 1.001 and bool(
        abs(stats.std * 3**0.5 / bound - 1.0) < _NEAR + 2.0 / stats.numel**0.5
    )
