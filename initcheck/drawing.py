"""Draws the parameters that a load left random by the scheme that is recommended for their place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch

from initcheck.fix.module.applying import apply
from initcheck.fix.policy import policy
from initcheck.records.arrival import Arrival
from initcheck.records.evidence import Evidence
from initcheck.records.fact import Fact, Known, Unknown
from initcheck.records.finding import Step
from initcheck.records.recording import InitCall, ParameterRecord, Recording, Write
from initcheck.theory.schemes import describe

_PLACE = "initcheck drew it"


def drawn(model: torch.nn.Module, arrival: Arrival, evidence: Evidence, seed: int) -> tuple[Arrival, Recording]:
    """Writes what is missing or mismatched, each parameter from the seed and its own name; nothing else changes.

    Returns:
        The arrival with the scheme of each, and who wrote the parameters now. What has no known place is left as it was.
    """
    wanted = {one.name for one in arrival.of("missing", "mismatched") if one.kind == "parameter" and not one.tied}
    steps = [kept for step in policy(evidence).steps if (kept := _about(step, wanted)) is not None]
    done = apply(model, steps, seed)
    schemes = {name: describe(step.call) for step in done.steps for name in step.parameters}
    tensors = tuple(replace(one, drawn=schemes[one.name]) if one.name in schemes else one for one in arrival.tensors)
    parameters = tuple(_record(record, done.steps) for record in evidence.recording.parameters)
    return replace(arrival, tensors=tensors), replace(evidence.recording, parameters=parameters)


def _about(step: Step, wanted: set[str]) -> Step | None:
    names = tuple(name for name in step.parameters if name in wanted)
    return replace(step, parameters=names) if names else None


def _record(record: ParameterRecord, steps: Sequence[Step]) -> ParameterRecord:
    own = [step for step in steps if record.name in step.parameters]
    if not own:
        return record
    writes = tuple(Write(record.name, _call(step), Unknown(_PLACE), "user", lineage=(step.call,)) for step in own)
    return replace(record, writes=writes, unwritten=0)


def _call(step: Step) -> Fact[InitCall]:
    return Known(step.call) if step.blocks == 1 else Unknown(f"`{step.call.name}` was made on each of {step.blocks} blocks")
