"""What the rules about loaded weights share: which parameters are the head, which the body, and what is incomplete in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from initcheck.errors import NotKnown
from initcheck.records.arrival import Arrival, Arrived
from initcheck.records.evidence import Evidence, Layer

UNSEEN = "the model was built before initcheck could watch its writes; pass a function that builds it"
_NUMBER = re.compile(r"\d+")
_OUTPUTS = frozenset({"output", "softmax", "log_softmax"})
_RUNNING = ("running_mean", "running_var")


@dataclass(frozen=True, slots=True)
class Coverage:
    """All loads into one model together.

    order: parameter -> the place of its layer in the run; last: the place of the last layer that holds loaded weights.
    loaded: names that hold what was loaded, or what rests on it; patterns: their names without numbers. ends: weights and biases of
    layers that feed nothing but an output: there may be several heads.
    """

    arrivals: tuple[Arrival, ...]
    order: dict[str, int]
    last: int
    loaded: frozenset[str]
    patterns: frozenset[str]
    ends: frozenset[str]

    def in_head(self, name: str) -> bool:
        """Whether a parameter's layer comes after all that was loaded, or ends in an output beside it."""
        return 0 <= self.last < self.order.get(name, -1) or (self.last >= 0 and name in self.ends)

    def left(self, *states: str) -> tuple[Arrived, ...]:
        """The model's tensors in these states that no other load filled, each once."""
        found = {one.name: one for arrival in self.arrivals for one in arrival.tensors if one.state in states and not one.tied}
        return tuple(one for name, one in found.items() if name not in self.loaded)


def loads(evidence: Evidence) -> tuple[Arrival, ...]:
    """The loads of stored weights.

    Raises:
        NotKnown: for a model that was built before anybody watched, of which nothing is known.
    """
    found = evidence.recording.arrivals
    if not found and not evidence.recording.watched:
        raise NotKnown(UNSEEN)
    return found


def coverage(evidence: Evidence) -> Coverage | None:
    """What the loads cover; None where nothing was loaded, or nothing found a place.

    Raises:
        NotKnown: for a model that was built before anybody watched.
    """
    arrivals = tuple(arrival for arrival in loads(evidence) if arrival.named)
    if not arrivals:
        return None
    loaded = frozenset(one.name for arrival in arrivals for one in arrival.of("loaded", "changed"))
    order = _order(evidence)
    weights = [order[layer.weight] for layer in evidence.layers if layer.weight in loaded and layer.kind != "unused"]
    last = max(weights, default=max((order[name] for name in loaded if name in order), default=-1))
    return Coverage(arrivals, order, last, loaded, frozenset(map(pattern, loaded)), _ends(evidence))


def _ends(evidence: Evidence) -> frozenset[str]:
    layers = [layer for layer in evidence.layers if layer.feeds.known() and layer.feeds.get() and set(layer.feeds.get()) <= _OUTPUTS]
    return frozenset(name for layer in layers for name in (layer.weight, layer.bias) if name)


def _order(evidence: Evidence) -> dict[str, int]:
    order: dict[str, int] = {}
    for index, layer in enumerate(evidence.layers):
        # the bias of a head that shares its table with the embedding stands with the head
        for name in (layer.weight, layer.bias if not layer.tied else "", *layer.tied):
            if name:
                order.setdefault(name, index)
    owners = {layer.name: index for index, layer in enumerate(evidence.layers)}
    left = [record for record in evidence.recording.parameters if record.name not in order]
    shared = {name for layer in evidence.layers for name in layer.tied}
    known = {name: place for name, place in order.items() if name not in shared}
    for record in left:
        place = owners.get(record.module, _beside(record.module, known))
        if place is not None:
            order[record.name] = place
    return order


def _beside(module: str, order: dict[str, int]) -> int | None:
    """The place of the last layer that stands in the same part of the model; the outermost module is no such part."""
    while module:
        found = [place for name, place in order.items() if name.startswith(f"{module}.")]
        if found:
            return max(found)
        module = module.rpartition(".")[0]
    return None


def pattern(name: str) -> str:
    """A name without its numbers: what repeated blocks have in common."""
    return _NUMBER.sub("#", name)


def incomplete(found: Coverage, evidence: Evidence) -> tuple[Arrived, ...]:
    """The tensors of the body that stayed without stored ones although others of their kind were loaded, or the file holds them under another name."""
    missing = [one for one in found.left("missing") if not one.because and not found.in_head(one.name)]
    renamed = {rename.new for arrival in found.arrivals for rename in arrival.renames}
    partly = [one for one in missing if pattern(one.name) in found.patterns or any(_below(one.name, new, found) for new in renamed)]
    running = [one for one in missing if one.kind == "buffer" and one.name.endswith(_RUNNING) and _owner_loaded(one, found)]
    chosen = dict.fromkeys([*(one for one in partly if one.kind == "parameter"), *running])
    owners = {one.name.rpartition(".")[0] for one in chosen}
    if len(owners) == 1 and all(_takes_input(one.name, evidence) for one in chosen):
        return ()  # a first layer for other inputs, such as one channel in place of three
    return tuple(chosen)


def _below(name: str, start: str, found: Coverage) -> bool:
    for arrival in found.arrivals:
        full = f"{arrival.module}.{start}" if arrival.module else start
        fixed = re.escape(full).replace(r"\*", "[^.]+")
        if re.match(rf"{fixed}(\.|$)", name):
            return True
    return False


def _owner_loaded(one: Arrived, found: Coverage) -> bool:
    return f"{one.name.rpartition('.')[0]}.weight" in found.loaded


def _takes_input(name: str, evidence: Evidence) -> bool:
    layer = next((layer for layer in evidence.layers if name in (layer.weight, layer.bias)), None)
    return layer is not None and layer.fed_by.known() and "input" in layer.fed_by.get()


def head_layers(found: Coverage, evidence: Evidence) -> Iterator[Layer]:
    """The layers after all that was loaded whose weights were not."""
    for layer in evidence.layers:
        if layer.kind not in ("bias", "unused") and found.in_head(layer.weight) and layer.weight not in found.loaded:
            yield layer


def names(tensors: Iterable[Arrived]) -> tuple[str, ...]:
    """Their names, each once."""
    return tuple(dict.fromkeys(one.name for one in tensors))


def share(part: Sequence[Arrived], found: Coverage) -> float:
    """The share of the elements of these parameters among them and all that was loaded, from 0 to 1."""
    own = sum(one.numel for one in part if one.kind == "parameter")
    rest = sum(
        one.numel for arrival in found.arrivals for one in arrival.of("loaded", "changed") if one.kind == "parameter" and not one.tied
    )
    return own / (own + rest) if own + rest else 0.0


def percent(part: float) -> str:
    """A share as people write it."""
    value = 100.0 * part
    return f"{value:.0f} %" if value >= 10.0 else f"{value:.1f} %" if value >= 0.1 else "less than 0.1 %"


def counted(tensors: Sequence[Arrived]) -> str:
    """`2 tensors, 1,290 parameters`."""
    numel = sum(one.numel for one in tensors)
    return f"{len(tensors):,} tensor{'s' if len(tensors) != 1 else ''} with {numel:,} element{'s' if numel != 1 else ''}"


def suggestion(arrivals: Iterable[Arrival]) -> str:
    """The `--rename` options under which more would fit; empty for none."""
    found = dict.fromkeys(str(rename) for arrival in arrivals for rename in arrival.renames)
    return " ".join(f"--rename '{rename}'" if "*" in rename else f"--rename {rename}" for rename in found)
