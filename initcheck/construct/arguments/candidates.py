"""What may be filled into a hole, most plausible first."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import torch

from initcheck.construct.arguments.annotated import annotated
from initcheck.construct.arguments.holes import EMPTY, Candidate, Hole, Uses, kind_of, plain
from initcheck.construct.arguments.lists import lists
from initcheck.construct.arguments.objects import objects, stand_in
from initcheck.construct.arguments.related import related
from initcheck.construct.arguments.table import known, likely, normal

if TYPE_CHECKING:
    from initcheck.construct.arguments.filling import Filling

_ACCEPTS: dict[str, frozenset[str]] = {
    "int": frozenset({"int"}),
    "number": frozenset({"int", "float"}),
    "float": frozenset({"float", "int"}),
    "str": frozenset({"str"}),
    "list": frozenset({"list", "vocabulary"}),
    "copied": frozenset({"list", "tensor"}),
    "exponent": frozenset({"int"}),
    "sized": frozenset({"list", "vocabulary", "mapping"}),
    "object": frozenset({"object", "vocabulary", "module", "mapping", "device"}),
    "constructs": frozenset({"class", "type", "called", "maker"}),
    "called": frozenset({"module", "called"}),
    "module": frozenset({"module"}),
    "tensor": frozenset({"tensor"}),
    "flag": frozenset({"bool", "int", "float", "none", "str"}),
    "plain": frozenset({"int", "float", "bool", "str", "none", "list", "device"}),
}
_TENSOR_WORDS = ("matrix", "weights", "pretrained", "vectors", "embeddings", "embedding", "glove", "word_vec", "vecs", "adj", "adjacency")
_TOKENS = ("tokens", "chars", "characters", "vocab", "words", "vocabulary", "itos", "all_letters", "charset")
VOCABULARY_WORDS = (
    "2word",
    "2char",
    "2tag",
    "to_word",
    "itos",
    "vocab",
    "to_ix",
    "2idx",
    "2id",
    "2ix",
    "to_idx",
    "to_id",
    "stoi",
    "tokenizer",
    "dictionary",
    "word_index",
    "lang",
    "mapping",
)
MODULE_WORDS = (
    "encoder decoder generator discriminator backbone extractor attention attn feed_forward feedforward embed embedding actor critic model "
    "net network head neck classifier layer sublayer module features trunk body base_model resnet cnn rnn lstm bert transformer policy "
    "predictor prior posterior unet vae denoise_fn fn ff mlp gnn stem teacher student feature_net src_embed tgt_embed cell branch"
).split()


def options(filling: Filling, hole: Hole) -> list[Candidate]:
    """Candidates for a hole; those whose kind fits the source's use of it come first."""
    wanted = demand(hole)
    declared = annotated(filling, hole)
    kinds = frozenset(candidate.kind for candidate in declared)
    numbers = kinds <= {"int", "float", "bool", "none"}
    source, told = list(_from_source(filling, hole)), list(_told(filling, hole, wanted))
    found: list[Candidate] = []
    for candidate in [*source, *(told if numbers else ()), *declared, *told, *_last(hole, wanted)]:
        if not any(candidate.kind == other.kind and candidate.shown() == other.shown() for other in found):
            found.append(candidate)
    accepted = kinds or _ACCEPTS.get(wanted, _ACCEPTS["plain"])
    if hole.uses.instances and wanted == "list" and not kinds:
        accepted |= {"int"}
    fit = [candidate for candidate in found if candidate.kind in accepted]
    return [*fit, *(candidate for candidate in found if candidate not in fit)]


def demand(hole: Hole) -> str:
    """Which kind of value the source wants in a hole; `plain` when it does not say."""
    uses, name = hole.uses, normal(hole.name)
    kinds = uses.kinds
    fields = set(uses.fields) - {"expansion", "__name__", "parameters", "modules", "children"}
    if "str" in kinds and uses.choices and "object" not in kinds:
        return "str"
    if str(getattr(hole.annotation, "__name__", hole.annotation)).endswith("Module"):
        return "module"
    if _is_tensor(uses, name) or hole.annotation is torch.Tensor or hole.annotation in ("torch.Tensor", "Tensor"):
        return "tensor"
    if "object" in kinds and (fields or "constructs" not in kinds) and not ("constructs" in kinds and fields <= {"in_channels", "mul"}):
        return "object"
    if "constructs" in kinds:
        return "constructs"
    if "exponent" in kinds:
        return "exponent"
    for kind in ("list", "str", "module", "copied"):
        if kind in kinds and not (kind == "copied" and "int" in kinds):  # FloatTensor(n) of a size, FloatTensor(values) of values
            return kind
    if "sized" in kinds:
        return "sized"
    if "called" in kinds:
        return "called"
    if uses.choices and kind_of(uses.choices[0]) in ("str", "int"):
        return kind_of(uses.choices[0])
    return next((kind for kind in ("int", "float", "number") if kind in kinds), "flag" if kinds == ["flag"] else _by_name(name))


def _by_name(name: str) -> str:
    """The kind that the name alone tells."""
    if known(name)[0]:
        return "plain"
    if name.endswith(VOCABULARY_WORDS):
        return "object"
    last = name.rsplit("_", 1)[-1]
    return "module" if name in MODULE_WORDS or last in MODULE_WORDS else "plain"


def _is_tensor(uses: Uses, name: str) -> bool:
    if "tensor" in uses.kinds:
        return True
    shaped = "shape" in uses.fields and set(uses.fields) <= {"shape", "dtype", "device", "data"}
    return shaped and not name.endswith(("space", "env", "dataset"))


def _from_source(filling: Filling, hole: Hole) -> Iterator[Candidate]:
    """What the user's own source has under the same name."""
    world = filling.world
    names = dict.fromkeys(normal(name) for name in (*hole.aliases, hole.name))
    for name in names:
        yield from (plain(value) for value in filling.known.get(name, ()))
        for value in world.hinted.get(name, ()):
            yield plain(value)
    for key, value in world.space.items():
        if (
            not key.startswith("__")
            and normal(key) in names
            and not isinstance(value, type)
            and kind_of(value) != "called"
            and not _is_module(value)
        ):
            if isinstance(value, dict) and hole.uses.choices:
                continue
            yield plain(value, "" if kind_of(value) in ("int", "float", "str", "bool", "list") else key)
            if isinstance(value, dict):
                for inner, item in value.items():
                    yield plain(item, f"{key}[{inner!r}]")
    if hole.default is not EMPTY:
        yield plain(hole.default)


def _is_module(value: Any) -> bool:
    return type(value).__name__ == "module"


def _told(filling: Filling, hole: Hole, wanted: str) -> Iterator[Candidate]:
    """What the uses and the table tell."""
    uses = hole.uses
    role, values = role_of(hole)
    yield from (plain(value) for value in values if value in uses.choices)
    yield from (plain(value) for value in uses.choices)
    if role == "cpu" and {"type", "index"} & set(uses.fields):
        device = torch.device("cpu")
        yield Candidate("device", device, repr(device))
    yield from related(filling, hole, role, values)
    if role == "shape":
        flat = (
            uses.length == 1
            and "spread" not in uses.kinds
            and normal(hole.name) in ("shape", "obs_shape", "state_shape", "observation_shape")
        )
        yield from (plain((8,) if flat else value[-2:] if uses.length == 2 else value) for value in values)
    elif wanted in ("list", "sized") or {"list", "copied"} & set(uses.kinds):
        if normal(hole.name).endswith(VOCABULARY_WORDS) or normal(hole.name) in _TOKENS:
            yield Candidate("vocabulary", None, "{vocabulary}", stand_in)
        if role in ("features", "image", "size") and uses.length in (2, 3):
            yield plain((3, 32, 32)[-uses.length :])
        yield from lists(filling, hole, values)
    elif wanted == "str" and any(alias.endswith("nn.getattr") for alias in uses.aliases):
        yield from (plain(each) for each in (("LSTM", "GRU") if role == "rnn" else ("ReLU", "BatchNorm2d", "Linear")))
    yield from objects(filling, hole, role, wanted)
    yield from (plain(value) for value in values)


def role_of(hole: Hole) -> tuple[str, tuple[Any, ...]]:
    """The role of a hole and its usual values: a table of vectors or images by its use, else the name, else the names it is passed on as."""
    uses = hole.uses
    role, values = next((found for found in map(known, (hole.name, *hole.aliases)) if found[0]), ("", ()))
    if "num_embeddings" in uses.aliases and role not in ("vocabulary", "few", "length", "codes", "times"):
        return known("num_embeddings")
    if role == "classes" and "out_channels" in uses.aliases and not re.search(r"class|label|tag", normal(hole.name)):
        return known("out_channels")
    if "negative_slope" in uses.aliases:
        return known("negative_slope")
    if role:
        return role, values
    if "exponent" in uses.kinds:
        return known("wf")
    names = (known, uses.aliases), (likely, (hole.name, *hole.aliases, *uses.aliases))
    return next((found for look, words in names for found in map(look, words) if found[0]), ("", ()))


def _last(hole: Hole, wanted: str) -> Iterator[Candidate]:
    """What is tried when nothing else is known."""
    name = normal(hole.name)
    if hole.uses.nullable and wanted not in ("int", "number", "list", "object"):
        yield plain(None)
    if wanted == "tensor" or name.endswith(_TENSOR_WORDS):
        width = next((value for key, value in hole.siblings.items() if known(key)[0] == "width" and isinstance(value, int)), 64)
        rows = next((value for key, value in hole.siblings.items() if known(key)[0] == "vocabulary" and isinstance(value, int)), 1000)
        yield Candidate("tensor", None, f"torch.randn({rows}, {width})", lambda *_: _drawn(rows, width))
    if wanted == "flag":
        yield plain(False)
    yield from (plain(value) for value in (64, 1.0, "relu", True, (3, 32, 32)[:1]))
    yield from (plain(value) for value in (2, 1, 128, None))


def _drawn(rows: int, width: int) -> Any:
    from initcheck.construct.arguments.holes import Node

    value = torch.randn(rows, width)
    return Node(value, lambda: f"torch.randn({rows}, {width})")
