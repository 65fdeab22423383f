"""Shapes to try for one argument, most plausible first, from the layer that reads it or from its name."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import nn
from torch.nn import Module

from initcheck.construct.inputs.image_size import images_first, solved_sizes
from initcheck.construct.inputs.samples import Form, Tree
from initcheck.construct.inputs.source.needs import Need
from initcheck.construct.inputs.source.reading import Use

TIME = 16
"""Positions in a sequence unless the model says otherwise."""

NODES = 32
"""Nodes of a sample graph."""

_FRAMES = 4
_HEAVY = 1 << 19
"""Samples of more elements come two at a time."""

LARGEST = 1 << 22
"""Elements of one tensor at most, where fewer samples make it smaller."""

_LARGE, _FEW, _LONG = 96, 4, 1024
"""Images above this edge length, and signals of this length, come in batches of at most so many."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What the shapes depend on besides the layer: the batch, whether it is binding, and what the model as a whole says.

    `entities` says that integers stand for one thing per sample (user, item), not for a sequence; `graph` that rows are nodes;
    `offsets` that bags are told by their starts.
    """

    batch: int
    sizes: tuple[int, ...]
    times: tuple[int, ...]
    vocabulary: int
    classes: int
    entities: bool = False
    graph: bool = False
    offsets: bool = False


def scene(model: Module, batch: int) -> Scene:
    """Looks once over the whole model."""
    tables = [module.num_embeddings for module in model.modules() if isinstance(module, nn.Embedding)]
    heads = [module.out_features for module in model.modules() if isinstance(module, nn.Linear)]
    sizes = tuple(dict.fromkeys((*solved_sizes(model), *images_first(model))))
    return Scene(
        batch,
        sizes,
        _times(model),
        vocabulary=tables[0] if tables else 16,
        classes=heads[-1] if heads else 2,
    )


def options(use: Use, scene: Scene) -> list[Tree]:
    """Forms for an argument that enters the layer of `use`, as large as what the model divides them by before."""
    forms = _options(use, scene)
    if use.divided == 1.0:
        return forms
    return [replace(form, scale=use.divided) if isinstance(form, Form) and form.dtype == "float" else form for form in forms]


def _options(use: Use, scene: Scene) -> list[Tree]:
    need = use.need
    if use.shares > 1 or 0 < use.beside < need.size:
        left = need.size - use.beside if use.beside < need.size else need.size
        part = left // use.shares + (use.share < left % use.shares)
        need = Need(need.kind, max(part, 1), need.path, need.source, need.shape)
    if use.stepped >= 0 and need.kind in ("row", "features", "ids", "image"):
        return [*_stepped(need, scene, use.stepped), *(_OPTIONS[need.kind](need, scene) if need.kind == "image" else ())]
    if use.added and need.kind in ("features", "row") and need.size == 1:
        return [Form((scene.batch,)), *_OPTIONS[need.kind](need, scene)]
    if use.added and need.kind == "image" and need.size == 1:
        return [*(replace(form, shape=(form.shape[0], *form.shape[2:])) for form in _images(need, scene)), *_images(need, scene)]
    return list(_OPTIONS[need.kind](need, scene))


def affordable(trees: tuple[Tree, ...], batch: int) -> tuple[Tree, ...]:
    """The same forms with fewer samples where images are large, signals long or there are volumes."""
    forms = [tree for tree in trees if isinstance(tree, Form)]
    few = min([_most(form.shape) for form in forms], default=batch)
    if few >= batch:
        return trees
    return tuple(
        replace(tree, shape=(few, *tree.shape[1:])) if isinstance(tree, Form) and tree.shape[:1] == (batch,) else tree for tree in trees
    )


def _most(shape: tuple[int, ...]) -> int:
    if math.prod(shape[1:]) > _HEAVY:
        return 2
    if len(shape) == 5:
        return _FEW if shape[1] == _FRAMES else 2
    large = (len(shape) == 4 and shape[-1] > _LARGE) or (len(shape) == 3 and shape[-1] >= _LONG and shape[1] < shape[-1])
    return _FEW if large else max(2, LARGEST // max(math.prod(shape[1:]), 1))


def _times(model: Module) -> tuple[int, ...]:
    """Learned positions fix the length, or bound it; they are parameters that belong to no layer, or a table of the embedding's width."""
    fixed: list[int] = []
    for module in model.modules():
        for name, parameter in module.named_parameters(recurse=False):
            if "pos" in name and parameter.dim() in (2, 3) and (parameter.dim() == 2 or parameter.shape[0] == 1):
                fixed += [int(parameter.shape[-2]), int(parameter.shape[-2]) - 1]
    small = [length for length in fixed if 1 <= length <= 1024]
    return tuple(dict.fromkeys((*([] if small and min(small) < TIME else [TIME]), *small, TIME, 8, 4)))


def _stepped(need: Need, scene: Scene, axis: int) -> list[Tree]:
    shape = (scene.batch, TIME) if axis != 0 else (TIME, scene.batch)
    if need.kind == "image":
        return [Form((scene.batch, _FRAMES, need.size, edge, edge)) for edge in scene.sizes[:4]]
    return [Form(shape, "int64", need.size)] if need.kind == "ids" else [Form((*shape, need.size))]


def _images(need: Need, scene: Scene) -> Iterator[Tree]:
    sizes = (28, *scene.sizes) if need.size == 1 and scene.sizes[:1] in ((64,), (32,)) else scene.sizes
    for edge in dict.fromkeys(sizes):
        yield Form((scene.batch, need.size, edge, edge))


def _latent(need: Need, scene: Scene) -> Iterator[Tree]:
    for edge in (1, 8, 4, 7, 16, 32, 64):
        yield Form((scene.batch, need.size, edge, edge))


def _lines(need: Need, scene: Scene) -> Iterator[Tree]:
    for length in (128, 64, 32, 256, 1024, 100, 50, 4096, 16000):
        yield Form((scene.batch, need.size, length))


def _volumes(need: Need, scene: Scene) -> Iterator[Tree]:
    for depth, edge in ((16, 56), (16, 112), (32, 32), (64, 64), (16, 224)):
        yield Form((scene.batch, need.size, depth, edge, edge))


def _features(need: Need, scene: Scene) -> Iterator[Tree]:
    """Rows, sequences, then images that flatten to the size, then images cut into patches of that size."""
    if need.shape:
        yield Form((scene.batch, *need.shape, need.size))
    yield Form((scene.batch, need.size))
    yield Form((scene.batch, scene.times[0], need.size))
    for channels in (1, 3):
        edge = math.isqrt(need.size // channels)
        if edge > 3 and channels * edge * edge == need.size:
            yield Form((scene.batch, channels, edge, edge))
    for length in scene.times[1:3]:
        yield Form((scene.batch, length, need.size))
    for channels in (3, 1):
        patch = math.isqrt(need.size // channels)
        if patch > 1 and channels * patch * patch == need.size:
            for edge in (edge for edge in (32, 28, 64, 224, 256, 128) if edge % patch == 0 and edge > patch):
                yield Form((scene.batch, channels, edge, edge))
    yield Form((scene.batch, need.size, 8, 8))


def _ids(need: Need, scene: Scene) -> Iterator[Tree]:
    shapes = [(scene.batch, length) for length in scene.times]
    single = [(scene.batch,)]
    for shape in (*single, *shapes) if scene.entities else (shapes[0], *single, *shapes[1:]):
        yield Form(shape, "int64", need.size)


def _columns(need: Need, scene: Scene) -> Iterator[Tree]:
    yield Form((scene.batch, len(need.shape)), "int64", need.size, columns=need.shape)


def _classes(need: Need, scene: Scene) -> Iterator[Tree]:
    yield Form((scene.batch,), "int64", need.size)
    yield Form((scene.batch, scene.times[0]), "int64", need.size)


def _cell(need: Need, scene: Scene) -> Iterator[Tree]:
    state = Form((scene.batch, need.size), fill=0.0)
    yield state
    yield (state, state)


def _bag(need: Need, scene: Scene) -> Iterator[Tree]:
    if not scene.offsets:
        yield Form((scene.batch, scene.times[0]), "int64", need.size)
    yield Form((scene.batch * TIME,), "int64", need.size)


def _offsets(_: Need, scene: Scene) -> Iterator[Tree]:
    yield torch.arange(scene.batch) * TIME


def _steps(need: Need, scene: Scene) -> Iterator[Tree]:
    for length in scene.times:
        yield Form((scene.batch, length, need.size))
    yield Form((scene.batch, need.size))


def _steps_first(need: Need, scene: Scene) -> Iterator[Tree]:
    for length in scene.times:
        yield Form((length, scene.batch, need.size))
    yield Form((scene.batch, need.size))


def _rows(need: Need, scene: Scene) -> Iterator[Tree]:
    yield Form((scene.batch, need.size))
    yield Form((scene.batch, scene.times[0], need.size))
    yield Form((scene.batch, need.size, scene.times[0]))
    yield Form((scene.times[0], scene.batch, need.size))


def _hidden(need: Need, scene: Scene) -> Iterator[Tree]:
    state = Form((need.shape[0] if need.shape else 1, scene.batch, need.size), fill=0.0)
    yield (state, state) if need.shape and need.shape[1] else state


_OPTIONS = {
    "image": _images,
    "latent": _latent,
    "line": _lines,
    "volume": _volumes,
    "features": _features,
    "ids": _ids,
    "bag": _bag,
    "offsets": _offsets,
    "columns": _columns,
    "classes": _classes,
    "cell": _cell,
    "steps": _steps,
    "steps_first": _steps_first,
    "row": _rows,
    "hidden": _hidden,
}
