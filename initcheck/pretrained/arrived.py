"""Puts what is known of loads into the record of a model's parameters."""

from __future__ import annotations

from dataclasses import replace

from initcheck.records.arrival import Arrival
from initcheck.records.fact import Unknown
from initcheck.records.recording import ParameterRecord, Recording, Write

_READ = "the values were read from a file or a state dict"


def with_arrivals(recording: Recording, arrivals: tuple[Arrival, ...]) -> Recording:
    """The same recording, in which the parameters that hold loaded weights say so."""
    if not arrivals:
        return recording
    loaded = {one.name for arrival in arrivals for one in arrival.of("loaded", "changed")}
    parameters = tuple(_filled(record) if record.name in loaded else record for record in recording.parameters)
    return replace(recording, parameters=parameters, arrivals=(*recording.arrivals, *arrivals))


def _filled(record: ParameterRecord) -> ParameterRecord:
    write = Write(record.name, Unknown(_READ), Unknown(_READ), "loaded")
    return replace(record, writes=(write,), unwritten=0)
