"""Reads the Python stack at the moment of a write: which function asked, for whom, and on which line."""

from __future__ import annotations

import itertools
import linecache
import os
import sysconfig
from collections.abc import Collection
from enum import Enum, auto
from pathlib import Path
from types import CodeType, FrameType
from typing import NamedTuple, TypeAlias

import torch
from torch.nn.parameter import is_lazy

from initcheck.records.recording import InitCall, Origin
from initcheck.records.source import Location

Spot: TypeAlias = tuple[CodeType, int]
"""A code object and the offset of the instruction that it stands at; cheap to keep, read later by `location`."""


class Kind(Enum):
    """Whose code a frame runs."""

    INIT = auto()
    """A public function of torch.nn.init."""
    FRAMEWORK = auto()
    """The layers of torch.nn: what they write is a framework default."""
    LOADER = auto()
    COPIER = auto()
    ABSENT = auto()
    """What stands in for loading trained weights that are not here."""
    NEUTRAL = auto()
    """The rest of torch, the standard library, and wrappers that only forward to torch.nn.init."""
    LIBRARY = auto()
    USER = auto()
    OWN = auto()


class Trace(NamedTuple):
    """What the stack says about one operation.

    `call` is the function of torch.nn.init that is running, `helper` the outermost other function named `..._` that was handed the
    written tensor; `instance` is the same for all operations of one run of such a function. `site` is the nearest
    line outside torch, `user` the nearest line of the user.
    """

    call: InitCall | None
    helper: InitCall | None
    instance: tuple[int, CodeType, int] | None
    origin: Origin
    framework: bool
    site: Spot | None
    user: Spot | None
    copied: bool
    loaded: bool
    absent: bool = False


TORCH = f"{Path(torch.__file__).parent}{os.sep}"
LAYERS = f"{Path(TORCH, 'nn')}{os.sep}"
OWN = f"{Path(__file__).parent.parent}{os.sep}"
STANDARD = tuple({f"{sysconfig.get_path(name)}{os.sep}" for name in ("stdlib", "platstdlib")})
PACKAGES = (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}")
SAFETENSORS = f"{os.sep}safetensors{os.sep}"
WRAPPERS = (str(Path("transformers", "initialization.py")),)
INIT_FILE, SERIALIZATION = str(Path(LAYERS, "init.py")), str(Path(TORCH, "serialization.py"))
TRANSPARENT = {str(Path(LAYERS, name)) for name in ("parameter.py", "functional.py", "modules/module.py")}
GENERATED = ("<frozen ", "<string>", "<eval_with_key>", "<__array_function__")
WATCHES = "<frozen initcheck."
LEFT_OUT_FILE = "<frozen initcheck.left_out>"
LOADING = {"load_state_dict", "_load_from_state_dict", "_load_state_dict_into_meta_model", "convert_and_load_state_dict_in_model"}

OUTSIDE = (Kind.LIBRARY, Kind.USER)

_kinds: dict[CodeType, Kind] = {}


def storage_key(tensor: torch.Tensor) -> int | None:
    """The identity of a tensor's memory while that memory lives; None for tensors without storage (sparse, lazy)."""
    if is_lazy(tensor):
        return None
    try:
        return int(tensor.untyped_storage()._cdata)  # noqa: SLF001  (torch has no public name for it)
    except (NotImplementedError, RuntimeError):
        return None


def capture(frame: FrameType | None, written: Collection[int]) -> Trace:
    """Walk outwards from the operation to the nearest line of the user.

    `written` holds the storage keys that the operation wrote; a helper is recognised by holding one of them as an argument.
    """
    init = helper = None
    seen: set[Kind] = set()
    while frame is not None and (kind := _kinds.get(frame.f_code) or _classify(frame.f_code)) is not Kind.OWN:
        if kind is Kind.INIT:
            init = frame
        elif kind in OUTSIDE:
            if init is not None or not _is_helper(frame, written):
                break
            helper = frame
        seen.add(kind)
        frame = frame.f_back
    outer = init or helper
    site, origin, user = _askers(frame)
    return Trace(
        call=arguments(init) if init else None,
        helper=arguments(helper) if helper else None,
        instance=_instance(outer) if outer else None,
        origin="framework default" if Kind.FRAMEWORK in seen else origin,
        framework=Kind.FRAMEWORK in seen,
        site=site,
        user=user,
        copied=Kind.COPIER in seen,
        loaded=Kind.LOADER in seen,
        absent=Kind.ABSENT in seen,
    )


def _askers(frame: FrameType | None) -> tuple[Spot | None, Origin, Spot | None]:
    """The nearest line outside torch, whose it is, and the nearest line of the user."""
    site: Spot | None = None
    origin: Origin = "unknown"
    while frame is not None and (kind := _kinds.get(frame.f_code) or _classify(frame.f_code)) is not Kind.OWN:
        if kind in OUTSIDE:
            if site is None:
                site, origin = (frame.f_code, frame.f_lasti), "user" if kind is Kind.USER else "library"
            if kind is Kind.USER:
                return site, origin, (frame.f_code, frame.f_lasti)
        frame = frame.f_back
    return site, origin, None


def arguments(frame: FrameType) -> InitCall:
    """The call that a frame is running, with every plain argument, defaults included."""
    code = frame.f_code
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    values = frame.f_locals
    kwargs = tuple((name, value) for name in names if is_plain(value := values.get(name, frame)))
    return InitCall(code.co_name, kwargs)


def is_plain(value: object) -> bool:
    """Whether a value can stand in an `InitCall`."""
    return isinstance(value, (str, int, float, bool))


def location(spot: Spot | None) -> Location | None:
    """The source place of a spot, with the columns of the call if the code object knows them."""
    if spot is None:
        return None
    code, offset = spot
    places = next(itertools.islice(code.co_positions(), max(offset, 0) // 2, None), (None,) * 4)
    line, end_line, start, end = places
    if line is None:
        return Location(code.co_filename, code.co_firstlineno, function=code.co_qualname)
    column = _column(code.co_filename, line, start)
    end_column = _column(code.co_filename, line, end) if end_line == line else 0
    return Location(code.co_filename, line, column, end_column, code.co_qualname)


def _column(path: str, line: int, offset: int | None) -> int:
    if offset is None:
        return 0
    text = linecache.getline(path, line)
    if text.isascii():
        return offset + 1
    return len(text.encode()[:offset].decode(errors="ignore")) + 1


def _instance(frame: FrameType) -> tuple[int, CodeType, int]:
    outer = frame.f_back or frame
    return id(frame), outer.f_code, outer.f_lasti


def _is_helper(frame: FrameType, written: Collection[int]) -> bool:
    code = frame.f_code
    if not code.co_name.endswith("_") or code.co_name.endswith("__") or not code.co_argcount:
        return False
    values = frame.f_locals
    candidates = (values.get(name) for name in code.co_varnames[: min(code.co_argcount, 2)])
    return any(isinstance(value, torch.Tensor) and storage_key(value) in written for value in candidates)


def kind_of(code: CodeType) -> Kind:
    """Whose code this is."""
    return _kinds.get(code) or _classify(code)


def asked_by(frame: FrameType | None) -> Kind:
    """Whose code calls, with what initcheck put in between looked through."""
    while frame is not None and frame.f_code.co_filename.startswith(WATCHES):
        frame = frame.f_back
    return kind_of(frame.f_code) if frame is not None else Kind.OWN


def _classify(code: CodeType) -> Kind:
    kind = _kinds[code] = _kind(code, code.co_filename)
    return kind


def _kind(code: CodeType, path: str) -> Kind:
    name = code.co_name
    if path.startswith(TORCH):
        return _torch_kind(name, path)
    if path.startswith(OWN):
        return Kind.OWN
    if any(part in path for part in PACKAGES):
        if path.endswith(WRAPPERS):
            return Kind.NEUTRAL
        return Kind.LOADER if name in LOADING or SAFETENSORS in path else Kind.LIBRARY
    if path == LEFT_OUT_FILE:
        return Kind.ABSENT
    if path.startswith((*STANDARD, *GENERATED)):
        return Kind.COPIER if name == "deepcopy" else Kind.NEUTRAL
    return Kind.USER


def _torch_kind(name: str, path: str) -> Kind:
    if path == INIT_FILE:
        return Kind.INIT if name.endswith("_") and not name.startswith("_") else Kind.NEUTRAL
    if name == "__deepcopy__":
        return Kind.COPIER
    if name in LOADING or path == SERIALIZATION:
        return Kind.LOADER
    return Kind.FRAMEWORK if path.startswith(LAYERS) and path not in TRANSPARENT else Kind.NEUTRAL
