"""A whole model by one policy: what every parameter starts with, told from the evidence; what has no known place is left and listed."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from initcheck.advice.deep import deep_layers
from initcheck.advice.places import MIXING, Places
from initcheck.advice.scale import needed_gain
from initcheck.advice.start import Start, constant, normal, on_layer, start, zeros
from initcheck.errors import NotKnown, UsageError
from initcheck.records.evidence import Evidence, Layer
from initcheck.records.finding import Fix, Step, remedy
from initcheck.records.fixing import Refused
from initcheck.records.recording import InitCall, ParameterRecord

RECOMMENDED = "recommended"
LSUV = "lsuv"


@dataclass(frozen=True, slots=True)
class Policy:
    """What to do with a model: `fixes`, one for each scheme, and the parameters that are left as they are.

    targets: second moments that a data-dependent pass should give the pre-activations of these weights; empty for a policy without one.
    """

    name: str
    fixes: tuple[Fix, ...]
    left: tuple[Refused, ...] = ()
    targets: tuple[tuple[str, float], ...] = ()

    @property
    def steps(self) -> tuple[Step, ...]:
        """All calls, in order."""
        return tuple(step for fix in self.fixes for step in fix.steps)


def policy(evidence: Evidence, name: str = RECOMMENDED) -> Policy:
    """The start of every trainable parameter under a policy.

    `recommended` goes by place and nonlinearity. The others draw every weight of a linear layer, convolution or product by one scheme (with the
    gain of the nonlinearity that follows, where the scheme has one) and treat the rest (norms, biases, tables, gates, recurrences) as
    `recommended` does. `lsuv` draws orthogonal matrices and asks for a data-dependent pass (Mishkin & Matas 2016, arXiv:1511.06422).

    Raises:
        UsageError: for a name that is no policy.
    """
    if name not in POLICIES:
        raise UsageError(f"no policy is called {name!r}", f"the policies are: {', '.join(POLICIES)}")
    places, deep = Places(evidence), deep_layers(evidence) if name == RECOMMENDED else {}
    starts: list[Start] = []
    left: list[Refused] = []
    for record in evidence.recording.parameters:
        try:
            starts.append(_start(record, evidence, places, name))
        except NotKnown as unknown:
            left.append(Refused(record.name, unknown.reason))
    fixes = []
    for scheme in dict.fromkeys(one.scheme for one in starts):
        same = [one for one in starts if one.scheme == scheme]
        made = remedy((step for one in same for step in one.steps), "unsafe", f"use {scheme}: {same[0].reason}")
        fixes += [made] if made is not None else []
    targets = [(layer.weight, 1.0) for layer in evidence.layers if _is_mixing(layer)] if name == LSUV else []
    if name == RECOMMENDED:
        targets = [(weight, place.critical.moment or place.critical.weight) for weight, place in deep.items()]
    drawn = {name for one in starts for step in one.steps for name in step.parameters}
    return Policy(name, tuple(fixes), tuple(left), tuple(pair for pair in targets if pair[0] in drawn))


def _start(record: ParameterRecord, evidence: Evidence, places: Places, name: str) -> Start:
    if not record.trainable:
        raise NotKnown("it is frozen")
    layer = next((found for one in (record.name, *record.tied) if (found := evidence.layer(one)) is not None), None)
    if layer is not None and layer.kind == "norm" and _closes(layer, evidence):
        factor, offset = layer.affine.get()
        return start(layer.weight, constant(-offset / factor) if factor else zeros(), "each residual branch starts as nothing")
    if name != RECOMMENDED and layer is not None and _is_mixing(layer):
        places.start(record.name)  # raises where the place is not known
        return POLICIES[name](layer)
    return places.start(record.name)


def _is_mixing(layer: Layer) -> bool:
    return layer.kind in MIXING and layer.kind != "recurrent" and "embedding" not in layer.kinds and not layer.part


def _closes(layer: Layer, evidence: Evidence) -> bool:
    """Whether a normalization is the last thing on a residual branch of a stream that is not normalized itself."""
    if not layer.closes_branch or not layer.feeds.known() or set(layer.feeds.get()) != {"residual_add"}:
        return False
    return all(not stream.normed for stream in evidence.streams) and layer.affine.known()


def _gain(layer: Layer) -> float:
    """The gain that keeps the second moment through what follows; 1 at the head and where nothing is known."""
    try:
        return needed_gain(layer.nonlinearity.get())
    except NotKnown:
        return 1.0


def _kaiming(name: str) -> Callable[[Layer], Start]:
    def make(layer: Layer) -> Start:
        gain = _gain(layer)
        slope = math.sqrt(max(2.0 / gain**2 - 1.0, 0.0))
        rectifying = 1.0 < gain <= math.sqrt(2.0) + 1e-3
        kwargs: tuple[tuple[str, str | float], ...] = (("a", 0.0), ("mode", "fan_in"), ("nonlinearity", "linear"))
        if rectifying and slope < 1e-2:
            kwargs = (("a", 0.0), ("mode", "fan_in"), ("nonlinearity", "relu"))
        elif abs(gain - 1.0) > 1e-3:
            std = gain / math.sqrt(layer.fan_in.get())
            edge = float(f"{math.sqrt(3.0) * std:.4g}")
            drawn = InitCall("uniform_", (("a", -edge), ("b", edge))) if "uniform" in name else normal(std)
            return start(layer.weight, drawn, f"He with the gain {gain:.4g}, for which torch has no name")
        return on_layer(layer, InitCall(name, kwargs), "He et al. 2015, arXiv:1502.01852")

    return make


def _plain(name: str, source: str, **kwargs: str | float) -> Callable[[Layer], Start]:
    return lambda layer: on_layer(layer, InitCall(name, tuple(kwargs.items())), source)


def _orthogonal(layer: Layer) -> Start:
    blocks = len(layer.packed) if layer.kind == "linear" and len(set(layer.packed)) == 1 and sum(layer.packed) == layer.shape[0] else 1
    call = InitCall("orthogonal_", (("gain", float(f"{_gain(layer):.4g}")),))
    return start(layer.weight, call, "Saxe et al. 2014, arXiv:1312.6120", blocks=max(blocks, 1))


def _unit_orthogonal(layer: Layer) -> Start:
    return start(layer.weight, InitCall("orthogonal_", (("gain", 1.0),)), "Mishkin & Matas 2016, arXiv:1511.06422")


_GLOROT = "Glorot & Bengio 2010"
POLICIES: dict[str, Callable[[Layer], Start]] = {
    RECOMMENDED: lambda _: Start((), "", ""),
    "kaiming_normal": _kaiming("kaiming_normal_"),
    "kaiming_uniform": _kaiming("kaiming_uniform_"),
    "xavier_normal": _plain("xavier_normal_", _GLOROT, gain=1.0),
    "xavier_uniform": _plain("xavier_uniform_", _GLOROT, gain=1.0),
    "orthogonal": _orthogonal,
    "lecun_normal": _plain("kaiming_normal_", "LeCun et al. 1998", a=0.0, mode="fan_in", nonlinearity="linear"),
    LSUV: _unit_orthogonal,
}
"""Every policy by its name, and how it starts one weight that mixes units (`recommended` asks the place instead)."""
