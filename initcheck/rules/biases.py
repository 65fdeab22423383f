"""How a hidden layer's biases stand against its signal; shared by the rules that judge biases."""

from __future__ import annotations

import math

from initcheck.records.evidence import Evidence, Layer
from initcheck.records.recording import ParameterRecord
from initcheck.theory.sampling import Z

RECTIFYING = ("relu", "relu6", "leaky_relu", "gelu", "gelu_tanh", "silu", "mish", "hardswish", "relu2", "elu", "celu")
CENTERING = ("batch_norm", "instance_norm", "layer_norm", "group_norm")
KINDS = ("linear", "conv", "conv_transpose", "bilinear", "matmul")
DRAWN = (
    *("normal_", "uniform_", "trunc_normal_", "kaiming_normal_", "kaiming_uniform_", "xavier_normal_", "xavier_uniform_"),
    *("randn", "rand", "randn_like", "rand_like", "normal"),
)
"""First operations of a random draw."""


def constant_part(layer: Layer, evidence: Evidence) -> float:
    """The mean bias of a hidden layer, 0 where it is within its sampling error or harmless by its place.

    Raises:
        NotKnown: when what the layer feeds was not established.
    """
    stats = evidence.stats(layer.bias) if layer.bias else None
    if stats is None or layer.kind not in KINDS or stats.nonfinite or abs(stats.mean) <= Z * stats.std / stats.numel**0.5:
        return 0.0
    return stats.mean if is_hidden(layer) else 0.0


def is_hidden(layer: Layer) -> bool:
    """Whether the layer's biases shape a signal: no normalization takes them away, and the layer is neither a head nor a gate.

    Raises:
        NotKnown: when what the layer feeds was not established.
    """
    feeds = set(layer.feeds.get())
    return not (layer.norm in CENTERING or feeds <= {"output"} or layer.gates or (layer.then and set(layer.then) <= {"output"}))


def outweighing(layer: Layer, evidence: Evidence, value: float) -> float:
    """The ratio of a bias to the root mean square of the weighted sum without its bias.

    Raises:
        NotKnown: when the pre-activation was not measured.
    """
    stats = evidence.stats(layer.bias)
    second = stats.second_moment if stats is not None else 0.0
    signal = layer.second_moment.get() - second
    return value / math.sqrt(max(signal, 1e-12 * max(second, 1e-30)))


def drawn_at_random(record: ParameterRecord | None) -> bool:
    """Whether the author's last full write drew random numbers; `False` when nobody saw it."""
    ruling = record.ruling() if record is not None else None
    if ruling is None or ruling.origin != "user" or not ruling.call.known():
        return False
    first = ruling.lineage[0].name if ruling.lineage else ruling.call.get().name
    return first in DRAWN
