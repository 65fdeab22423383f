"""Shapes to try for arguments of forward() that no layer is known to read, from their names."""

from __future__ import annotations

import re
from collections.abc import Iterator

import torch

from initcheck.construct.inputs.samples import Form, Tree
from initcheck.construct.inputs.shapes import NODES, TIME, Scene

_IDS = re.compile(
    r"^(\w+_)?(ids?|idx|tokens?|words?|chars?|text|texts|sentences?|captions?|questions?|indices|vocab)$|^(src|trg|tgt|source|target_seq)$"
)
_LENGTHS = re.compile(r"^(\w+_)?(lengths?|lens?|seq_?lens?|sizes_of|x_len)$|^\w+(_|^)l(en)?gths?$")
_TIMES = frozenset({"t", "timestep", "timesteps", "time", "times", "noise_level", "sigma", "sigmas", "time_step", "steps", "t_emb_in"})
_TARGETS = re.compile(r"^(\w+_)?(labels?|targets?|class_labels|y_true|tags?|ys?|gt|ground_truth|classes)$")
_GRAPH = frozenset(
    {"edge_index", "edge_weight", "edges", "adj", "adjacency", "adj_matrix", "A", "adj_mat", "edge_list", "adjs", "laplacian"}
)
_WEIGHTS = frozenset({"edge_weight", "edge_weights", "edge_norm"})
_ENDS = frozenset({"src", "dst", "row", "col", "senders", "receivers", "src_idx", "dst_idx", "edge_src", "edge_dst"})
_MASK_WORD = "mask"


def is_graph(names: list[str]) -> bool:
    """Whether the arguments are those of a graph network (rows are nodes)."""
    if "batch" in names[1:] and any(name in ("pos", "x", "z", "coords") for name in names):
        return True
    return any(name in _GRAPH or name.lstrip(".") == "edge_index" for name in names) or (
        ("src" in names and "dst" in names) or ("senders" in names and "receivers" in names)
    )


def is_ids(name: str) -> bool:
    """Whether the name speaks of integers that a table is read with."""
    return bool(_IDS.match(name.lower()))


def is_lengths(name: str) -> bool:
    """Whether the name speaks of the lengths of sequences."""
    return bool(_LENGTHS.match(name.lower()))


def by_name(name: str, scene: Scene, rows: int, *, graph: bool = False) -> list[Tree] | None:
    """Forms for an argument of this name, `None` when the name says nothing. `rows` is the length of axis 0 of the first argument."""
    found = list(_of_graph(name, rows)) if graph else []
    found = found or list(_forms(name, scene, rows))
    return found or None


def _of_graph(name: str, rows: int) -> Iterator[Tree]:
    if name == "batch":
        yield torch.arange(rows) * 4 // max(rows, 1)
    elif name in ("pos", "coord", "coords", "xyz", "positions"):
        yield Form((rows, 3))
    elif name in _ENDS:
        yield Form((4 * rows,), "int64", rows)
    elif name in ("num_graphs", "batch_size"):
        yield 4
    elif name in ("num_nodes", "n_nodes"):
        yield rows


def _forms(name: str, scene: Scene, rows: int) -> Iterator[Tree]:
    if is_lengths(name):
        yield Form((scene.batch,), "int64", fill=float(scene.times[0]))
    elif name in _TIMES:
        yield Form((scene.batch,), "int64", 1000)
        yield Form((scene.batch,))
        yield Form((scene.batch, 1))
    elif _TARGETS.match(name.lower()):
        yield Form((scene.batch,), "int64", max(scene.classes, 1))
        yield Form((scene.batch, scene.times[0]), "int64", max(scene.classes, 1))
    elif is_ids(name):
        for length in scene.times:
            yield Form((scene.batch, length), "int64", scene.vocabulary)
    elif name in ("edge_index", "edges", "edge_list"):
        yield Form((2, 4 * rows), "int64", rows)
    elif name in _WEIGHTS or name == "edge_attr":
        yield Form((4 * rows,), fill=1.0)
    elif name in ("edge_type", "edge_types"):
        yield Form((4 * rows,), "int64", 2)
    elif name in _GRAPH:
        yield Form((rows, rows), fill=1.0 / max(rows, 1))
    elif name == "offsets":
        yield torch.arange(scene.batch) * TIME
    elif _MASK_WORD in name:
        yield None
        yield Form((scene.batch, scene.times[0]), "bool", fill=1.0)
        yield Form((scene.batch, 1, scene.times[0]), "bool", fill=1.0)
        yield Form((scene.batch, 1, 1, scene.times[0]), "bool", fill=1.0)
        yield Form((scene.times[0], scene.times[0]), fill=0.0)


def plain(annotation: object) -> Tree:
    """A value for a required argument annotated as a plain Python type; a `KeyError` for other annotations."""
    values: dict[object, Tree] = {int: 1, float: 0.5, bool: False, str: "", "int": 1, "float": 0.5, "bool": False, "str": ""}
    return values[annotation]


__all__ = ["NODES", "by_name", "is_graph", "is_ids", "is_lengths", "plain"]
