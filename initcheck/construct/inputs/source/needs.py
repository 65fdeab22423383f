"""What a layer wants as its input: the kind of data and the size of its feature axis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn
from torch.nn import Module


@dataclass(frozen=True, slots=True)
class Need:
    """The wish of one layer for one of its arguments.

    kind: image, latent (image that grows), line (batch, channels, length), volume, features (…, size), ids (integers below size), bag,
        offsets (starts of the bags), columns (integers below `shape` each), classes (one integer per sample), steps (batch, time, size),
        steps_first (time, batch, size), row (batch, size), hidden (state of a recurrent layer), cell (both states of a cell).
    size: channels, features or number of embeddings; `shape` the rest of it where it is fixed.
    path: dotted name of the layer or parameter; source: the attribute that told the size.
    """

    kind: str
    size: int
    path: str = ""
    source: str = ""
    shape: tuple[int, ...] = ()


_CHANNELS: tuple[tuple[type[Module], str, str], ...] = (
    (nn.ConvTranspose1d, "line", "in_channels"),
    (nn.ConvTranspose2d, "latent", "in_channels"),
    (nn.ConvTranspose3d, "volume", "in_channels"),
    (nn.Conv1d, "line", "in_channels"),
    (nn.Conv2d, "image", "in_channels"),
    (nn.Conv3d, "volume", "in_channels"),
    (nn.Linear, "features", "in_features"),
    (nn.Embedding, "ids", "num_embeddings"),
    (nn.EmbeddingBag, "bag", "num_embeddings"),
    (nn.BatchNorm1d, "row", "num_features"),
    (nn.BatchNorm2d, "image", "num_features"),
    (nn.BatchNorm3d, "volume", "num_features"),
    (nn.InstanceNorm1d, "line", "num_features"),
    (nn.InstanceNorm2d, "image", "num_features"),
    (nn.GroupNorm, "image", "num_channels"),
    (nn.RNNCellBase, "row", "input_size"),
)

_DUCKS = (("in_features", "features"), ("num_embeddings", "ids"), ("in_channels", "image"), ("input_size", "features"))
"""Attributes that say the size in layers of other makers (quantized, low rank, home-made)."""


def need(module: Module, path: str, position: int = 0, *, guess: bool = True) -> Need | None:
    """The wish of a layer for its argument number `position`; `None` for modules that only contain layers.

    `guess`: layers of other makers are judged by their attributes.
    """
    if isinstance(module, nn.RNNBase):
        return _recurrent(module, path, position)
    if isinstance(module, nn.Bilinear):
        source = "in2_features" if position else "in1_features"
        return Need("row", getattr(module, source), path, source)
    if isinstance(module, nn.LayerNorm):
        *rest, size = module.normalized_shape
        return Need("features", size, path, "normalized_shape", tuple(rest))
    attention = _attention(module, path, position)
    if attention is not None:
        return attention
    if isinstance(module, nn.RNNCellBase) and position:
        return state(module, path)
    if isinstance(module, nn.EmbeddingBag) and position:
        return Need("offsets", module.num_embeddings, path, "num_embeddings")
    for kind, word, source in _CHANNELS:
        if isinstance(module, kind):
            size = int(getattr(module, source))
            return Need(word, size or _LAZY[word], path, source)  # lazy layers say 0 until they have seen data
    return None if not guess or next(module.children(), None) is not None else duck(module, path)


def state(module: Module, path: str) -> Need | None:
    """One of the states of a recurrent layer or cell."""
    if isinstance(module, nn.RNNBase):
        return Need("hidden", module.hidden_size, path, "hidden_size", (module.num_layers * (2 if module.bidirectional else 1), 0))
    if isinstance(module, nn.RNNCellBase):
        return Need("row" if not isinstance(module, nn.LSTMCell) else "cell", module.hidden_size, path, "hidden_size")
    return None


_WIDTHS = ("out_features", "embedding_dim", "out_channels", "hidden_size")


def width(module: Module) -> int:
    """The features that a layer makes; 0 when it does not say."""
    if isinstance(module, nn.Sequential):
        found = [size for child in module.children() if (size := width(child))]
        return found[-1] if found else 0
    if not isinstance(module, (nn.Linear, nn.Embedding, nn.Conv1d, nn.Conv2d, nn.EmbeddingBag, nn.RNNCellBase)):
        return 0
    told = [getattr(module, name, None) for name in _WIDTHS]
    return next((size for size in told if isinstance(size, int)), 0)


_LAZY = {"image": 3, "line": 3, "volume": 3, "latent": 16, "features": 32, "row": 32}


def _recurrent(module: Any, path: str, position: int) -> Need:
    if position:
        directions = 2 if module.bidirectional else 1
        return Need("hidden", module.hidden_size, path, "hidden_size", (module.num_layers * directions, int(isinstance(module, nn.LSTM))))
    return Need("steps" if module.batch_first else "steps_first", module.input_size, path, "input_size")


def _attention(module: Module, path: str, position: int) -> Need | None:
    """Transformer blocks and attention share the layout; the encoder of a stack tells it."""
    core: Any = module
    if isinstance(core, nn.Transformer):
        core = core.encoder
    if isinstance(core, (nn.TransformerEncoder, nn.TransformerDecoder)):
        core = core.layers[0]
    if isinstance(core, (nn.TransformerEncoderLayer, nn.TransformerDecoderLayer)):
        core = core.self_attn
    if not isinstance(core, nn.MultiheadAttention):
        return None
    sizes = (core.embed_dim, core.kdim, core.vdim) if core is module else (core.embed_dim,) * 3
    return Need("steps" if core.batch_first else "steps_first", int(sizes[min(position, 2)] or core.embed_dim), path, "embed_dim")


def duck(module: Module, path: str) -> Need | None:
    """The wish of a layer of another maker, from its attributes."""
    for source, kind in _DUCKS:
        size = getattr(module, source, None)
        if isinstance(size, int) and size > 0:
            return Need(kind, size, path, source)
    weight = getattr(module, "weight", None)
    if isinstance(weight, Tensor) and weight.dim() in (1, 2, 3, 4, 5):
        word = {1: "features", 2: "features", 3: "line", 4: "image", 5: "volume"}[weight.dim()]
        return Need(word, int(weight.shape[1 if weight.dim() > 1 else 0]), f"{path}.weight" if path else "weight", "shape")
    return None


def bare(op: str, parameter: Tensor, path: str) -> Need | None:
    """The wish of a parameter that a function uses directly, as in `F.linear(x, self.weight)` or `x @ self.weight`."""
    if parameter.dim() < 2:
        return None
    if op in ("linear", "matmul", "mm", "@", "bmm"):
        return Need("features", int(parameter.shape[1 if op == "linear" else -2]), path, "shape")
    kinds = {"conv1d": "line", "conv2d": "image", "conv3d": "volume", "embedding": "ids"}
    if op in kinds:
        return Need(kinds[op], int(parameter.shape[0 if op == "embedding" else 1]), path, "shape")
    return None
