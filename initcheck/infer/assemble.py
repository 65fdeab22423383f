"""Graph, numbers and provenance together become the evidence: one layer per weight, and the chains between normalizations."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Mapping

from initcheck.infer.dataflow.constants import constants
from initcheck.infer.dataflow.flow import Flow, is_weighted
from initcheck.infer.dataflow.roles import Roles
from initcheck.infer.layer.layers import Scene, layer, unused
from initcheck.infer.layer.parts import Part, parts
from initcheck.infer.layer.uses import Use, uses
from initcheck.infer.network.attention import attentions
from initcheck.infer.network.blocked import blockages
from initcheck.infer.network.broken import nonfinite
from initcheck.infer.network.chains import chains, reached
from initcheck.infer.network.heads import heads
from initcheck.infer.network.streams import streams
from initcheck.records.evidence import Evidence, Layer
from initcheck.records.graph import Graph
from initcheck.records.recording import Recording
from initcheck.records.stats import RunStats, TableStats, WeightStats
from initcheck.records.target import Target

ORDER = ("linear", "conv", "conv_transpose", "bilinear", "matmul", "recurrent", "embedding", "norm", "scale", "bias", "other")


def assemble(
    target: Target,
    graph: Graph,
    run: RunStats,
    weights: tuple[WeightStats, ...],
    recording: Recording,
    modules: Mapping[str, str],
    tables: tuple[TableStats, ...] = (),
) -> Evidence:
    """Builds the evidence for one model; `modules` maps module paths to class names."""
    shapes = {record.name: record.shape for record in recording.parameters}
    first_names = {other: record.name for record in recording.parameters for other in record.tied}
    flow = Flow(graph)
    roles = Roles(flow)
    found = [_renamed(use, first_names) for use in uses(flow, shapes | {other: shapes[name] for other, name in first_names.items()})]
    signals = {stats.node: stats for stats in run.signals}
    measured = {stats.parameter: stats for stats in weights}
    mechanisms = parts(roles, found)
    scene = Scene(flow, roles, signals, _depths(flow), measured, _owners(found), modules, mechanisms)
    layers = _layers(scene, found, recording)
    return Evidence(
        target=target,
        recording=recording,
        layers=_with_outgoing(layers, roles, found),
        chains=chains(roles, _used_as_layers(found, mechanisms), signals, _zeros(weights)),
        weights=weights,
        streams=streams(roles, scene.owners, signals),
        attentions=attentions(roles, scene.owners, signals),
        blockages=blockages(scene, found, [flow.parameter for flow in run.flows if flow.state == "dead"]),
        nonfinite=nonfinite(roles, scene.owners, run.broken),
        arguments=run.arguments,
        ignored=run.ignored,
        flows=run.flows,
        outputs=run.outputs,
        heads=heads(scene, layers, run.outputs),
        tables=tables,
        batch=run.batch,
        constants=constants(flow),
    )


def _renamed(use: Use, first_names: Mapping[str, str]) -> Use:
    if use.parameter not in first_names:
        return use
    return dataclasses.replace(use, parameter=first_names[use.parameter])


def _layers(scene: Scene, found: list[Use], recording: Recording) -> list[Layer]:
    by_name: dict[str, list[Use]] = defaultdict(list)
    for use in found:
        by_name[use.parameter].append(use)
    biases = _biases(found, by_name)
    taken = set(biases.values())
    made: list[tuple[int, Layer]] = []
    for record in recording.parameters:
        mine = by_name.get(record.name, [])
        if record.name in taken:
            continue
        if not mine:
            made.append((len(scene.flow.nodes), unused(record)))
            continue
        mine.sort(key=lambda use: (ORDER.index(use.kind), use.node))
        made.append((min(use.node for use in mine), layer(scene, record, mine, biases.get(record.name, ""))))
    return [one for _, one in sorted(made, key=lambda pair: pair[0])]


def _biases(found: list[Use], by_name: Mapping[str, list[Use]]) -> dict[str, str]:
    """Which bias belongs to which weight: by the operation that adds it, else by the module that owns both."""
    weighted = {use.node: use.parameter for use in found if use.kind not in ("bias", "scale", "other")}
    owners: dict[str, str] = {}
    for use in found:
        if use.kind != "bias" or len(by_name[use.parameter]) == 0 or any(other.kind != "bias" for other in by_name[use.parameter]):
            continue
        path, _, leaf = use.parameter.rpartition(".")
        if use.cell or "bias" not in leaf:
            continue
        prefix = f"{path}." if path else ""
        named = f"{prefix}{leaf.replace('bias', 'weight')}"
        owner = weighted.get(use.node) or (named if named in by_name else None)
        if owner is not None and owner not in owners:
            owners[owner] = use.parameter
    return owners


def _owners(found: list[Use]) -> dict[int, str]:
    return {use.node: use.parameter for use in found if use.kind not in ("bias", "scale", "other")}


def _zeros(weights: tuple[WeightStats, ...]) -> frozenset[str]:
    return frozenset(stats.parameter for stats in weights if stats.second_moment == 0)


def _used_as_layers(found: list[Use], mechanisms: Mapping[str, Part]) -> list[Use]:
    # a recurrence is no stack of layers: its steps share one matrix, and the input comes in at each of them
    recurrent = {name for name, part in mechanisms.items() if part.part == "recurrent_matrix"}
    elementwise = ("bias", "scale", "other", "norm", "embedding", "recurrent")
    return [use for use in found if use.kind not in elementwise and use.parameter not in recurrent]


def _with_outgoing(layers: list[Layer], roles: Roles, found: list[Use]) -> tuple[Layer, ...]:
    at: dict[int, list[str]] = defaultdict(list)
    nodes: dict[str, list[int]] = defaultdict(list)
    for use in found:
        nodes[use.parameter].append(use.node)
        if use.kind not in ("bias", "scale", "other"):
            at[use.node].append(use.parameter)
    done = []
    for one in layers:
        names: list[str] = []
        if one.kind not in ("bias", "scale", "unused"):
            for node in nodes[one.weight]:
                names += [name for after in sorted(reached(roles, node, norms=True)[0]) for name in at[after]]
        done.append(dataclasses.replace(one, outgoing=tuple(dict.fromkeys(names))))
    return tuple(done)


def _depths(flow: Flow) -> list[int]:
    """For each node the number of weight layers on the longest path to it, itself included."""
    depths: list[int] = []
    for node in flow.nodes:
        before = max((depths[edge.node] for edge in node.inputs if edge.node < node.id), default=0)
        depths.append(before + (1 if (is_weighted(node) or node.op == "recurrent") and flow.carries[node.id] else 0))
    return depths
