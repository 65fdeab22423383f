"""Which part of a storage a tensor reads, in a spelling that is equal for equal parts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

Part = tuple[int, int, tuple[tuple[int, int], ...]]
"""Bytes covered, first byte, and (size, stride in bytes) of each merged axis."""

SIDE_OUTPUTS = frozenset(
    ("past_key_values", "cache", "hidden_states", "attentions", "cross_attentions", "decoder_hidden_states", "encoder_hidden_states")
)
"""Entries of returned mappings that hand out intermediate values, not results."""

REPRESENTATIONS = (
    "hidden_state",
    "hidden_states",
    "pooler_output",
    "_outputs",
    "_embeds",
    "_features",
    "feature_maps",
    "embeddings",
    "latents",
    "_cache",
)
"""Endings of entries that hold features: no results beside logits, and never logits themselves."""


def part(tensor: Tensor) -> Part:
    """The part of its storage that a tensor covers; reshaped, permuted and expanded views of one region are equal."""
    item = tensor.element_size()
    axes = sorted(
        ((size, stride * item) for size, stride in zip(tensor.shape, tensor.stride(), strict=True) if size > 1 and stride > 0),
        key=lambda axis: -axis[1],
    )
    merged: list[tuple[int, int]] = []
    for size, stride in axes:
        if merged and merged[-1][1] == size * stride:
            merged[-1] = (merged[-1][0] * size, stride)
        else:
            merged.append((size, stride))
    if merged and merged[-1][1] == item:
        merged[-1] = (merged[-1][0] * item, 1)
    else:
        merged.append((item, 1))
    covered = 1
    for size, _ in merged:
        covered *= size
    return covered, tensor.storage_offset() * item, tuple(merged)


def spell(region: Part) -> str:
    """A short canonical text of a part, for `Edge.view`."""
    _, offset, axes = region
    return f"{offset}:" + ",".join(f"{size}x{stride}" for size, stride in axes)


def tensors(value: Any) -> list[Tensor]:
    """All tensors in nested lists, tuples, mappings and plain objects that only hold data, in order."""
    found: list[Tensor] = []
    _collect(value, found, depth=4)
    return found


def returned(result: Any) -> list[tuple[str, Tensor]]:
    """The tensors that a model returned as its results, with the names of their entries (empty outside a mapping)."""
    return _named(result, "", ())


def _named(result: Any, name: str, inside: tuple[int, ...]) -> list[tuple[str, Tensor]]:
    if id(result) in inside:  # a container that holds itself
        return []
    within = (*inside, id(result))
    if hasattr(result, "items") and callable(result.items):
        names = [key for key in result if key not in SIDE_OUTPUTS]
        if any("logits" in str(key) for key in names):
            names = [key for key in names if not str(key).endswith(REPRESENTATIONS)]
        return [pair for key in names for pair in _named(result[key], str(key), within)]
    if isinstance(result, (list, tuple)):
        return [pair for value in result for pair in _named(value, name, within)]
    return [(name, tensor) for tensor in ([result] if isinstance(result, Tensor) else tensors(result))]


def given_tensors(args: Any, kwargs: Any) -> list[Tensor]:
    """The tensor operands of one operator call, in order."""
    found: list[Tensor] = []
    for value in (*args, *kwargs.values()):
        if isinstance(value, Tensor):
            found.append(value)
        elif isinstance(value, (list, tuple)):
            found.extend(item for item in value if isinstance(item, Tensor))
    return found


def _collect(value: Any, found: list[Tensor], depth: int) -> None:
    if isinstance(value, Tensor):
        found.append(value)
    elif depth == 0 or value is None or isinstance(value, (str, bytes, int, float, bool)):
        return
    elif isinstance(value, (list, tuple, set)):
        for item in value:
            _collect(item, found, depth - 1)
    elif isinstance(value, Mapping):
        for item in dict(value).values():
            _collect(item, found, depth - 1)
    elif hasattr(value, "__dict__"):
        for item in vars(value).values():
            _collect(item, found, depth - 1)
