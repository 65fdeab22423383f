"""Names that newer versions of common packages have lost or moved, and what they were."""

from __future__ import annotations

import collections.abc
import importlib
import importlib.util
import math
import sys
import types
from collections.abc import Callable
from typing import Any

import torch

from initcheck.construct.recording.frames import Kind, kind_of
from initcheck.construct.stand_ins.imports import provided_for

_ABSENT = object()
_ABSTRACT = (
    "Awaitable Callable Collection Container Generator Hashable ItemsView Iterable Iterator KeysView Mapping MappingView MutableMapping"
    " MutableSequence MutableSet Reversible Sequence Set Sized ValuesView"
)

ATTRIBUTES: dict[str, dict[str, str]] = {
    "collections": {name: f"collections.abc.{name}" for name in _ABSTRACT.split()},
    "numpy": {
        **{name: f"builtins.{name}" for name in ("bool", "int", "float", "complex", "object", "str")},
        "long": "builtins.int",
        "unicode": "builtins.str",
        "float_": "numpy.float64",
        "int_": "numpy.int64",
        "complex_": "numpy.complex128",
        "Inf": "math.inf",
        "Infinity": "math.inf",
        "infty": "math.inf",
        "PINF": "math.inf",
        "NaN": "math.nan",
        "product": "numpy.prod",
        "cumproduct": "numpy.cumprod",
        "alltrue": "numpy.all",
        "sometrue": "numpy.any",
        "row_stack": "numpy.vstack",
        "in1d": "numpy.isin",
        "trapz": "numpy.trapezoid",
    },
    "inspect": {"getargspec": "inspect.getfullargspec"},
    "time": {"clock": "time.perf_counter"},
    "fractions": {"gcd": "math.gcd"},
    "torchvision.transforms": {
        "Scale": "torchvision.transforms.Resize",
        "RandomSizedCrop": "torchvision.transforms.RandomResizedCrop",
    },
    "torchvision.models.resnet": {"load_state_dict_from_url": "torch.hub.load_state_dict_from_url"},
    "torchvision.models.vgg": {"load_state_dict_from_url": "torch.hub.load_state_dict_from_url"},
    "transformers": {"AdamW": "torch.optim.AdamW", "BertLayerNorm": "torch.nn.LayerNorm"},
    "transformers.modeling_utils": {
        "apply_chunking_to_forward": "transformers.pytorch_utils.apply_chunking_to_forward",
        "prune_linear_layer": "transformers.pytorch_utils.prune_linear_layer",
        "Conv1D": "transformers.pytorch_utils.Conv1D",
    },
}
"""Module -> name that it lost -> what the name was, as a dotted path."""


def _six() -> types.ModuleType:
    made = types.ModuleType("torch._six", "the standard library")
    made.__dict__.update(
        string_classes=(str, bytes),
        int_classes=int,
        container_abcs=collections.abc,
        inf=math.inf,
        nan=math.nan,
        PY3=True,
        PY37=True,
        FileNotFoundError=FileNotFoundError,
        queue=importlib.import_module("queue"),
    )
    return made


def _urls(name: str) -> Callable[[], types.ModuleType]:
    def made() -> types.ModuleType:
        found = types.ModuleType(name, "torch.hub")
        found.__dict__.update(load_state_dict_from_url=torch.hub.load_state_dict_from_url)
        return found

    return made


_MODULES: dict[str, Callable[[], types.ModuleType]] = {
    "torch._six": _six,
    "torchvision.models.utils": _urls("torchvision.models.utils"),
    "torchvision._internally_replaced_utils": _urls("torchvision._internally_replaced_utils"),
}


def knows(name: str) -> bool:
    """Whether a whole module is known to have moved, and into what."""
    return name in _MODULES or _flat(name) is not None


def module(name: str) -> types.ModuleType | None:
    """What stands for a module that has moved; its docstring says where to."""
    if name in _MODULES:
        return _MODULES[name]()
    place = _flat(name)
    if place is None:
        return None
    moved = types.ModuleType(name, place)
    moved.__dict__.update({key: value for key, value in vars(importlib.import_module(place)).items() if not key.startswith("__")})
    return moved


def _flat(name: str) -> str | None:
    """`transformers.modeling_bert` lies in `transformers.models.bert` since version 4."""
    package, _, last = name.partition(".")
    kind, _, model = last.partition("_")
    if package != "transformers" or kind not in ("modeling", "configuration", "tokenization") or not model or "." in last:
        return None
    place = f"transformers.models.{model}.{last}"
    try:
        return place if importlib.util.find_spec(place) is not None else None
    except ModuleNotFoundError:
        return None


class Renewed:
    """Gives user code the names that loaded modules lost, and takes them back on `restore`."""

    def __init__(self, note: Callable[[str], None]) -> None:
        self._note = note
        self._hooked: list[tuple[types.ModuleType, Any]] = []

    def hook_loaded(self) -> None:
        """Hooks the modules that are loaded already."""
        for name in ATTRIBUTES:
            found = sys.modules.get(name)
            if found is not None:
                self.hook(found)

    def hook(self, target: types.ModuleType) -> None:
        """Answers for the lost names of one module when the user's code asks for them."""
        before = target.__dict__.get("__getattr__", _ABSENT)
        lost, name = ATTRIBUTES[target.__name__], target.__name__

        def missing(attribute: str) -> Any:
            frame = sys._getframe(1)  # noqa: SLF001  (whose code asks decides)
            if attribute in lost and kind_of(frame.f_code) is Kind.USER and not provided_for(frame):
                self._note(f"{name}.{attribute} is gone from the installed version; {lost[attribute].removeprefix('builtins.')} is used")
                return _resolved(lost[attribute])
            if before is not _ABSENT:
                return before(attribute)
            raise AttributeError(f"module {name!r} has no attribute {attribute!r}", name=attribute, obj=target)

        target.__dict__["__getattr__"] = missing
        self._hooked.append((target, before))

    def restore(self) -> None:
        """Leaves all modules as they were."""
        for target, before in reversed(self._hooked):
            if before is _ABSENT:
                del target.__dict__["__getattr__"]
            else:
                target.__dict__["__getattr__"] = before
        self._hooked.clear()


def _resolved(dotted: str) -> Any:
    place, _, name = dotted.rpartition(".")
    return getattr(importlib.import_module(place), name)
