"""Notices loads while a model is built: `load_state_dict`, and the one place through which `from_pretrained` of transformers goes."""

from __future__ import annotations

import functools
import os
import sys
import threading
import weakref
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any

import torch

from initcheck.construct.arrivals.bits import digest
from initcheck.construct.arrivals.files import Files
from initcheck.construct.recording.frames import OUTSIDE, OWN, Kind, Spot, kind_of
from initcheck.construct.stand_ins.finder import Watcher
from initcheck.construct.stand_ins.unloaded import Unloaded
from initcheck.matching.leftovers import harmless
from initcheck.records.arrival import How

MOST = 32
"""Most loads that are kept: a loop that loads again and again counts by its last rounds."""

_TRANSFORMERS = "transformers.modeling_utils"
_SAFETENSORS = "safetensors.torch"
_ENTRANCE = "_load_pretrained_model"
_FILE = "<frozen initcheck.arrivals>"
_STAND_INS = f"{OWN}stand_ins{os.sep}"


@dataclass(frozen=True, slots=True)
class Held:
    """One tensor right after it was loaded: the object, the bits that it has to hold, and the stored number format."""

    tensor: weakref.ReferenceType[torch.Tensor]
    bits: bytes
    shape: tuple[int, ...]
    dtype: torch.dtype
    stored_dtype: str = ""


@dataclass(slots=True)
class Noted:
    """One load. `missing` and `unexpected` are names as the loader gave them, `mismatched` names with stored and own shapes."""

    module: weakref.ReferenceType[torch.nn.Module]
    owner: str
    how: How
    source: str
    spot: Spot | None
    held: dict[str, Held] = field(default_factory=dict)
    missing: Callable[[], Iterable[str]] = tuple
    unexpected: Callable[[], Iterable[str]] = tuple
    stored: dict[str, tuple[int, ...]] = field(default_factory=dict)
    mismatched: tuple[tuple[str, tuple[int, ...], tuple[int, ...]], ...] = ()


class ArrivalWatch:
    """While it is on, loads report here, and so does the reading of files; nothing of it shows on the stack as initcheck's.

    `silence` keeps what it computes from the recorder; `foreign` tells whether a tensor's numbers come from outside the model's code.
    """

    def __init__(self, silence: Callable[[], AbstractContextManager[None]], foreign: Callable[[torch.Tensor], bool]) -> None:
        self.noted: list[Noted] = []
        self._silence = silence
        self._foreign = foreign
        self._thread = 0
        self._undo: list[Callable[[], None]] = []
        self._files = Files()

    def start(self) -> None:
        """Put the watch in the place of the loading functions; transformers may be imported later."""
        self._thread = threading.get_ident()
        self._replace(torch.nn.Module, "load_state_dict", _watched(torch.nn.Module.load_state_dict, self))
        self._replace(torch, "load", _reading(torch.load, self))
        later: dict[str, Callable[[ModuleType], None]] = {_TRANSFORMERS: self._fit_transformers, _SAFETENSORS: self._fit_safetensors}
        for name in [name for name in later if name in sys.modules]:
            later.pop(name)(sys.modules[name])
        finder = Watcher(later)
        sys.meta_path.insert(0, finder)
        self._undo.append(lambda: sys.meta_path.remove(finder) if finder in sys.meta_path else None)

    def stop(self) -> None:
        """Put everything back that nobody else replaced meanwhile."""
        self._thread = 0
        while self._undo:
            self._undo.pop()()

    def spot(self) -> Spot | None:
        """The line of the user, else of a library, that asks for a load now; None for initcheck itself, and for another thread."""
        if threading.get_ident() != self._thread:
            return None
        nearest: Spot | None = None
        frame: FrameType | None = sys._getframe(2)  # noqa: SLF001  (what called the loading function)
        while frame is not None:
            kind = kind_of(frame.f_code)
            if kind is Kind.USER:
                return frame.f_code, frame.f_lasti
            if kind is Kind.OWN and not frame.f_code.co_filename.startswith(_STAND_INS):
                return nearest
            if nearest is None and kind in OUTSIDE:
                nearest = frame.f_code, frame.f_lasti
            frame = frame.f_back
        return nearest

    def state_dict(self, module: torch.nn.Module, state: Mapping[str, Any], result: Any, spot: Spot) -> None:
        """`load_state_dict` has returned."""
        tensors = {str(key): value for key, value in state.items() if isinstance(value, torch.Tensor)}
        missing = tuple(getattr(result, "missing_keys", ()))
        if isinstance(state, Unloaded) or not (tensors or missing):
            return
        with self._silence():
            if sum(map(self._foreign, tensors.values())) * 2 < len(tensors):
                return  # a copy of a model that is made here
            note = Noted(weakref.ref(module), type(module).__name__, "load_state_dict", "a state dict", spot)
            note.held = _held(module, set(missing), tensors)
        file = self._files.behind(tensors)
        dropped = file.left_out(tensors) if file is not None else {}
        own = {name: tuple(tensor.shape) for name, tensor in module.state_dict(keep_vars=True).items() if isinstance(tensor, torch.Tensor)}
        note.source = file.path if file is not None and file.path else note.source
        note.mismatched = tuple((key, shape, own[key]) for key, shape in dropped.items() if key in missing and own.get(key, shape) != shape)
        unfit = {key for key, _, _ in note.mismatched}
        unexpected = (*getattr(result, "unexpected_keys", ()), *(key for key in dropped if key not in own))
        note.missing, note.unexpected = (lambda: [key for key in missing if key not in unfit]), (lambda: unexpected)
        note.stored = {key: tuple(tensor.shape) for key, tensor in tensors.items()} | dropped
        self._keep(note)

    def read(self, source: Any, found: Any) -> None:
        """The user's code has read a file."""
        if threading.get_ident() == self._thread:
            with self._silence():
                self._files.note(source, found)

    def pretrained(self, model: torch.nn.Module, files: Iterable[Any], info: Any, spot: Spot) -> None:
        """transformers has filled a model from its files, and has not yet initialized the rest."""
        absent = {str(name) for name in getattr(info, "missing_keys", ())}
        mismatched = tuple((str(name), tuple(old), tuple(new)) for name, old, new in getattr(info, "mismatched_keys", ()))
        names = [Path(str(file)) for file in files]
        source = str(names[0].parent if len(names) > 1 else names[0]) if names else "a state dict"
        note = Noted(weakref.ref(model), type(model).__name__, "from_pretrained", source, spot, mismatched=mismatched)
        with self._silence():
            note.held = _held(model, absent | {name for name, _, _ in mismatched}, {})
        # what transformers ignores on purpose it takes out of these sets before it is done
        note.missing, note.unexpected = (lambda: sorted(info.missing_keys)), (lambda: sorted(info.unexpected_keys))
        self._keep(note)

    def _keep(self, note: Noted) -> None:
        self.noted.append(note)
        del self.noted[:-MOST]

    def _fit_transformers(self, module: ModuleType) -> None:
        base: Any = getattr(module, "PreTrainedModel", None)
        entry = vars(base).get(_ENTRANCE) if base is not None else None
        if isinstance(entry, staticmethod):  # else another version; what it loads is still seen by its origin
            self._replace(base, _ENTRANCE, staticmethod(_filling(entry.__func__, self)))

    def _fit_safetensors(self, module: ModuleType) -> None:
        self._replace(module, "load_file", _reading(module.load_file, self))

    def _replace(self, owner: Any, name: str, mine: Any) -> None:
        original = vars(owner)[name]
        setattr(owner, name, mine)
        self._undo.append(lambda: setattr(owner, name, original) if vars(owner).get(name) is mine else None)


def _held(module: torch.nn.Module, absent: set[str], stored: Mapping[str, torch.Tensor]) -> dict[str, Held]:
    """What lies in a module after a load, but for the names that got nothing."""
    found = {}
    for name, tensor in module.state_dict(keep_vars=True).items():
        if name in absent or not isinstance(tensor, torch.Tensor) or tensor.is_meta:
            continue
        if stored and name not in stored and harmless(name):
            continue  # torch fills in counters that a file lacks
        kind = str(stored[name].dtype).removeprefix("torch.") if name in stored else ""
        found[name] = Held(weakref.ref(tensor), digest(tensor), tuple(tensor.shape), tensor.dtype, kind)
    return found


def _watched(original: Callable[..., Any], watch: ArrivalWatch) -> Callable[..., Any]:
    @functools.wraps(original)
    def load_state_dict(self: Any, state_dict: Any, *args: Any, **kwargs: Any) -> Any:
        spot = watch.spot()
        result = original(self, state_dict, *args, **kwargs)
        if spot is not None and isinstance(state_dict, Mapping):
            watch.state_dict(self, state_dict, result, spot)
        return result

    return _generated(load_state_dict)


def _filling(original: Callable[..., Any], watch: ArrivalWatch) -> Callable[..., Any]:
    @functools.wraps(original)
    def _load_pretrained_model(model: Any, *args: Any, **kwargs: Any) -> Any:
        spot = watch.spot()
        result = original(model, *args, **kwargs)
        files = kwargs.get("checkpoint_files", args[1] if len(args) > 1 else None) or ()
        info = result[0] if isinstance(result, tuple) else result
        if spot is not None and isinstance(model, torch.nn.Module) and hasattr(info, "missing_keys"):
            watch.pretrained(model, files, info, spot)
        return result

    return _generated(_load_pretrained_model)


def _reading(original: Callable[..., Any], watch: ArrivalWatch) -> Callable[..., Any]:
    @functools.wraps(original)
    def load(*args: Any, **kwargs: Any) -> Any:
        found = original(*args, **kwargs)
        watch.read(args[0] if args else kwargs.get("f", kwargs.get("filename")), found)
        return found

    return _generated(load)


def _generated(function: Callable[..., Any]) -> Callable[..., Any]:
    """Filed under generated code, which the recorder looks through on its way to the user's line."""
    code: Any = function
    code.__code__ = code.__code__.replace(co_filename=_FILE)
    return function
