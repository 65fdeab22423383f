"""One weight and its surroundings, put together from all of its uses."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass

from initcheck.infer.dataflow.flow import Flow
from initcheck.infer.dataflow.ops import NORMS, number, transparent
from initcheck.infer.dataflow.roles import Reach, Roles
from initcheck.infer.layer import applied
from initcheck.infer.layer.gates import gate_value, only_through
from initcheck.infer.layer.packs import separate
from initcheck.infer.layer.parts import Part
from initcheck.infer.layer.pieces import frequency, pieces
from initcheck.infer.layer.uses import Use
from initcheck.records.evidence import NOT_NONLINEAR, Layer, Nonlinearity
from initcheck.records.fact import Fact, Known, Unknown
from initcheck.records.graph import Node
from initcheck.records.recording import ParameterRecord
from initcheck.records.stats import SignalStats, WeightStats
from initcheck.theory.functions.nonlinearities import curve, known

ATTENTION = "scaled_dot_product_attention"


@dataclass(frozen=True, slots=True)
class Scene:
    """What all layers of one model share."""

    flow: Flow
    roles: Roles
    signals: Mapping[int, SignalStats]
    depths: list[int]
    weights: Mapping[str, WeightStats]
    owners: Mapping[int, str]
    modules: Mapping[str, str]
    parts: Mapping[str, Part]


def unused(record: ParameterRecord) -> Layer:
    """A parameter that the run did not touch."""
    return Layer(record.module or record.name.rpartition(".")[0], record.name, "unused", record.shape, tied=record.tied)


def layer(scene: Scene, record: ParameterRecord, mine: list[Use], bias: str) -> Layer:
    """The layer of one parameter; `mine` are its uses, the one that decides its kind first."""
    main = mine[0]
    kinds = tuple(sorted({use.kind for use in mine}))
    if main.kind not in ("bias", "scale", "other"):
        mine = [use for use in mine if use.kind not in ("bias", "scale", "other")]  # what was made of it without data is no use of its own
    reaches = [_reach(scene, use) for use in mine]
    ends = {end: role for reach in reaches for end, role in reach.ends.items()}
    after = {end: scene.roles.feeds(end) for end, role in ends.items() if role not in NOT_NONLINEAR}
    curved = _curved(ends, after)
    beyond = after | {end: scene.roles.feeds(end) for end in curved if end not in after}
    norms = [role for role in ends.values() if role.endswith("_norm")]
    surroundings = Layer(
        name=record.module or record.name.rpartition(".")[0],
        weight=record.name,
        kind=_kind(scene, main, record),
        shape=record.shape,
        bias=bias,
        fan_in=Known(main.fan_in),
        fan_out=Known(main.fan_out),
        torch_fans=_torch_fans(main),
        feeds=Known(tuple(sorted({role for reach in reaches for role in reach.roles}))),
        fed_by=Known(tuple(sorted({role for use in mine for role in _fed(scene, use)}))),
        then=tuple(sorted({role for reach in after.values() for role in reach.roles})),
        merges=tuple(sorted({merge for reach in reaches for merge in reach.merges})),
        norm=norms[0] if norms else "",
        closes_branch=any(reach.closes for reach in reaches)
        or any(after[end].closes for end, role in ends.items() if role.endswith("_norm")),
        inside_branch=_inside(scene, main.node),
        gates=any("gate_multiply" in beyond[end].roles for end in curved),
        gate=gate_value(scene.flow, curved, beyond, scene.signals),
        gated=only_through(scene.flow, scene.owners, curved, beyond),
        kinds=kinds,
        beside=_beside(scene, main, record.name),
        depth=max(scene.depths[main.node] - 1, 0),
        uses=len(mine),
        tied=record.tied,
    )
    return _measured(surroundings, scene, mine, curved)


def _measured(surroundings: Layer, scene: Scene, mine: list[Use], curved: Mapping[int, str]) -> Layer:
    """The same layer with what the run showed of it."""
    main = mine[0]
    signal = scene.signals.get(main.node)
    elementwise = main.kind in ("bias", "scale")
    part = scene.parts.get(main.parameter, Part(""))
    met = _of(signal, lambda stats: stats.input_second_moment)
    return dataclasses.replace(
        surroundings,
        nonlinearity=_nonlinearity(scene, curved, signal, normed=bool(surroundings.norm)),
        derived=main.derived,
        groups=main.groups,
        blocks=main.blocks,
        packed=_packed(scene, mine),
        cell=main.cell,
        gain=_gain(scene, main, signal),
        second_moment=_of(signal, lambda stats: stats.second_moment),
        input_second_moment=applied.met_second_moment(scene.flow, main, signal) if elementwise else met,
        gradient=(signal.gradient if signal is not None else None) or Unknown("no gradient was measured here"),
        sample_fraction=(signal.sample_fraction if signal is not None else None) or Unknown("the signal was not measured here"),
        mean_square=_of(signal, lambda stats: stats.mean_square),
        dead=_largest(scene, curved, "dead"),
        saturated=_largest(scene, curved, "saturated"),
        affine=applied.affine(scene.flow, main),
        value=applied.value(scene.flow, main, scene.weights.get(main.parameter)) if main.kind == "scale" else Unknown("no scale"),
        applied_second_moment=applied.applied_second_moment(scene.flow, main, signal),
        part=part.part,
        partner=part.partner,
    )


def _torch_fans(use: Use) -> Fact[tuple[int, int]]:
    fan_in, fan_out = use.fans.torch_fan_in, use.fans.torch_fan_out
    if fan_in is None or fan_out is None:
        return Unknown("torch counts no fans of fewer than two axes")
    return Known((fan_in, fan_out))


def _packed(scene: Scene, mine: list[Use]) -> tuple[int, ...]:
    """The parts of the output that go separate ways, when all uses agree."""
    main = mine[0]
    if main.kind == "recurrent":
        return (main.fan_out,) * main.blocks if main.blocks > 1 else ()
    if main.kind not in ("linear", "matmul", "conv"):
        return ()
    found = {separate(scene.flow, use.node) for use in mine}
    return found.pop() if len(found) == 1 else ()


def _kind(scene: Scene, use: Use, record: ParameterRecord) -> str:
    if use.kind == "scale" and len(use.reads) == 1:
        origin = scene.roles.sums.origin(use.reads[0], norms=False).node
        region = scene.roles.inside.get(origin)
        bare = scene.flow.nodes[origin].op in NORMS and origin not in scene.owners
        return "norm" if bare or (region is not None and region.norm and region.end == origin) else "scale"
    if use.kind != "other":
        return use.kind
    if scene.flow.nodes[use.node].op == ATTENTION:
        return "bias"  # a table that is added to the scores
    if len(record.shape) > 1:
        return "matmul"
    return "opaque" if scene.flow.nodes[use.node].op == "custom" else "scale"


def _start(scene: Scene, node: int) -> int:
    region = scene.roles.inside.get(node)
    return region.end if region is not None else node


def _reach(scene: Scene, use: Use) -> Reach:
    node = scene.flow.nodes[use.node]
    if node.op in ("recurrent", "custom"):
        role = "recurrent" if node.op == "recurrent" else f"custom:{node.region or 'function'}"
        return Reach({role}, set(), {use.node: role})
    if node.op == ATTENTION and use.kind == "other":
        return Reach({"attention"}, {"sum"}, {use.node: "attention"})
    return scene.roles.feeds(_start(scene, use.node))


def _fed(scene: Scene, use: Use) -> set[str]:
    if use.kind == "embedding":
        return {"input"}
    return scene.roles.fed_by([edge for edge in use.reads if edge.node != use.node])


def _curved(ends: Mapping[int, str], after: Mapping[int, Reach]) -> dict[int, str]:
    """The nonlinearities behind a layer by the node of their result, seen through a normalization."""
    found = {end: role for end, role in ends.items() if role not in NOT_NONLINEAR and not role.endswith("_norm")}
    for end, role in ends.items():
        if role.endswith("_norm") and end in after:
            found |= {other: word for other, word in after[end].ends.items() if word not in NOT_NONLINEAR and not word.endswith("_norm")}
    return found


def _nonlinearity(scene: Scene, curved: Mapping[int, str], signal: SignalStats | None, *, normed: bool) -> Fact[Nonlinearity]:
    words = set(curved.values())
    if not words:
        return Unknown("feeds no nonlinearity")
    if len(words) > 1:
        return Unknown(f"feeds several nonlinearities: {', '.join(sorted(words))}")
    end, role = next(iter(curved.items()))
    node, region = scene.flow.nodes[end], scene.roles.inside.get(end)
    parameter = region.parameter if region is not None else _parameters(scene, node, role)
    made = scene.signals.get(end)
    ratio = None
    if made is not None and signal is not None and not normed and signal.second_moment > 0 and role != "prelu":
        ratio = made.second_moment / signal.second_moment
    return Known(Nonlinearity(role, parameter, ratio))


def _parameters(scene: Scene, node: Node, role: str) -> tuple[float, ...]:
    """The hyper-parameters of a nonlinearity as the operation was called with them."""
    if role in ("sin", "cos"):
        scale = frequency(scene.flow, node)
        return () if scale is None else (scale,)
    if role == "custom:maxout":
        return (float(pieces(scene.flow, node)),)
    if node.op == "rrelu":
        low, high = number(node, "lower", 1 / 8), number(node, "upper", 1 / 3)
        return (math.sqrt((low * low + low * high + high * high) / 3),)  # the root mean square of the slopes that it draws
    return tuple(number(node, name, default) for name, default in curve(role).parameters) if known(role) else ()


def _beside(scene: Scene, use: Use, name: str) -> tuple[str, ...]:
    """Who else reads the value that a weight multiplies, however it was moved on the way."""
    climbed: list[int] = []
    for edge in use.reads:
        here: int | None = edge.node
        while here is not None and here not in climbed:
            climbed.append(here)
            node = scene.flow.nodes[here]
            before = scene.flow.data(node)
            here = before[0].node if len(before) == 1 and here not in scene.owners and transparent(node) else None
    readers = {reader.id for node in climbed for reader, _ in scene.flow.consumers(node)} - {use.node, *climbed}
    return tuple(sorted({scene.owners.get(reader, "") for reader in readers} - {name}))


def _inside(scene: Scene, node: int) -> bool:
    flow = scene.flow
    return any(
        node not in (skip.source, skip.branch.node if flow.nodes[skip.branch.node].op == "input" else -1)
        and flow.descends(skip.branch.node, node)
        and flow.descends(node, skip.source)
        for skip in scene.roles.skips
    )


def _gain(scene: Scene, use: Use, signal: SignalStats | None) -> Fact[float]:
    stats = scene.weights.get(use.parameter)
    if use.derived and use.kind not in ("norm", "scale", "bias"):
        if signal is None or not signal.input_second_moment:
            return Unknown("the weight is computed at run time and its effect was not measured")
        return Known((signal.second_moment / signal.input_second_moment) ** 0.5)
    if stats is None:
        return Unknown("the weight was not measured")
    return Known(stats.std * use.fan_in**0.5)


def _of(signal: SignalStats | None, pick: object) -> Fact[float]:
    value = pick(signal) if signal is not None and callable(pick) else None
    return Known(value) if value is not None else Unknown("the signal was not measured here")


def _largest(scene: Scene, curved: Mapping[int, str], name: str) -> Fact[float]:
    values = [value for end in curved if (stats := scene.signals.get(end)) is not None and (value := getattr(stats, name)) is not None]
    return Known(max(values)) if values else Unknown("no such nonlinearity was measured here")
