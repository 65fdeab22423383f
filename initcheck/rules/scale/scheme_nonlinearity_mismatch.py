"""IC201."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from initcheck.advice.scale import advice, is_wave, needed_gain, spoken
from initcheck.advice.start import on_layer
from initcheck.records.evidence import Evidence, Layer, Nonlinearity
from initcheck.records.finding import Finding, Fix, Severity, remedy
from initcheck.records.recording import InitCall
from initcheck.records.rule import Example, Mends
from initcheck.rules.base import DRIFTS, LayerRule, written_at
from initcheck.rules.remedies import redraw
from initcheck.theory.gains import GainFacts, gain_facts
from initcheck.theory.mean_field import compounding
from initcheck.theory.schemes import Recommendation, family_of, named_nonlinearity, scheme_gain

RECTIFIERS = ("relu", "leaky_relu")
BOUNDED = ("tanh", "sigmoid", "hardsigmoid", "softsign", "hardtanh", "selu")
NEUTRAL = ("output", "gate_multiply")


@dataclass(frozen=True)
class SchemeNonlinearityMismatch(LayerRule):
    """The author named an initialization that is meant for another nonlinearity than the one the layer feeds.

    Why: the gain of a scheme undoes what its nonlinearity does to the second moment; with the wrong one every such layer multiplies
        the signal by (gain / required gain)^2, and the errors compound with depth.
    Silent when: the framework's default was left alone (judged by the measured signal instead), the gain was passed and fits, the layer is an output head
        or feeds a gate, the weight is rescaled at run time or also read without
        the nonlinearity; info only where a normalization follows, the layer lies in a residual branch, or the scheme is a plain orthogonal one.
    Source: He et al. 2015, arXiv:1502.01852, section 2.2; Glorot and Bengio 2010; Klambauer et al. 2017, arXiv:1706.02515.
    """

    code: ClassVar[str] = "IC201"
    severity: ClassVar[Severity] = "warning"
    mends: ClassVar[Mends] = "either"
    explains: ClassVar[tuple[str, ...]] = (
        *DRIFTS,
        "weight-too-large",
        "weight-too-small",
        "dead-units",
        "no-gradient",
        "correlated-outputs",
        "saturated-units",
        "initial-loss-too-high",
    )
    tables: ClassVar[tuple[str, ...]] = ("gains", "recommendations")
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            bad="from torch import nn\n\nmodel = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 4))\nnn.init.xavier_uniform_(model[0].weight)\n",
            good="from torch import nn\n\nmodel = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 4))\n"
            "nn.init.kaiming_uniform_(model[0].weight, nonlinearity='relu')\n",
            input_shape=(64,),
        ),
        Example(
            bad="from torch import nn\n\nmodel = nn.Sequential(nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 4))\nnn.init.kaiming_normal_(model[0].weight)\n",
            good="from torch import nn\n\nmodel = nn.Sequential(nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 4))\nnn.init.xavier_normal_(model[0].weight)\n",
            input_shape=(64,),
        ),
    )

    def check(self, layer: Layer, evidence: Evidence) -> Iterator[Finding]:
        record = evidence.record(layer.weight)
        ruling = record.ruling() if record is not None else None
        if ruling is None or not ruling.call.known() or ruling.origin not in ("user", "library"):
            return
        call = ruling.call.get()
        named = named_nonlinearity(call)
        if named is None or layer.kind not in ("linear", "conv", "conv_transpose", "bilinear", "matmul"):
            return
        if layer.derived or {"weight_layer", "output"} & set(layer.feeds.get()):
            return  # rescaled at run time, or also read without the nonlinearity
        if not layer.nonlinearity.known() or layer.gates or (layer.then and set(layer.then) <= set(NEUTRAL)):
            return
        nonlinearity = layer.nonlinearity.get()
        if nonlinearity.role.startswith("custom:"):
            return
        facts = _facts(nonlinearity)
        nominal = scheme_gain(call, layer.shape, layer.fan_in.get())
        if nominal is None or not _mismatched(named, call, nonlinearity, facts):
            return
        yield self._say(layer, evidence, call, nonlinearity, facts, _measured(layer, nominal))

    def _say(
        self, layer: Layer, evidence: Evidence, call: InitCall, nonlinearity: Nonlinearity, facts: GainFacts, nominal: float
    ) -> Finding:
        ratio = (nominal / facts.recommended) ** 2
        suggested = advice(layer)
        severity, harmless = _severity(layer, call)
        return self.finding(
            (layer.weight,),
            f"`{call.name}` is not meant for the {spoken(nonlinearity)} that this layer feeds",
            severity=severity,
            observed=f"gain {nominal:.2f} (std {nominal / layer.fan_in.get() ** 0.5:.3g}, fan_in {layer.fan_in.get()})",
            expected=f"gain {facts.recommended:.3g} for {spoken(nonlinearity)}: {_deviation(ratio)}{harmless}",
            location=written_at(evidence.record(layer.weight)),
            fix=_remedy(layer, call, suggested, evidence),
            note=f"feeds {spoken(nonlinearity)}",
            why=_why(ratio, facts.recommended, nonlinearity, call),
        )


def _remedy(layer: Layer, call: InitCall, suggested: Recommendation, evidence: Evidence) -> Fix | None:
    """The author's own call with the argument corrected, where the family fits; else the recommended one."""
    title, wanted = f"use {suggested.scheme}", suggested.call
    if wanted is None:
        return redraw((layer.weight,), evidence, title)
    corrected = call.name.startswith("kaiming") and wanted.name.startswith("kaiming")
    kept = InitCall(call.name, (*wanted.kwargs,)) if corrected else wanted
    return remedy(on_layer(layer, kept, "").steps, "safe" if corrected else "unsafe", title)


def _facts(nonlinearity: Nonlinearity) -> GainFacts:
    facts = gain_facts(nonlinearity.role, nonlinearity.parameter)
    if not is_wave(nonlinearity):
        return facts
    needed = needed_gain(nonlinearity)
    return dataclasses.replace(facts, band=(needed, 0.88 * needed, 1.13 * needed))


def _measured(layer: Layer, nominal: float) -> float:
    """The gain of the tensor as it is, where it is not the one that the call gives a tensor of this shape (drawn on a view, or per block)."""
    gain = layer.gain.get()
    return nominal if gain > 0 and abs(math.log(gain / nominal)) < 0.1 else gain


def _mismatched(named: str, call: InitCall, nonlinearity: Nonlinearity, facts: GainFacts) -> bool:
    slope_matters = nonlinearity.role == "leaky_relu"
    if is_wave(nonlinearity):
        gain = _nominal_gain(call)
        return gain is not None and not facts.lowest <= gain <= facts.highest
    if named == nonlinearity.role and not slope_matters:
        return False
    if named in RECTIFIERS and nonlinearity.role in BOUNDED and family_of(call) != "orthogonal":
        return True
    if named in RECTIFIERS and nonlinearity.role not in RECTIFIERS:
        return False  # a rectifier's gain is an accepted choice for its smooth relatives
    gain = _nominal_gain(call)
    return gain is not None and not facts.lowest <= gain <= facts.highest


def _nominal_gain(call: InitCall) -> float | None:
    """The gain that the author asked for, before fans enter; fan_out and Xavier's average are matters of shape, not of nonlinearity."""
    return scheme_gain(call, (100, 100), 100)


def _severity(layer: Layer, call: InitCall) -> tuple[Severity, str]:
    if layer.norm:
        return "info", "; harmless here, a normalization follows"
    if layer.inside_branch or layer.closes_branch:
        return "info", "; harmless here, inside a residual branch"
    if family_of(call) == "orthogonal":
        return "info", ""
    return "warning", ""


def _deviation(ratio: float) -> str:
    if ratio < 1:
        return f"the variance is {100 * (1 - ratio):.0f} % low"
    return f"the variance is {100 * (ratio - 1):.0f} % high" if ratio < 3 else f"the variance is {ratio:.1f} times too large"


def _why(ratio: float, required: float, nonlinearity: Nonlinearity, call: InitCall) -> str:
    square = _nominal_gain(call)
    steady = (square / required) ** 2 if square is not None else ratio
    start = f"{spoken(nonlinearity)} needs a gain of {required:.3g}; between layers of equal width `{call.name}` changes the second moment by {steady:.2f} per layer."
    if abs(steady - 1) < 0.01:
        return start
    return f"{start} In a plain stack that is {compounding(steady)}."
