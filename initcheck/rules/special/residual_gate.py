"""IC603."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from initcheck.records.evidence import Evidence, Layer
from initcheck.records.finding import Finding, Fix, Severity
from initcheck.records.recording import InitCall
from initcheck.records.rule import Example, Mends
from initcheck.rules.base import LayerRule, tolerance, written_at
from initcheck.rules.standing import own_start

RANDOM = ("normal_", "uniform_", "kaiming_", "xavier_", "trunc_normal_", "orthogonal_", "randn", "rand", "normal")
"""How the names of functions that draw at random begin."""
ARITHMETIC = ("mul", "div", "add", "sub", "neg", "clone", "copy_", "_to_copy", "clamp", "erfinv", "zeros", "empty")
AFTER_WEIGHTS = ("residual_add", "gate_multiply", "output", "softmax", "log_softmax", "attention", "recurrent", "embedding", "input")


@dataclass(frozen=True)
class ResidualGate(LayerRule):
    """A gate is off where everything runs through it, or a branch is on that has to start silent.

    Why: a scale of zero starts a residual branch as the identity, which is why it is written; on the only path it makes the output the same for every input until it
        has moved. A low-rank branch beside frozen weights (LoRA) starts with one zero factor, so that the model is the one that was loaded; with two random
        factors it is another one before the first step.
    Silent when: the zero scale is on a branch (LayerScale, ReZero, SkipInit, adaLN-zero, zero convolutions), at an output, or is one of two zeros in series (zero-weight
        says so); the weights beside the low-rank branch are trained from scratch; a factor was computed (PiSSA) and not drawn; the branch adds less than a
        tenth. A residual branch that is on and grows the stream is residual-growth's finding.
    Source: Hu et al. 2022, arXiv:2106.09685, section 4.1 (B = 0); Bachlechner et al. 2021, arXiv:2003.04887; De and Smith 2020, arXiv:2002.10444.
    """

    code: ClassVar[str] = "IC603"
    severity: ClassVar[Severity] = "warning"
    mends: ClassVar[Mends] = "unsafe"
    explains: ClassVar[tuple[str, ...]] = ("correlated-outputs", "signal-vanishes", "gradient-vanishes", "dead-units")
    smallest: float = tolerance(0.1, "smallest share of a low-rank branch in what it adds to (root mean squares) that counts")
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            bad="from torch import nn\n\n\nclass LoRA(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
            "        self.base = nn.Linear(32, 32).requires_grad_(False)\n        self.down = nn.Linear(32, 4, bias=False)\n"
            "        self.up = nn.Linear(4, 32, bias=False)\n        self.head = nn.Linear(32, 4)\n\n"
            "    def forward(self, x):\n        return self.head((self.base(x) + self.up(self.down(x))).tanh())\n\n\nmodel = LoRA()\n",
            good="from torch import nn\n\n\nclass LoRA(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
            "        self.base = nn.Linear(32, 32).requires_grad_(False)\n        self.down = nn.Linear(32, 4, bias=False)\n"
            "        self.up = nn.Linear(4, 32, bias=False)\n        nn.init.zeros_(self.up.weight)\n        self.head = nn.Linear(32, 4)\n\n"
            "    def forward(self, x):\n        return self.head((self.base(x) + self.up(self.down(x))).tanh())\n\n\nmodel = LoRA()\n",
            input_shape=(32,),
        ),
    )

    def check(self, layer: Layer, evidence: Evidence) -> Iterator[Finding]:
        stats = evidence.stats(layer.weight)
        if stats is None or not stats.numel or stats.nonfinite or not own_start(layer.weight, evidence):
            return
        if layer.part == "low_rank_up" and stats.second_moment > 0:
            yield from self._low_rank(layer, evidence)
        elif layer.kind == "scale" and stats.second_moment == 0 and evidence.flow(layer.weight) != "dead":
            yield from self._closed(layer, evidence)

    def _closed(self, layer: Layer, evidence: Evidence) -> Iterator[Finding]:
        feeds = layer.feeds.get()
        if layer.closes_branch or layer.merges or layer.gates or layer.inside_branch or not feeds or set(feeds) & set(AFTER_WEIGHTS):
            return
        if layer.affine.get()[1] != 0:
            return  # 1 + w and the like
        yield self.finding(
            (layer.weight,),
            "a scale of zero stands on the only path: the output does not depend on the input",
            observed="scale 0, no residual sum around it",
            expected="1, or a shortcut around what it closes",
            location=written_at(evidence.record(layer.weight)),
            fix=Fix((layer.weight,), InitCall("ones_"), "unsafe", "start the scale at one: nn.init.ones_"),
            note="zero on the only path",
            why="A zero gate starts a branch as the identity; without a shortcut beside it there is nothing left but the gate.",
        )

    def _low_rank(self, layer: Layer, evidence: Evidence) -> Iterator[Finding]:
        base = evidence.layer(layer.partner)
        down = next((other for other in evidence.layers if other.part == "low_rank_down" and other.partner == layer.weight), None)
        if base is None or down is None or own_start(base.weight, evidence) or not own_start(down.weight, evidence):
            return
        if not (_drawn(layer.weight, evidence) and _drawn(down.weight, evidence)):
            return
        share = (layer.second_moment.get() / max(base.second_moment.get(), 1e-30)) ** 0.5
        if share < self.smallest:
            return
        yield self.finding(
            (layer.weight,),
            "a low-rank branch beside frozen weights starts with two random factors: the model is not the one that was loaded",
            observed=f"the branch adds {100 * share:.3g} % to the output of `{base.name}` (before a constant factor)",
            expected="0: one of the two factors is zero",
            location=written_at(evidence.record(layer.weight)),
            fix=Fix((layer.weight,), InitCall("zeros_"), "unsafe", "start the outer factor at zero: nn.init.zeros_"),
            note="random, and so is the inner factor",
            why="Fine-tuning starts from a perturbed model and spends its first steps to undo what the branch adds.",
        )


def _drawn(weight: str, evidence: Evidence) -> bool:
    """Whether a weight is known to be a random draw."""
    record = evidence.record(weight)
    ruling = record.ruling() if record is not None else None
    if ruling is None:
        return False
    if ruling.origin == "framework default":
        return True
    made = [call.name for call in ruling.lineage] or ([ruling.call.get().name] if ruling.call.known() else [])
    # read from another parameter, or through a decomposition: computed on purpose
    return (
        not ruling.sources
        and any(name.startswith(RANDOM) for name in made)
        and all(name.startswith((*RANDOM, *ARITHMETIC)) for name in made)
    )
