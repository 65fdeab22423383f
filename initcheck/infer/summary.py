"""One row of the layer table for each layer: facts turned into plain values."""

from __future__ import annotations

from typing import TypeVar

from initcheck.errors import NotKnown
from initcheck.infer.layer.looks import looks_like
from initcheck.records.evidence import Evidence, Layer
from initcheck.records.fact import Fact
from initcheck.records.recording import ParameterRecord
from initcheck.records.report import LayerSummary
from initcheck.records.stats import WeightStats
from initcheck.theory.gains import required_gain
from initcheck.theory.schemes import describe

T = TypeVar("T")


def summarise(evidence: Evidence) -> tuple[LayerSummary, ...]:
    """The layer table, in the order of execution."""
    return tuple(_row(layer, evidence) for layer in evidence.layers if layer.kind != "bias")


def _row(layer: Layer, evidence: Evidence) -> LayerSummary:
    stats, record = evidence.stats(layer.weight), evidence.record(layer.weight)
    place = record.created if record is not None else None
    ruling = record.ruling() if record is not None else None
    if ruling is not None and ruling.location.known() and ruling.origin == "user":
        place = ruling.location.get()
    feeds, fed_by = layer.feeds, layer.fed_by
    return LayerSummary(
        name=layer.name,
        weight=layer.weight,
        kind=layer.kind,
        shape=layer.shape,
        fan_in=_value(layer.fan_in),
        fan_out=_value(layer.fan_out),
        feeds=feeds.get() if feeds.known() else (),
        fed_by=fed_by.get() if fed_by.known() else (),
        scheme=_scheme(layer, record, stats),
        gain=_value(layer.gain),
        recommended_gain=_recommended(layer),
        std=stats.std if stats is not None else None,
        second_moment=_value(layer.second_moment),
        gradient=_value(layer.gradient),
        path=place.path if place is not None else "",
        line=place.line if place is not None else 0,
        unknown=_reason(feeds),
    )


def _value(fact: Fact[T]) -> T | None:
    return fact.get() if fact.known() else None


def _reason(fact: Fact[tuple[str, ...]]) -> str:
    try:
        fact.get()
    except NotKnown as unknown:
        return unknown.reason
    return ""


def _recommended(layer: Layer) -> float | None:
    if not layer.nonlinearity.known():
        return None
    nonlinearity = layer.nonlinearity.get()
    try:
        return required_gain(nonlinearity.role, nonlinearity.parameter, nonlinearity.square_ratio)
    except NotKnown:
        return None


def _scheme(layer: Layer, record: ParameterRecord | None, stats: WeightStats | None) -> str:
    """By provenance where somebody watched, else by statistics: the set of schemes that could have produced the tensor."""
    ruling = record.ruling() if record is not None else None
    if ruling is not None:
        if ruling.origin in ("copied", "loaded", "never written"):
            source = f" of {ruling.sources[0]}" if ruling.sources else ""
            return f"{ruling.origin}{source}"
        if ruling.call.known():
            return describe(ruling.call.get(), ruling.lineage)
    if stats is None or not layer.fan_in.known() or not layer.fan_out.known():
        return "not known"
    parts = len(layer.packed) if layer.kind in ("linear", "recurrent") and len(set(layer.packed)) == 1 else 1
    return looks_like(stats, layer.fan_in.get(), layer.fan_out.get(), max(layer.blocks, parts))
