"""What a weight matrix, a kernel or a stack of them should start with."""

from __future__ import annotations

import math
from dataclasses import dataclass

from initcheck.advice.deep import Deep, deep_start
from initcheck.advice.scale import advice, is_wave, needed_gain
from initcheck.advice.start import Start, normal, on_layer, start, uniform, zeros
from initcheck.errors import NotKnown
from initcheck.records.evidence import Evidence, Layer, Stream
from initcheck.records.recording import InitCall
from initcheck.theory.schemes import recommendation

_ENDS = ("output", "softmax", "log_softmax")
_HE = InitCall("kaiming_normal_", (("a", 0.0), ("mode", "fan_in"), ("nonlinearity", "relu")))
_LECUN = InitCall("kaiming_normal_", (("a", 0.0), ("mode", "fan_in"), ("nonlinearity", "linear")))
_XAVIER = InitCall("xavier_uniform_", (("gain", 1.0),))
_DEFAULT = InitCall("kaiming_uniform_", (("a", math.sqrt(5.0)), ("mode", "fan_in"), ("nonlinearity", "leaky_relu")))


@dataclass(frozen=True, slots=True)
class Streams:
    """The residual streams by the weights on their branches: how many sums, whether attention is among them, and what ends a branch.

    gated: weights whose branch ends in a scale of its own, so that no weight has to be zero.
    """

    of: dict[str, Stream]
    attended: frozenset[str]
    gated: frozenset[str]
    free: frozenset[str]

    def depth(self, weight: str) -> int:
        """Residual sums of the stream that this weight belongs to."""
        return len(self.of[weight].sums) if weight in self.of else 1


def streams_of(evidence: Evidence) -> Streams:
    """The residual streams of a model, by weight."""
    projecting = {name for attention in evidence.attentions for name in attention.projections}
    of: dict[str, Stream] = {}
    attended: set[str] = set()
    free: set[str] = set()
    for stream in evidence.streams:
        members = {weight for one in stream.sums for weight in (*one.branch, *one.closing)}
        of |= dict.fromkeys(members, stream)
        attended |= members if members & projecting else set()
        for one in stream.sums:
            free |= set(one.closing) if not one.bounded and not stream.normed else set()
    return Streams(of, frozenset(attended), _gated(evidence), frozenset(free))


def _gated(evidence: Evidence) -> frozenset[str]:
    """The closing weights behind which a scale of the branch stands: in the order of the network, the last one before each such scale."""
    found: set[str] = set()
    last = ""
    for layer in evidence.layers:
        if layer.closes_branch and layer.kind == "scale" and last:
            found.add(last)
        elif layer.closes_branch and layer.kind not in ("norm", "bias"):
            last = layer.weight
    return frozenset(found)


def matrix_start(layer: Layer, streams: Streams, deep: dict[str, Deep]) -> Start:
    """The start of one weight, by the most special place that it stands in.

    Raises:
        NotKnown: where the use of the weight was not seen.
    """
    feeds = layer.feeds.get()
    found = _by_part(layer) or _by_stream(layer, streams, feeds)
    if found is not None:
        return found
    if layer.weight in deep:
        return deep_start(layer, deep[layer.weight])
    if layer.norm:
        return on_layer(layer, _after_norm(layer), "the normalization that follows removes the scale")
    if set(feeds) <= set(_ENDS):
        return on_layer(layer, _LECUN, "logits of about unit size start the loss near ln(classes)")
    if "attention" in feeds:
        return on_layer(layer, _XAVIER, "the variance of the attention logits stays near 1 or below")
    return _by_nonlinearity(layer)


def _by_part(layer: Layer) -> Start | None:
    """Recurrent matrices, adapters, routers."""
    leaf = layer.weight.rpartition(".")[2]
    if layer.kind == "recurrent":
        if "weight_hh" in leaf:
            call = InitCall("orthogonal_", (("gain", 1.0),))
            return start(layer.weight, call, "each gate keeps the length of the state over every step", blocks=layer.blocks)
        return start(layer.weight, _XAVIER, "each gate is a layer of its own", blocks=layer.blocks)
    if layer.part == "recurrent_matrix":
        return start(layer.weight, InitCall("orthogonal_", (("gain", 1.0),)), "it keeps the length of the state over every step")
    if layer.part == "low_rank_up":
        return start(layer.weight, zeros(), "the adapter starts as nothing and still learns")
    if layer.part == "low_rank_down":
        return on_layer(layer, _DEFAULT, "torch's default beside an outer factor of zero (LoRA)")
    if layer.part == "router":
        return start(layer.weight, normal(0.02), "small logits spread the tokens over all experts")
    if layer.part == "state_decay":
        raise NotKnown("it sets the time constants of a state space, which no single call draws")
    return None


def _by_stream(layer: Layer, streams: Streams, feeds: tuple[str, ...]) -> Start | None:
    """Transformers, and branches that end in a residual sum."""
    stream = streams.of.get(layer.weight)
    if stream is None:
        return None
    matrix = layer.kind in ("linear", "matmul")
    if layer.weight in streams.attended and matrix and not stream.normed:
        depth = len(stream.sums)
        if layer.closes_branch:
            return start(layer.weight, normal(0.02 / math.sqrt(depth)), f"{depth} branches add up in the residual stream (GPT-2)")
        return start(layer.weight, normal(0.02), "normalization sets the scale of every branch (GPT-2)")
    if layer.weight in streams.attended and matrix and layer.nonlinearity.known():
        return start(layer.weight, normal(0.02), "a small branch beside a post-norm shortcut (BERT)")
    if layer.weight in streams.attended and matrix:
        return on_layer(layer, _XAVIER, "post-norm branches of about unit size (with warm-up)")
    if layer.closes_branch and layer.weight in streams.free and set(feeds) == {"residual_add"} and layer.weight not in streams.gated:
        return start(layer.weight, zeros(), "without a normalization the branches would multiply; each starts as nothing")
    return None


def _after_norm(layer: Layer) -> InitCall:
    """Any scale will do in front of a normalization; the gain of what follows it is customary."""
    if layer.nonlinearity.known():
        call = advice(layer).call
        if call is not None and call.name.startswith("kaiming"):
            return call
    return _HE


def _by_nonlinearity(layer: Layer) -> Start:
    if not layer.nonlinearity.known():
        return on_layer(layer, _LECUN, "a gain of 1 keeps the second moment")
    nonlinearity = layer.nonlinearity.get()
    if is_wave(nonlinearity):
        return _sine(layer)
    if layer.gates and nonlinearity.role in ("sigmoid", "hardsigmoid"):
        return on_layer(layer, InitCall("xavier_normal_", (("gain", 1.0),)), "a gate should start half open, whatever the input")
    suggested = advice(layer)
    if suggested.call is not None:
        return on_layer(layer, suggested.call, suggested.reason)
    return start(layer.weight, normal(needed_gain(nonlinearity) / math.sqrt(layer.fan_in.get())), "the gain that was measured for it")


def _sine(layer: Layer) -> Start:
    frequency = layer.nonlinearity.get().parameter[0]
    first = layer.fed_by.known() and set(layer.fed_by.get()) <= {"input"}
    fan_in = layer.fan_in.get()
    bound = 1.0 / fan_in if first else math.sqrt(6.0 / fan_in) / frequency
    return start(layer.weight, uniform(bound), recommendation("siren", frequency).reason)
