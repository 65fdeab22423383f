"""Lines that the author can paste where the source itself was left alone."""

from __future__ import annotations

from initcheck.fix.source.lines import Pen, demands, lines
from initcheck.fix.source.model import Model, by_parameter
from initcheck.records.finding import Finding

_PEN = Pen(lambda name: name.removeprefix("torch.") if name.startswith("torch.nn.") else name)


def snippet(finding: Finding, model: Model) -> str:
    """The remedy of a finding, for a model that is called `model`; empty where it needs the author's judgement."""
    if finding.fix is None or not finding.fix.steps:
        return ""
    todo = by_parameter(finding.fix.steps)
    known = {name: steps for name, steps in todo.items() if model.record(name) is not None}
    return "\n".join(lines(demands(known, model), model, "model", "", _PEN))
