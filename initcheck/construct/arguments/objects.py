"""Classes, modules, functions and configuration objects of the user's file that fit a hole, and stand-ins where there are none."""

from __future__ import annotations

import dataclasses
import re
import types
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from torch import nn

from initcheck.construct.arguments.holes import Candidate, Hole, Node, Uses, named, plain
from initcheck.construct.arguments.stand_in import Discrete, StandIn, State, Vocabulary
from initcheck.construct.arguments.table import normal

if TYPE_CHECKING:
    from initcheck.construct.arguments.filling import Filling

_NEST = 5
_CONFIG = re.compile(r"(config|cfg|args|hparams|params|options|opts?|arguments|hyperparameters)$", re.IGNORECASE)
_ENTRIES = {"tag": 10, "label": 10, "char": 50, "class": 10, "rel": 20}


def objects(filling: Filling, hole: Hole, role: str, wanted: str) -> Iterator[Candidate]:
    """What stands for a class, a module, something callable or an object."""
    from initcheck.construct.arguments.candidates import MODULE_WORDS, VOCABULARY_WORDS

    name = normal(hole.name)
    if wanted == "constructs":
        yield from _classes(filling, hole, role)
    modular = name in MODULE_WORDS or name.rsplit("_", 1)[-1] in MODULE_WORDS
    if role == "activation":
        yield Candidate("called", nn.functional.relu, "nn.functional.relu") if wanted == "called" else plain(nn.ReLU)
        yield Candidate("module", None, "nn.ReLU()", lambda *_: Node(nn.ReLU(), lambda: "nn.ReLU()"))
    if wanted in ("module", "called", "constructs") or (wanted == "object" and modular and not hole.part):
        yield from _modules(filling, hole)
    if wanted == "object":
        yield from _configs(filling, hole)
    if name.endswith(VOCABULARY_WORDS) or wanted == "sized" or "sized" in hole.uses.kinds:
        yield Candidate("vocabulary", None, "{vocabulary}", stand_in)
    yield Candidate("object", None, "{...}", stand_in)
    if wanted in ("module", "called"):
        yield Candidate("module", None, "nn.Identity()", lambda *_: Node(nn.Identity(), lambda: "nn.Identity()"))


def own_classes(filling: Filling) -> list[type]:
    """The classes of the file, in its order, those imported from torch left out."""
    found = [value for value in filling.world.space.values() if isinstance(value, type)]
    return [each for each in dict.fromkeys(found) if not each.__module__.startswith(("torch.", "torch", "typing", "builtins"))]


def _layers_of(filling: Filling, hole: Hole) -> list[type]:
    return [each for each in own_classes(filling) if issubclass(each, nn.Module) and each is not hole.owner and each not in filling.making]


def _classes(filling: Filling, hole: Hole, role: str) -> Iterator[Candidate]:
    """A class that the source constructs: the block of a network, a normalization, an activation, a recurrent layer."""
    from initcheck.construct.arguments.filling import parameters_of

    word = normal(hole.name).replace("_", "")
    own = _layers_of(filling, hole)
    fitting = [each for each in own if "expansion" not in hole.uses.fields or hasattr(each, "expansion")]
    if "bare" in hole.uses.kinds:
        fitting = [
            each for each in fitting if not any(p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD for p in parameters_of(each))
        ]
    if "norm" in word:
        role = "norm"
    if role not in ("norm", "activation", "rnn"):
        fitting.sort(key=lambda each: _likeness(each.__name__, word, "block" in word), reverse=True)
        yield from (plain(each) for each in fitting)
    builtin = {"norm": (nn.BatchNorm2d, nn.LayerNorm, nn.BatchNorm1d), "rnn": (nn.LSTM, nn.GRU), "activation": (nn.ReLU, nn.GELU)}
    yield from (plain(each) for each in builtin.get(role, ()))
    if "norm" in word or "conv" in word or "attn" in word:
        yield from (
            plain(each) for each in (nn.BatchNorm2d, nn.Conv2d, nn.LayerNorm) if each.__name__.lower()[:4] in word or "norm" in word
        )
    if role not in ("norm", "activation", "rnn"):
        yield from (plain(each) for each in (nn.ReLU, nn.Identity))


def _likeness(name: str, word: str, block: bool) -> int:
    low = name.lower()
    if low == word:
        return 5
    if block and re.search(r"block|bottleneck|residual|unit", low):
        return 4 if "basic" in low else 3
    return 2 if low.endswith(word) or word.endswith(low) else 1 if word in low or low in word else 0


def _modules(filling: Filling, hole: Hole) -> Iterator[Candidate]:
    """A module of the file that plays the role of the name, built like the target itself."""
    if hole.depth >= _NEST:
        return
    words = [normal(hole.name).replace("_", ""), normal(hole.name).split("_")[0], normal(hole.name).rsplit("_", 1)[-1]]
    owner = getattr(hole.owner, "__name__", "").lower()
    scored: list[tuple[int, int, Any]] = []
    for index, each in enumerate(_layers_of(filling, hole)):
        low = each.__name__.lower()
        score = max((_likeness(low, word, block=False) for word in words), default=0)
        score += 4 if low == owner + words[0] else 0
        scored.append((-score, index, each))
    best = [each for score, _, each in sorted(scored, key=lambda item: item[:2]) if score < 0]
    yield from map(built, best)
    makers = [value for name, value in filling.world.space.items() if _makes(name, value, words[0])]
    yield from (built(each) for each in makers if each is not hole.owner and each not in filling.making)
    if "transformer" in words[0] or "encoder_layer" in hole.uses.aliases:
        yield Candidate("module", None, "nn.TransformerEncoderLayer(128, 4)", lambda *_: _torch_layer())


def _makes(name: str, value: Any, word: str) -> bool:
    """Whether a function of the file makes what a parameter wants: `make_layers` for `features`, `build_encoder` for `encoder`."""
    verb, _, thing = name.strip("_").partition("_")
    wanted = thing.replace("_", "")
    fits = wanted == word or (word == "features" and wanted in ("layers", "features"))
    return fits and verb in ("make", "build", "create", "get") and isinstance(value, types.FunctionType)


def built(kind: Any) -> Candidate:
    """A class or function of the file, called with arguments that are filled in as well."""

    def make(filling: Filling, hole: Hole) -> Node:
        return filling.call(kind, f"{hole.key}:{kind.__name__}", depth=hole.depth + 1)

    return Candidate("module", None, f"{named(kind)}(...)", make)


def _torch_layer() -> Node:
    layer = nn.TransformerEncoderLayer(128, 4)
    return Node(layer, lambda: "nn.TransformerEncoderLayer(128, 4)")


def _configs(filling: Filling, hole: Hole) -> Iterator[Candidate]:
    """A configuration class of the file, the one that has most of the fields that the source reads."""
    wanted = {field for field in hole.uses.fields if not field.startswith("_")}
    scored: list[tuple[int, int, type]] = []
    for index, each in enumerate(own_classes(filling)):
        has = wanted & fields_of(each)
        named_so = bool(_CONFIG.search(each.__name__)) and (not hole.part or normal(hole.name) in normal(each.__name__))
        if issubclass(each, nn.Module) or not has or len(has) * (2 if named_so else 1) < len(wanted):
            continue
        scored.append((-len(has), index, each))
    for _, _, each in sorted(scored, key=lambda item: item[:2]):
        yield config_class(each)


def fields_of(kind: type) -> set[str]:
    """The fields of a configuration class: annotated, assigned in the class body, or assigned to `self` or taken by its constructor."""
    found = {name for base in kind.__mro__[:-1] for name in (*vars(base), *vars(base).get("__annotations__", ()))}
    code = getattr(getattr(kind, "__init__", None), "__code__", None)
    return found | set(code.co_names if code else ()) | set(code.co_varnames if code else ())


def config_class(kind: type) -> Candidate:
    """A configuration class as a candidate: its defaults first, what it requires filled in, what it lacks added when it is asked for."""

    def make(filling: Filling, hole: Hole) -> Node:
        node = filling.call(kind, f"{hole.key}:{kind.__name__}", depth=hole.depth + 1)
        added: dict[str, Node] = {}
        for name in filling.extras.get(f"{hole.key}.*", ()):
            added[name] = filling.fill(field_of(hole, name))
            object.__setattr__(node.value, name, added[name].value)

        def text() -> str:
            more = ", ".join(f"{name}: {each.text()}" for name, each in added.items())
            return node.text() + (f" with {{{more}}}" if added else "")

        return Node(node.value, text)

    return Candidate("object", None, f"{kind.__name__}(...)", make)


def field_of(hole: Hole, name: str) -> Hole:
    """The hole that a field of an object is."""
    uses = hole.uses.fields.get(name) or Uses()
    return Hole(f"{hole.key}.{name}", name, uses=uses, siblings=hole.siblings, owner=hole.owner, depth=hole.depth + 1, part=True)


def stand_in(filling: Filling, hole: Hole) -> Node:
    """An object whose fields are filled in when they are read."""
    from initcheck.construct.arguments.candidates import VOCABULARY_WORDS

    name = normal(hole.name)
    siblings: dict[str, Any] = {}
    inner = dataclasses.replace(hole, siblings=siblings)

    def ask(field: str) -> Node:
        node = filling.fill(field_of(inner, field))
        siblings[field] = node.value
        return node

    sized = "sized" in hole.uses.kinds or name.endswith(VOCABULARY_WORDS)
    length = next((size for word, size in _ENTRIES.items() if word in name), 1000) if sized else 0
    state = State(hole.name, ask, hole.uses, length)
    kind: type[StandIn] = Vocabulary if length else Discrete if name == "action_space" else StandIn
    return Node(kind(state), state.text)
