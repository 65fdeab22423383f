"""The hands put to the test: a named mutant is fixed in memory and checked again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import nn

import initcheck
from benchmarks.mutations.bases import Base
from initcheck.records.finding import Finding
from initcheck.records.report import Report


@dataclass(frozen=True)
class Healing:
    """healed: no finding that named the fault is left; new: findings that nobody said before; declined: what was left alone, and why."""

    healed: bool
    new: tuple[str, ...]
    declined: tuple[str, ...]


def heal(base: Base, build: Callable[[], nn.Module], report: Report, named: Sequence[Finding], seed: int) -> Healing:
    """Fixes a mutant that the report names, with everything allowed. The model holds the values that the report is of."""
    torch.manual_seed(seed)
    model = build()
    result = initcheck.fix(model, report, unsafe=True, inputs=base.inputs(), seed=seed)
    left = [finding for finding in result.remaining if _known(finding, named)]
    new = [finding for finding in result.remaining if not _known(finding, report.findings)]
    declined = tuple(f"{one.finding.code} {one.reason}" for one in result.declined)
    return Healing(not left, tuple(f"{one.severity} {one.code} {one.name}" for one in new), declined)


def _known(finding: Finding, others: Sequence[Finding]) -> bool:
    alike = [other for other in others if other.code == finding.code]
    return any(set(other.parameters) & set(finding.parameters) or other.parameters == finding.parameters for other in alike)
