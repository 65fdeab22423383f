"""IC801."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from initcheck.errors import NotKnown
from initcheck.records.evidence import Evidence, Layer
from initcheck.records.finding import Finding, Severity
from initcheck.records.recording import InitCall, Undone
from initcheck.records.rule import Example, Mends
from initcheck.records.source import Location
from initcheck.rules.base import ModelRule
from initcheck.rules.remedies import as_meant
from initcheck.theory.gains import gain_facts
from initcheck.theory.schemes import describe, family_of, named_nonlinearity, scheme_gain

PRETRAINED = ("loaded", "external", "copied", "unknown", "never written")
STRUCTURED = ("constant", "identity", "orthogonal", "sparse")
SCALE_RULES = (
    "scale-outlier",
    "scheme-nonlinearity-mismatch",
    "weight-too-large",
    "weight-too-small",
    "signal-vanishes",
    "signal-explodes",
    "gradient-vanishes",
    "gradient-explodes",
    "dead-units",
    "saturated-units",
    "initial-loss-too-high",
)


@dataclass(frozen=True)
class InitOverwritten(ModelRule):
    """An explicit initialization was undone by a later one.

    Why: the last write decides. A special start (a zero-initialized branch, a small head, a prior bias) that a general pass such as
        `self.apply(init)` overwrites afterwards never takes effect, and nothing fails to say so.
    Silent when: the first values were a framework default or a library's choice, a general pass was refined by a more specific call (whichever
        of them the loop or the `apply` is), a subclass initializes anew what its base class did, the same line ran twice, weights were loaded or
        copied in from elsewhere, the first values were neutral (a zero bias) or drawn where the last are constant, or they were read before they were replaced. Info where both
        schemes are the same, the last one fits the nonlinearity, or a layer's own constructor was overruled by its owner with one general scheme for another.
    Source: observed while the model is built; torch.nn.init writes in place, https://pytorch.org/docs/stable/nn.init.html.
    """

    code: ClassVar[str] = "IC801"
    severity: ClassVar[Severity] = "warning"
    mends: ClassVar[Mends] = "either"
    explains: ClassVar[tuple[str, ...]] = SCALE_RULES
    explains_from: ClassVar[Severity] = "warning"
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            bad="from torch import nn\n\n\nclass Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
            "        self.body = nn.Sequential(nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 16))\n        self.head = nn.Linear(16, 4)\n"
            "        nn.init.zeros_(self.body[2].weight)  # the branch starts as nothing\n        self.apply(self._init)\n\n"
            "    def _init(self, module):\n        if isinstance(module, nn.Linear):\n            nn.init.kaiming_normal_(module.weight, nonlinearity='relu')\n\n"
            "    def forward(self, x):\n        return self.head(x + self.body(x))\n\n\nmodel = Net()\n",
            good="from torch import nn\n\n\nclass Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
            "        self.body = nn.Sequential(nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 16))\n        self.head = nn.Linear(16, 4)\n"
            "        self.apply(self._init)\n        nn.init.zeros_(self.body[2].weight)  # the branch starts as nothing\n\n"
            "    def _init(self, module):\n        if isinstance(module, nn.Linear):\n            nn.init.kaiming_normal_(module.weight, nonlinearity='relu')\n\n"
            "    def forward(self, x):\n        return self.head(x + self.body(x))\n\n\nmodel = Net()\n",
            input_shape=(16,),
        ),
    )

    def check(self, evidence: Evidence) -> Iterator[Finding]:
        if not evidence.recording.watched:
            raise NotKnown("the model was built before initcheck could watch its writes; pass a function that builds it")
        groups: dict[tuple[Location, Location, Severity], list[Undone]] = {}
        for undone in evidence.recording.undone:
            if not undone.lost.location.known() or not undone.by.location.known() or not self._counts(undone, evidence):
                continue
            key = (undone.lost.location.get(), undone.by.location.get(), self._severity(undone, evidence))
            groups.setdefault(key, []).append(undone)
        for (lost, by, severity), group in groups.items():
            yield self._say(lost, by, severity, group, evidence)

    def _counts(self, undone: Undone, evidence: Evidence) -> bool:
        """Whether somebody lost something by it."""
        if undone.refined or undone.inherited or undone.lost.origin != "user" or undone.by.origin in PRETRAINED:
            return False
        if not undone.lost.call.known() or undone.lost.extent != "full":
            return False
        record, layer = evidence.record(undone.parameter), evidence.layer(undone.parameter)
        value = _constant(undone.lost.call.get())
        if value is None and undone.by.call.known() and _constant(undone.by.call.get()) is not None:
            return False  # nobody sets a drawn weight to a constant by accident
        flat = record is None or len(record.shape) < 2
        norm = layer is not None and layer.kind in ("norm", "scale")
        neutral = value == (1.0 if norm else 0.0)
        return not (flat and value is not None and neutral) and not (flat and value is None)

    def _severity(self, undone: Undone, evidence: Evidence) -> Severity:
        lost, by = undone.lost.call.get(), undone.by.call.get() if undone.by.call.known() else None
        if by is not None and (lost == by or describe(lost) == describe(by)) and undone.lost.lineage == undone.by.lineage:
            return "info"
        if family_of(lost) in STRUCTURED:
            return "warning"
        layer = evidence.layer(undone.parameter)
        if undone.elsewhere or (layer is not None and by is not None and _fits(layer, by)):
            return "info"
        return "warning"

    def _say(self, lost: Location, by: Location, severity: Severity, group: list[Undone], evidence: Evidence) -> Finding:
        first = group[0]
        scheme = describe(first.lost.call.get(), first.lost.lineage)
        later = describe(first.by.call.get(), first.by.lineage) if first.by.call.known() else "another write"
        where = f"line {by.line}" if by.path == lost.path else f"{by.path.rpartition('/')[2]}:{by.line}"
        again = first.by.call.known() and first.by.call.get() == first.lost.call.get()
        message = f"initialized twice the same way; {where} draws anew" if again else f"undone by {where}, which writes {later} over it"
        default = first.by.origin == "framework default"
        return self.finding(
            _names(group),
            message,
            severity=severity,
            observed=f"{scheme} at line {lost.line}, then {'the default of the layer' if default else later} at {where}",
            expected="one of the two, or the general one first and the special one after it",
            location=lost,
            fix=None
            if again or severity == "info"
            else as_meant(_names(group), first.lost.call.get(), evidence, "let this call come last"),
            note="has no effect",
            why="Nothing of this call is left in the model: let the general pass run first and this call after it, or remove the one that is not meant.",
        )


def _names(group: list[Undone]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(undone.parameter for undone in group))


def _fits(layer: Layer, call: InitCall) -> bool:
    """Whether the last scheme's gain is one that trains as well as the best for the nonlinearity that follows."""
    if not layer.nonlinearity.known() or layer.nonlinearity.get().role.startswith("custom:"):
        return False
    nonlinearity = layer.nonlinearity.get()
    facts = gain_facts(nonlinearity.role, nonlinearity.parameter)
    nominal = scheme_gain(call, (100, 100), 100)
    gain = nominal if named_nonlinearity(call) is not None else layer.gain.get() if layer.gain.known() else None
    return gain is not None and facts.lowest <= gain <= facts.highest


def _constant(call: InitCall) -> float | None:
    """The value that a call writes everywhere, None if it writes more than one."""
    name = call.name.rstrip("_")
    if name in ("zeros", "zero", "ones"):
        return 1.0 if name == "ones" else 0.0
    value = call.argument("val", call.argument("value"))
    return float(value) if name in ("constant", "fill") and isinstance(value, (int, float)) else None
