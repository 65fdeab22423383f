"""The door: what each parameter of a model should start with, by the place where it stands."""

from __future__ import annotations

import math
from functools import cached_property

from initcheck.advice.deep import Deep, deep_bias, deep_layers
from initcheck.advice.matrices import Streams, matrix_start, streams_of
from initcheck.advice.start import Start, constant, normal, start, zeros
from initcheck.errors import NotKnown
from initcheck.records.evidence import Evidence, Layer
from initcheck.records.finding import Step
from initcheck.records.recording import InitCall

MIXING = ("linear", "conv", "conv_transpose", "bilinear", "matmul", "recurrent")
_SCORES = ("softmax", "log_softmax", "attention")
_FORGET = 1
_GATES = 4
_PRIOR = -2.0


class Places:
    """All places of one model; built once, asked for each parameter."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence

    def start(self, name: str) -> Start:
        """What this parameter should start with.

        Raises:
            NotKnown: where its place does not say (never used in the run, a decay rate, a prior that the author chose).
        """
        owner = self._owners.get(name)
        if owner is not None:
            return self._bias(name, owner)
        layer = self.evidence.layer(name)
        if layer is None:
            raise NotKnown("no operation of the run uses it")
        if layer.kind in ("unused", "opaque"):
            raise NotKnown("it was not used in the run" if layer.kind == "unused" else "the operation that uses it cannot be looked into")
        if layer.kind == "norm":
            return start(name, constant(_neutral(layer)), "a normalized signal passes as it is")
        if layer.kind == "scale":
            return self._scale(layer)
        if layer.kind == "bias":
            return self._added(layer)
        if layer.kind == "embedding" or "embedding" in layer.kinds:
            return self._table(layer)
        return matrix_start(layer, self._streams, self._deep)

    @cached_property
    def _owners(self) -> dict[str, Layer]:
        return {layer.bias: layer for layer in self.evidence.layers if layer.bias}

    @cached_property
    def _streams(self) -> Streams:
        return streams_of(self.evidence)

    @cached_property
    def _deep(self) -> dict[str, Deep]:
        return deep_layers(self.evidence)

    def _bias(self, name: str, layer: Layer) -> Start:
        if layer.kind == "norm":
            return start(name, zeros(), "the shift of a normalization starts at nothing")
        stats = self.evidence.stats(name)
        prior = stats is not None and stats.constant and stats.mean <= _PRIOR
        if prior and (layer.gates or (layer.feeds.known() and "output" in layer.feeds.get())):
            raise NotKnown("its constant is a prior that the author chose")
        if layer.part == "state_decay" or any(other.partner == name for other in self.evidence.layers if other.part == "state_decay"):
            raise NotKnown("it sets the time constants of a state space, which no single call draws")
        deep = self._deep.get(layer.weight)
        drawn = deep_bias(deep) if deep is not None else None
        if drawn is not None:
            return start(name, drawn, "the critical start of a deep stretch needs biases of this size")
        return start(name, zeros(), "a bias adds the same to every sample")

    def _scale(self, layer: Layer) -> Start:
        if layer.part in ("logit_scale", "score_scale", "state_decay"):
            raise NotKnown("it sets a temperature or a time constant, which depends on the task")
        if layer.closes_branch:
            depth = self._streams.depth(layer.weight)
            if math.prod(layer.shape) == 1:
                return start(layer.weight, zeros(), "a branch behind a gate of zero starts as nothing (ReZero)")
            value = 0.1 if depth <= 18 else 1e-5 if depth <= 24 else 1e-6
            return start(layer.weight, constant(value), f"a small branch keeps {depth} blocks close to the identity (LayerScale)")
        return start(layer.weight, constant(_neutral(layer)), "the data pass as they are")

    def _added(self, layer: Layer) -> Start:
        leaf = layer.weight.rpartition(".")[2]
        if layer.cell:
            if layer.cell == "lstm" and leaf.startswith("bias_ih"):
                opened = Step((layer.weight,), constant(1.0), _GATES, _FORGET)
                return start(
                    layer.weight, zeros(), "an open forget gate keeps the memory", scheme="zeros_(), 1 in the forget gate", then=(opened,)
                )
            return start(layer.weight, zeros(), "torch adds two biases; one of them is enough")
        if sum(size > 1 for size in layer.shape) == 0 or len(layer.shape) < 2:
            return start(layer.weight, zeros(), "a bias adds the same to every sample")
        if layer.feeds.known() and set(layer.feeds.get()) & set(_SCORES):
            return start(layer.weight, zeros(), "positions should not decide the attention before the data do")
        return start(layer.weight, normal(0.02), "it is added to the data and should not drown them")

    def _table(self, layer: Layer) -> Start:
        feeds = layer.feeds.get()
        alone = layer.kinds == ("embedding",) and not layer.norm and not layer.merges and "residual_add" not in feeds
        std = 1.0 if alone and set(feeds) <= {"weight_layer", "recurrent"} else 0.02
        reason = (
            "the layer that reads it wants rows of unit size"
            if std == 1.0
            else "a row is read as it is, so no fan enters; tied to a head, larger rows would make logits of size sqrt(width)"
        )
        padding = next((table.padding for table in self.evidence.tables if table.parameter == layer.weight), -1)
        blank = (Step((layer.weight,), InitCall("zero_row_", (("row", padding),))),) if padding >= 0 else ()
        words = f"normal_(std={std:g})" + (f", row {padding} zero" if blank else "")
        return start(layer.weight, normal(std), reason, scheme=words, then=blank)


def _neutral(layer: Layer) -> float:
    """The value at which a scale multiplies by one: 1, or 0 where it is used as 1 + w."""
    factor, offset = layer.affine.get()
    if factor == 0.0:
        raise NotKnown("its value has no influence in the form in which it is used")
    return (1.0 - offset) / factor
