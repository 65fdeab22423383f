"""IC802."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from initcheck.errors import NotKnown
from initcheck.records.evidence import Evidence
from initcheck.records.finding import Finding, Fix, Severity
from initcheck.records.recording import Discarded
from initcheck.records.rule import Example, Mends
from initcheck.rules.base import DRIFTS, ModelRule
from initcheck.rules.remedies import as_meant
from initcheck.theory.schemes import describe

SAID = {
    "copy": "writes into a copy of the parameter; the parameter itself keeps what it had",
    "computed": "writes into a weight that is computed anew from other parameters before each use",
    "dropped": "makes a new tensor that nobody keeps; the parameter is unchanged",
    "replaced": "initializes a parameter that is replaced afterwards",
}
WHY = {
    "copy": "`clone`, `to`, `float`, `contiguous`, `reshape` of a transposed weight and `deepcopy` hand out new memory; the initializer filled that and it was thrown away.",
    "computed": "With weight_norm, spectral_norm and other parametrizations `layer.weight` is a result; the trained parameters stand beside it and were not changed.",
    "dropped": "The operation does not work in place. Its result must be stored, or its twin with a trailing underscore used under torch.no_grad().",
    "replaced": "The values were written into a layer that is no longer part of the model; the new one has its own start.",
}


@dataclass(frozen=True)
class InitDiscarded(ModelRule):
    """The result of an initializing call never reached the model.

    Why: it was written into a copy, into a derived weight, into a layer that is replaced afterwards, or returned as a new tensor that
        nobody kept; the model trains with whatever was there before.
    Silent when: the values went into a parameter, a buffer or any tensor that is still held, were read by anything before they were dropped, were written
        by a library, were drawn into memory that no parameter was copied to (noise, masks, targets), or belong to a loop or `apply` whose other writes took effect;
        initializing before weight_norm or spectral_norm, which carry the values over. Info where the replaced layer had been initialized by its own class.
    Source: observed while the model is built; torch.nn.utils.parametrizations, https://pytorch.org/docs/stable/nn.html#utilities.
    """

    code: ClassVar[str] = "IC802"
    severity: ClassVar[Severity] = "warning"
    mends: ClassVar[Mends] = "either"
    explains: ClassVar[tuple[str, ...]] = (*DRIFTS, "weight-too-large", "weight-too-small")
    explains_from: ClassVar[Severity] = "warning"
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            bad="from torch import nn\n\nmodel = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 4))\n"
            "nn.init.orthogonal_(model[0].weight.data.clone())\n",
            good="from torch import nn\n\nmodel = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 4))\n"
            "nn.init.orthogonal_(model[0].weight, gain=2**0.5)\n",
            input_shape=(16,),
        ),
        Example(
            bad="from torch import nn\n\nmodel = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 4))\nmodel[2].weight.data * 0.1\n",
            good="from torch import nn\n\nmodel = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 4))\nmodel[2].weight.data *= 0.1\n",
            input_shape=(16,),
        ),
    )

    def check(self, evidence: Evidence) -> Iterator[Finding]:
        if not evidence.recording.watched:
            raise NotKnown("the model was built before initcheck could watch its writes; pass a function that builds it")
        for lost in evidence.recording.discarded:
            known = (lost.parameter,) if lost.parameter else ()
            what = "x".join(map(str, lost.shape))
            by = f" at line {lost.by.line}" if lost.by is not None else ""
            yield self.finding(
                known,
                f"`{lost.call.name}` {SAID[lost.how]}{by}",
                severity="info" if lost.elsewhere else "warning",
                observed=f"{describe(lost.call)}{f' on [{what}]' if what else ''}: 0 elements of the model changed",
                expected="a write into the parameter itself",
                location=lost.location,
                fix=_remedy(lost, evidence),
                note="has no effect",
                why=WHY[lost.how],
            )


def _remedy(lost: Discarded, evidence: Evidence) -> Fix:
    titles = {
        "copy": "pass the parameter itself, or a view of it; for other dtypes initialize first and convert afterwards",
        "computed": "initialize before the parametrization is registered, or assign: layer.weight = new_values",
        "dropped": f"use the in-place form: {lost.call.name}_",
        "replaced": "initialize the new layer, after it was put into place",
    }
    if not lost.parameter or lost.elsewhere:
        return Fix((lost.parameter,) if lost.parameter else (), None, "display", titles[lost.how])
    meant = as_meant((lost.parameter,), lost.call, evidence, titles[lost.how])
    return meant or Fix((lost.parameter,), None, "display", titles[lost.how])
