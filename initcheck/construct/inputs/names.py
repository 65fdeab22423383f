"""Shapes to try for arguments of forward() that no layer is known to read, from their names."""

from __future__ import annotations

from collections.abc import Iterator

from initcheck.construct.inputs.samples import Form, Tree
from initcheck.construct.inputs.shapes import NODES, TIME, Scene

_IDS = frozenset({"input_ids", "ids", "idx", "token_ids", "tokens", "token", "words", "text", "sentence", "sentences"}) | frozenset(
    {"src_ids", "tgt_ids", "decoder_input_ids", "indices"}
)
_LENGTHS = frozenset(
    {"lengths", "length", "lens", "len", "seq_len", "seq_lens", "seq_lengths", "input_lengths", "src_lengths", "text_lengths"}
)
_TIMES = frozenset({"t", "timestep", "timesteps", "time", "times", "noise_level", "sigma", "sigmas", "time_step", "steps"})
_TARGETS = frozenset({"labels", "label", "targets", "target", "class_labels", "y_true"})
_GRAPH = frozenset({"edge_index", "edge_weight", "edges", "adj", "adjacency", "adj_matrix", "A"})
_MASK_WORD = "mask"


def is_graph(names: list[str]) -> bool:
    """Whether the arguments are those of a graph network (rows are nodes)."""
    return any(name in _GRAPH for name in names)


def by_name(name: str, scene: Scene, rows: int) -> list[Tree] | None:
    """Forms for an argument of this name, `None` when the name says nothing. `rows` is the length of axis 0 of the first argument."""
    found = list(_forms(name, scene, rows))
    return found or None


def _forms(name: str, scene: Scene, rows: int) -> Iterator[Tree]:
    if name in _IDS:
        for length in scene.times:
            yield Form((scene.batch, length), "int64", scene.vocabulary)
    elif name in _LENGTHS:
        yield Form((scene.batch,), "int64", fill=float(scene.times[0]))
    elif name in _TIMES:
        yield Form((scene.batch,), "int64", 1000)
        yield Form((scene.batch,))
        yield Form((scene.batch, 1))
    elif name in _TARGETS:
        yield Form((scene.batch,), "int64", max(scene.classes, 1))
        yield Form((scene.batch, scene.times[0]), "int64", max(scene.classes, 1))
    elif name in ("edge_index", "edges"):
        yield Form((2, 4 * rows), "int64", rows)
    elif name in ("edge_weight", "edge_attr"):
        yield Form((4 * rows,), fill=1.0)
    elif name in _GRAPH:
        yield Form((rows, rows), fill=1.0 / max(rows, 1))
    elif _MASK_WORD in name:
        yield None
        yield Form((scene.batch, TIME), "bool", fill=1.0)
        yield Form((TIME, TIME), fill=0.0)
        yield Form((scene.batch, 1, TIME, TIME), "bool", fill=1.0)


def plain(annotation: object) -> Tree:
    """A value for a required argument annotated as a plain Python type; a `KeyError` for other annotations."""
    values: dict[object, Tree] = {int: 1, float: 0.5, bool: False, str: "", "int": 1, "float": 0.5, "bool": False, "str": ""}
    return values[annotation]


__all__ = ["NODES", "by_name", "is_graph", "plain"]
