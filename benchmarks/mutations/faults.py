"""Faults: where each can be put, whether it harms there, and which rules name it."""

from __future__ import annotations

import copy
import math
import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from benchmarks.mutations.bases import Base
from initcheck.records.report import LayerSummary

Rows = Sequence[LayerSummary]


@dataclass(frozen=True)
class Place:
    """Where a fault goes: the parameters to change, and those at which it may be named (the same if left out)."""

    parameters: tuple[str, ...]
    harmful: bool = True
    named_at: tuple[str, ...] = ()

    @property
    def blamed(self) -> tuple[str, ...]:
        return self.named_at or self.parameters


@dataclass(frozen=True)
class Fault:
    """`places` lists where it can go in a base; `put` changes the model; `codes` are the rules that name it.

    `fact` marks what is wrong whatever it costs (memory, provenance, copies, a scheme named for something else): it is not probed.
    """

    name: str
    codes: tuple[str, ...]
    places: Callable[[Base, Rows], Iterator[Place]]
    put: Callable[[nn.Module, Place], None]
    fact: bool = False


def parameter(model: nn.Module, name: str) -> nn.Parameter:
    return model.get_parameter(name)


def owner(model: nn.Module, name: str) -> tuple[nn.Module, str]:
    path, _, leaf = name.rpartition(".")
    return model.get_submodule(path), leaf


def head(row: LayerSummary) -> bool:
    return "output" in row.feeds


def normed(row: LayerSummary) -> bool:
    return any(role.endswith("_norm") for role in row.feeds)


def mixing(rows: Rows) -> list[LayerSummary]:
    return [row for row in rows if row.kind in ("linear", "conv") and len(row.shape) > 1]


def hidden(rows: Rows) -> list[LayerSummary]:
    return [row for row in mixing(rows) if not head(row)]


def weights(base: Base, rows: Rows) -> Iterator[Place]:
    """Any weight matrix at all: for faults that are wrong everywhere."""
    del base
    yield from (Place((row.weight,)) for row in mixing(rows) if math.prod(row.shape) >= 256)


def zero(base: Base, rows: Rows) -> Iterator[Place]:
    for row in mixing(rows):
        if head(row):
            if base.style != "transformer":  # there the head may be the embedding table too
                yield Place((row.weight,), harmful=False)
        elif (base.style in ("plain", "normed") and not base.inner and base.nonlinearity == "relu") or (
            base.inner and re.search(base.inner, row.weight)
        ):
            yield Place((row.weight,))


def constant(base: Base, rows: Rows) -> Iterator[Place]:
    if base.style in ("plain", "normed"):
        yield from (Place((row.weight,)) for row in hidden(rows))


def one_layer(harmful: bool) -> Callable[[Base, Rows], Iterator[Place]]:
    def places(base: Base, rows: Rows) -> Iterator[Place]:
        if base.style == "plain" and base.nonlinearity in ("relu", "leaky_relu"):
            # the first and the last hidden layer have only one neighbour in the chain
            yield from (Place((row.weight,), harmful) for row in hidden(rows)[1:-1])
        if base.style == "normed" and not base.inner:
            yield from (Place((row.weight,), harmful=False) for row in hidden(rows) if normed(row))

    return places


def whole(base: Base, rows: Rows) -> Iterator[Place]:
    """All hidden weights of a deep chain without normalization."""
    if base.style == "plain" and base.nonlinearity in ("relu", "leaky_relu") and len(hidden(rows)) >= 7:
        yield Place(tuple(row.weight for row in hidden(rows)))


def named_scheme(base: Base, rows: Rows) -> Iterator[Place]:
    if base.style in ("plain", "normed") and base.nonlinearity in ("relu", "tanh", "selu"):
        yield from (
            Place((row.weight,), harmful=base.style == "plain") for row in hidden(rows) if base.nonlinearity in row.feeds or normed(row)
        )


def biases(base: Base, rows: Rows) -> Iterator[Place]:
    for row in hidden(rows):
        bias = row.weight.removesuffix("weight") + "bias"
        if base.style == "plain" and base.nonlinearity == "relu" and len(hidden(rows)) > 2:
            yield Place((bias,), named_at=(bias, row.weight))
        if base.style == "normed" and "batch_norm" in row.feeds and base.name == "batchnorm_mlp_6":
            yield Place((bias,), harmful=False, named_at=(bias, row.weight))


def all_biases(base: Base, rows: Rows) -> Iterator[Place]:
    names = tuple(row.weight.removesuffix("weight") + "bias" for row in hidden(rows))
    if base.style == "plain" and base.nonlinearity == "relu" and len(names) > 2:
        yield Place(names, named_at=(*names, *(row.weight for row in hidden(rows))))
    if base.name == "batchnorm_mlp_6":
        yield Place(names, harmful=False)


def after_a_rectifier(base: Base, rows: Rows) -> Iterator[Place]:
    """Hidden weights that read what is never negative: there a common mean adds up."""
    if base.style in ("plain", "normed") and base.nonlinearity == "relu":
        yield from (Place((row.weight,)) for row in hidden(rows) if row.fed_by == ("relu",))


def same_shape(base: Base, rows: Rows) -> Iterator[Place]:
    del base
    groups: dict[tuple[int, ...], list[str]] = {}
    for row in hidden(rows):
        groups.setdefault(row.shape, []).append(row.weight)
    for names in groups.values():
        yield from (Place((first, second)) for first, second in pairwise(names))


def only(pattern: str, base_name: str = "", *more: str) -> Callable[[Base, Rows], Iterator[Place]]:
    def places(base: Base, rows: Rows) -> Iterator[Place]:
        if base_name and not re.search(base_name, base.name):
            return
        named = {row.weight for row in rows}
        yield from (Place((name,), named_at=(name, *more)) for name in sorted(named) if re.search(pattern, name))

    return places


def all_of(pattern: str, base_name: str) -> Callable[[Base, Rows], Iterator[Place]]:
    def places(base: Base, rows: Rows) -> Iterator[Place]:
        names = tuple(row.weight for row in rows if re.search(pattern, row.weight) and row.weight.endswith(("weight", *"0123456789")))
        if re.search(base_name, base.name) and names:
            yield Place(names)

    return places


def fill(call: Callable[[Tensor], object]) -> Callable[[nn.Module, Place], None]:
    def put(model: nn.Module, place: Place) -> None:
        with torch.no_grad():
            for name in place.parameters:
                call(parameter(model, name))

    return put


def clone(model: nn.Module, place: Place) -> None:
    source, target = (owner(model, name) for name in place.parameters)
    setattr(target[0], target[1], copy.deepcopy(getattr(*source)))


def never_written(model: nn.Module, place: Place) -> None:
    module, leaf = owner(model, place.parameters[0])
    setattr(module, leaf, nn.Parameter(torch.empty_like(getattr(module, leaf))))


def partly_written(model: nn.Module, place: Place) -> None:
    module, leaf = owner(model, place.parameters[0])
    old = getattr(module, leaf)
    fresh = torch.empty_like(old)
    fresh.data[: len(old) // 2] = old.data[: len(old) // 2]
    setattr(module, leaf, nn.Parameter(fresh))


def on_a_copy(model: nn.Module, place: Place) -> None:
    nn.init.orthogonal_(parameter(model, place.parameters[0]).detach().clone())


def undone(model: nn.Module, place: Place) -> None:
    weight = parameter(model, place.parameters[0])
    nn.init.orthogonal_(weight, gain=math.sqrt(2))
    nn.init.xavier_uniform_(weight, gain=0.1)


def nan_row(weight: Tensor) -> None:
    weight[random.Random(0).randrange(len(weight))] = math.nan


def default(weight: Tensor) -> None:
    nn.init.kaiming_uniform_(weight, a=math.sqrt(5))


def default_recurrent(model: nn.Module, place: Place) -> None:
    module, _ = owner(model, place.parameters[0])
    assert isinstance(module, nn.RNNBase)
    module.reset_parameters()


def mismatch(base: Base) -> Callable[[Tensor], object]:
    if base.nonlinearity == "relu":
        return nn.init.xavier_uniform_
    return lambda weight: nn.init.kaiming_normal_(weight, nonlinearity="relu")


MISMATCHED = Fault("wrong scheme", ("IC201", "IC202", "IC203"), named_scheme, lambda *_: None, fact=True)
"""Its call depends on the base; `mismatch` gives it."""

_CHAIN = ("IC101", "IC102", "IC103", "IC104", "IC201", "IC202", "IC203", "IC209")
_MEMORY = ("IC305",)

FAULTS: tuple[Fault, ...] = (
    Fault("zero", ("IC301", "IC110"), zero, fill(nn.init.zeros_)),
    Fault("constant", ("IC302",), constant, fill(lambda w: nn.init.constant_(w, 0.05))),
    Fault("equal rows", ("IC303",), constant, fill(lambda w: w.copy_(w[:1].expand_as(w).clone()))),
    Fault("clone", ("IC304",), same_shape, clone, fact=True),
    Fault("x10", ("IC202", "IC102", "IC104", "IC208"), one_layer(harmful=True), fill(lambda w: w.mul_(10))),
    Fault("x100", ("IC202", "IC102", "IC104", "IC208"), one_layer(harmful=True), fill(lambda w: w.mul_(100))),
    Fault("/10", ("IC203", "IC101", "IC103", "IC208"), one_layer(harmful=False), fill(lambda w: w.div_(10))),
    Fault("all x3", _CHAIN, whole, fill(lambda w: w.mul_(3))),
    Fault("all /3", _CHAIN, whole, fill(lambda w: w.div_(3))),
    Fault("default under depth", _CHAIN, whole, fill(default)),
    Fault("all N(0, 1)", _CHAIN, whole, fill(nn.init.normal_)),
    Fault("all N(0, 0.02)", _CHAIN, whole, fill(lambda w: nn.init.normal_(w, std=0.02))),
    MISMATCHED,
    Fault("U(0, 1)", ("IC204", "IC202"), after_a_rectifier, fill(nn.init.uniform_)),
    Fault("all biases 5", ("IC401",), all_biases, fill(lambda b: nn.init.constant_(b, 5.0))),
    Fault("all biases -1", ("IC402", "IC401", "IC105"), all_biases, fill(lambda b: nn.init.constant_(b, -1.0))),
    Fault("never written", _MEMORY, weights, never_written, fact=True),
    Fault("partly written", ("IC306",), weights, partly_written, fact=True),
    Fault("NaN row", ("IC307",), weights, fill(nan_row)),
    Fault("init on a copy", ("IC802",), weights, on_a_copy, fact=True),
    Fault("init undone", ("IC801",), weights, undone, fact=True),
    Fault("wrong fan: whole stack", ("IC205", "IC203"), only(r"^(up|down)$", "^experts"), fill(nn.init.kaiming_normal_)),
    Fault(
        "wrong fan: transposed storage",
        ("IC205", "IC202", "IC203"),
        all_of(r"^weights\.", "^transposed"),
        fill(lambda w: nn.init.kaiming_normal_(w, nonlinearity="relu")),
        fact=True,
    ),
    Fault(
        "wrong fan: depthwise fan_out",
        ("IC205", "IC203"),
        all_of(r"^depthwise", "^depthwise"),
        fill(lambda w: nn.init.kaiming_normal_(w, mode="fan_out", nonlinearity="relu")),
    ),
    Fault("embedding wiped", ("IC703", "IC301"), only(r"tokens\.weight|embed_tokens|word_embeddings|wte"), fill(nn.init.zeros_)),
    Fault("tied embedding N(0, 1)", ("IC701", "IC704", "IC107"), only(r"tokens\.weight|wte", "decoder|gpt2"), fill(nn.init.normal_)),
    Fault("padding row drawn", ("IC702",), only(r"tokens\.weight", "lstm|gru|rnn"), fill(lambda w: nn.init.normal_(w, std=0.5)), fact=True),
    Fault("recurrent default", ("IC501", "IC502"), only("weight_hh", "^lstm|^rnn"), default_recurrent),
    Fault("recurrent x3", ("IC501", "IC503"), only("weight_hh", "^rnn"), fill(lambda w: w.mul_(3))),
    Fault("gate closed", ("IC405",), only(r"gate\.weight", "squeeze", "gate.bias"), lambda m, _: nn.init.constant_(m.gate.bias, -6.0)),
    Fault("both factors zero", ("IC110", "IC301"), only(r"down\.weight", "lora", "up.weight"), fill(nn.init.zeros_)),
    Fault("head N(0, 100)", ("IC704", "IC107"), only(r"head\.weight", "^lstm|^gru"), fill(lambda w: nn.init.normal_(w, std=10.0))),
)
"""Every fault; the order is the order of the table."""
