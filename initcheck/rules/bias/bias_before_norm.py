"""IC404."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from initcheck.records.evidence import Evidence, Layer
from initcheck.records.finding import Finding, Fix, Severity
from initcheck.records.recording import InitCall
from initcheck.records.rule import Example, Mends
from initcheck.rules.base import ModelRule, written_at

SUBTRACTING = ("batch_norm", "instance_norm")
"""Normalizations that subtract the mean of each channel."""


@dataclass(frozen=True)
class BiasBeforeNorm(ModelRule):
    """A convolution's bias was chosen, and the normalization behind it subtracts it again.

    Why: batch and instance normalization subtract each channel's mean, and with it any constant: the value has no effect and the parameter never gets
        a gradient. The shift that counts is the normalization's own bias.
    Silent when: the bias is zero or the framework's or a library's default (customary, and free), the output also goes elsewhere, the layer is linear, or the
        normalization keeps the mean of a channel (layer, group and rms normalization).
    Source: Ioffe and Szegedy 2015, arXiv:1502.03167, section 3.2 (the bias is subsumed and can be ignored).
    """

    code: ClassVar[str] = "IC404"
    severity: ClassVar[Severity] = "info"
    mends: ClassVar[Mends] = "unsafe"
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            bad="from torch import nn\n\nmodel = nn.Sequential(nn.Conv2d(3, 16, 3), nn.BatchNorm2d(16), nn.ReLU(), nn.Flatten(), nn.Linear(576, 4))\n"
            "nn.init.constant_(model[0].bias, 0.5)\n",
            good="from torch import nn\n\nmodel = nn.Sequential(nn.Conv2d(3, 16, 3), nn.BatchNorm2d(16), nn.ReLU(), nn.Flatten(), nn.Linear(576, 4))\n"
            "nn.init.constant_(model[1].bias, 0.5)\n",
            input_shape=(3, 8, 8),
        ),
    )

    def check(self, evidence: Evidence) -> Iterator[Finding]:
        idle = [
            layer for layer in evidence.layers if layer.bias and layer.kind in ("conv", "conv_transpose") and self._chosen(layer, evidence)
        ]
        if not idle:
            return
        norm = idle[0].norm.replace("_", " ")
        names = tuple(layer.bias for layer in idle)
        stats = evidence.stats(names[0])
        yield self.finding(
            names,
            f"the bias has no effect: {norm}alization subtracts it again",
            observed=f"mean bias {stats.mean:.3g}" if stats is not None else "",
            expected=f"no bias (bias=False), or the value in the {norm}'s own bias",
            location=written_at(evidence.record(names[0])),
            fix=Fix(
                names, InitCall("zeros_"), "unsafe", "give the convolution bias=False; a wanted shift belongs into the normalization's bias"
            ),
            note="subtracted again",
            why="Each channel's mean is removed right after this layer, the bias included.",
        )

    def _chosen(self, layer: Layer, evidence: Evidence) -> bool:
        stats, record = evidence.stats(layer.bias), evidence.record(layer.bias)
        ruling = record.ruling() if record is not None else None
        return (
            layer.norm in SUBTRACTING
            and layer.feeds.known()
            and layer.feeds.get() == (layer.norm,)
            and not layer.merges
            and stats is not None
            and stats.second_moment > 0
            and ruling is not None
            and ruling.origin == "user"
        )
