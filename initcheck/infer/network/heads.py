"""Which weights make the model's outputs."""

from __future__ import annotations

from collections.abc import Sequence

from initcheck.infer.layer.layers import Scene
from initcheck.records.evidence import Head, Layer
from initcheck.records.stats import OutputStats


def heads(scene: Scene, layers: Sequence[Layer], outputs: Sequence[OutputStats]) -> tuple[Head, ...]:
    """One head for each output that was measured."""
    biases = {layer.weight: layer.bias for layer in layers if layer.bias}
    return tuple(_head(scene, biases, output) for output in outputs)


def _head(scene: Scene, biases: dict[str, str], output: OutputStats) -> Head:
    weights: dict[str, None] = {}
    others: set[str] = set()
    waiting, seen = [output.node], {output.node}
    while waiting:
        here = waiting.pop()
        if here in scene.owners:
            weights[scene.owners[here]] = None
            continue
        role, before = scene.roles.made(scene.flow.nodes[here])
        if role:
            others.add(role)
        for node in before:
            if node not in seen:
                seen.add(node)
                waiting.append(node)
    return Head(output, tuple(weights), tuple(sorted(others)), _bias_share(scene, [biases.get(name, "") for name in weights], output))


def _bias_share(scene: Scene, names: list[str], output: OutputStats) -> float:
    """Only where one bias has one element for each class."""
    found = [stats for name in names if (stats := scene.weights.get(name)) is not None and stats.numel == output.classes]
    if len(found) != 1 or not output.logit_std > 0:
        return 0.0
    return min((found[0].std / output.logit_std) ** 2, 1.0)
