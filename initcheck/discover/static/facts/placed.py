"""Layers of a model that was only read: each weight with its fans and the surroundings that the text settles."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping, Sequence

from initcheck.discover.static.facts.surroundings import LOST, Network, Surroundings
from initcheck.discover.static.known.layers import NORMS
from initcheck.discover.static.reader.machine import Op
from initcheck.discover.static.reader.values import Tensor, Thing
from initcheck.errors import NotKnown
from initcheck.records.evidence import Layer, Nonlinearity
from initcheck.records.fact import Fact, Known, Unknown
from initcheck.records.recording import Recording
from initcheck.records.stats import WeightStats
from initcheck.theory import fans

SIZE = "its size is not known from the source"
RUN = "only a run can tell"
Named = tuple[list[str], tuple[str, Thing], Tensor]
_CELLS = {"LSTM": "lstm", "GRU": "gru", "RNN": "rnn"}


def layers(network: Network, named: Sequence[Named], recording: Recording, stats: Sequence[WeightStats]) -> tuple[Layer, ...]:
    """One layer for each weight that the forward pass uses, in the order of use, then the parameters whose use is not known."""
    names = {id(tensor): full[0] for full, _, tensor in named}
    known = {one.parameter: one for one in stats}
    biases = _biases(network, names)
    made: list[tuple[int, Layer]] = []
    for full, (path, thing), tensor in named:
        if full[0] in biases.values():
            continue
        uses = network.uses(tensor)
        start = Layer(path or full[0].rpartition(".")[0], full[0], _guess(thing, full[0]), tensor.shape or (), tied=tuple(full[1:]))
        start = dataclasses.replace(start, bias=biases.get(full[0], ""), derived=tensor.derived)
        made.append((min(uses, default=len(network.ops)), _placed(start, network, uses, tensor, thing, names, known.get(full[0]))))
    del recording
    return tuple(layer for _, layer in sorted(made, key=lambda pair: pair[0]))


def _biases(network: Network, names: Mapping[int, str]) -> dict[str, str]:
    """Which bias belongs to which weight."""
    found: dict[str, str] = {}
    for op in network.ops:
        if op.role in ("recurrent", "unknown") or len(op.weights) < 2:
            continue
        weight, bias = names.get(id(op.weights[0])), names.get(id(op.weights[1]))
        if weight is not None and bias is not None:
            found[weight] = bias
    return found


def _guess(thing: Thing, name: str) -> str:
    """The kind of a parameter whose use the forward pass does not show."""
    short, leaf = thing.dotted.rpartition(".")[2], name.rpartition(".")[2]
    if leaf.startswith("bias") or leaf.endswith("_bias"):
        return "bias"
    if leaf != "weight":
        return "recurrent" if short in _CELLS and "weight" in leaf else "unused"
    families = (("Linear", "linear"), ("ConvTranspose", "conv_transpose"), ("Conv", "conv"), ("Embedding", "embedding"))
    return next((kind for family, kind in families if short.startswith(family)), "norm" if short in NORMS else "unused")


def _placed(
    start: Layer, network: Network, uses: Sequence[int], tensor: Tensor, thing: Thing, names: Mapping[int, str], stats: WeightStats | None
) -> Layer:
    main = next((network.ops[number] for number in uses if network.ops[number].kind), None)
    if main is None or main.role == "unknown" or (main.weights[0] is not tensor and main.kind != "recurrent"):
        reason = LOST if uses else "the source does not show its use"
        unknown: Unknown = Unknown(reason)
        start = dataclasses.replace(start, feeds=unknown, fed_by=unknown, nonlinearity=unknown, kinds=_kinds(start.kind), uses=len(uses))
        return dataclasses.replace(start, fan_in=unknown, fan_out=unknown, torch_fans=unknown, affine=unknown, gain=unknown)
    around = _joined([network.around(number) for number in uses])
    leaf = start.weight.rpartition(".")[2]
    kind = "bias" if main.kind == "recurrent" and leaf.startswith("bias") else main.kind
    sizes = _fans(main, tensor, kind)
    kinds = tuple(sorted({network.ops[number].kind for number in uses if network.ops[number].kind}))
    layer = dataclasses.replace(
        start,
        kind=kind,
        kinds=kinds,
        feeds=around.feeds if kind != "recurrent" else Known(("recurrent",)),
        fed_by=around.fed_by,
        then=around.then,
        merges=around.merges,
        nonlinearity=around.nonlinearity if kind != "recurrent" else Unknown("a recurrence"),
        norm=around.norm,
        closes_branch=around.closes_branch,
        inside_branch=around.inside_branch,
        gates=around.gates,
        outgoing=tuple(
            dict.fromkeys(names[id(weight)] for number in around.outgoing if id(weight := network.ops[number].weights[0]) in names)
        ),
        beside=_beside(network, uses, names),
        groups=main.groups,
        uses=len(uses),
    )
    return _sized(layer, sizes, stats, thing)


def _sized(layer: Layer, sizes: Fact[fans.Fans], stats: WeightStats | None, thing: Thing) -> Layer:
    """The layer with its fans and, where its law is known, its gain."""
    cell = _CELLS.get(thing.dotted.rpartition(".")[2].removesuffix("Cell"), "") if layer.kind == "recurrent" else ""
    blocks = {"lstm": 4, "gru": 3}.get(cell, 1)
    unknown: Unknown = Unknown(SIZE)
    layer = dataclasses.replace(layer, cell=cell, blocks=blocks, second_moment=Unknown(RUN), value=Unknown(RUN))
    plain = layer.kind == "norm" and thing.dotted.startswith("torch.nn.")
    layer = dataclasses.replace(layer, affine=Known((1.0, 0.0)) if plain else Unknown(RUN))
    if not sizes.known():
        return dataclasses.replace(layer, fan_in=unknown, fan_out=unknown, torch_fans=unknown, gain=unknown)
    found = sizes.get()
    fan_in, fan_out = found.whole
    torch = (
        Known((found.torch_fan_in, found.torch_fan_out))
        if found.torch_fan_in is not None and found.torch_fan_out is not None
        else Unknown("torch counts no fans of fewer than two axes")
    )
    gain: Fact[float] = Known(stats.std * math.sqrt(fan_in)) if stats is not None else Unknown("its law is not known from the source")
    return dataclasses.replace(layer, fan_in=Known(fan_in), fan_out=Known(fan_out), torch_fans=torch, gain=gain)


def _kinds(kind: str) -> tuple[str, ...]:
    return (kind,) if kind == "embedding" else ()


def _fans(op: Op, tensor: Tensor, kind: str) -> Fact[fans.Fans]:
    shape = tensor.shape
    if shape is None:
        return Unknown(SIZE)
    try:
        if op.equation:
            slot, _, equation = op.equation.partition("|")
            return Known(fans.einsum(equation, int(slot), shape))
        if kind == "linear":
            return Known(fans.linear(shape))
        if kind == "matmul":
            return Known(fans.transposed(shape))
        if kind == "conv":
            return Known(fans.conv(shape, op.groups, op.stride))
        if kind == "conv_transpose":
            return Known(fans.conv_transpose(shape, op.groups, op.stride))
        if kind == "bilinear":
            return Known(fans.bilinear(shape))
        if kind == "embedding":
            return Known(fans.embedding(shape))
        if kind == "recurrent":
            blocks = (
                shape[0] // shape[1] if len(shape) == 2 and shape[1] and shape[0] % shape[1] == 0 and shape[0] // shape[1] in (3, 4) else 1
            )
            return Known(fans.packed(shape, blocks))
    except NotKnown as unknown:
        return Unknown(unknown.reason)
    return Known(fans.Fans(1, 1))


def _joined(found: Sequence[Surroundings]) -> Surroundings:
    """The surroundings of a weight that is used more than once."""
    first, *others = found
    for other in others:
        same = first.nonlinearity == other.nonlinearity
        nonlinearity: Fact[Nonlinearity] = first.nonlinearity if same else Unknown("several nonlinearities follow")
        first = Surroundings(
            feeds=_union(first.feeds, other.feeds),
            fed_by=_union(first.fed_by, other.fed_by),
            then=tuple(sorted({*first.then, *other.then})),
            merges=tuple(sorted({*first.merges, *other.merges})),
            nonlinearity=nonlinearity,
            norm=first.norm or other.norm,
            closes_branch=first.closes_branch or other.closes_branch,
            inside_branch=first.inside_branch or other.inside_branch,
            gates=first.gates or other.gates,
            outgoing=(*first.outgoing, *other.outgoing),
        )
    return first


def _union(one: Fact[tuple[str, ...]], other: Fact[tuple[str, ...]]) -> Fact[tuple[str, ...]]:
    if not one.known() or not other.known():
        return one if not one.known() else other
    return Known(tuple(sorted({*one.get(), *other.get()})))


def _beside(network: Network, uses: Iterable[int], names: Mapping[int, str]) -> tuple[str, ...]:
    """What else reads the inputs of a weight: weights by name, anything else by an empty name."""
    found: list[str] = []
    for number in uses:
        for source in network.ops[number].inputs:
            for reader in network.readers[source]:
                if reader != number:
                    op = network.ops[reader]
                    found.append(names.get(id(op.weights[0]), "") if op.role == "weight" else "")
    return tuple(dict.fromkeys(found))
