"""Whether a stand-in is behind a failure, or sits in a model that was built."""

from __future__ import annotations

import re
import sys
import traceback
from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias

import torch

from initcheck.construct.recording.frames import Kind, kind_of
from initcheck.construct.stand_ins.bases import Absent
from initcheck.construct.stand_ins.imports import names_on, stars
from initcheck.construct.stand_ins.missing import MissingImport, Site, needed
from initcheck.construct.stand_ins.nesting import members
from initcheck.construct.stand_ins.objects import StandIn, StandInModule, about, stand_ins
from initcheck.construct.stand_ins.unloaded import Unloaded
from initcheck.errors import TargetError, causes

_Strange: TypeAlias = StandIn | Unloaded
_CALL = re.compile(r"(\w+)\(\)[ :] ?(takes|received|argument)")
_HELD = frozenset({"_parameters", "_buffers", "_modules"})


def behind(error: BaseException) -> TargetError | None:
    """The missing import that a failure comes from, None when it comes from something else."""
    for cause in causes(error):
        if isinstance(cause, TargetError):
            return cause
    if isinstance(error, NameError) and error.name:
        return _starred(error, error.name)
    return _handed_on(error)


def _handed_on(error: BaseException) -> TargetError | None:
    """A stand-in among the arguments of the library's function that failed, or on the line of the user's that a message is about."""
    site: Site | None = None
    handed: _Strange | None = None
    near: list[_Strange] = []
    names: tuple[str, ...] = ()
    for frame, line in traceback.walk_tb(error.__traceback__):
        kind = kind_of(frame.f_code)
        if kind is Kind.USER:
            site, handed = Site(frame.f_code.co_filename, line), None
            space = {**frame.f_globals, **frame.f_locals}
            names = names_on(frame.f_code.co_filename, line)
            near = list(_strange(_value(space, chain) for chain in names))
        else:
            names = ()
        if kind not in (Kind.USER, Kind.OWN) and handed is None:
            handed = next(_strange(frame.f_locals.values()), None)
    told = any(kind.__name__ in str(error) for kind in (StandIn, Unloaded)) or ", not installed>" in str(error)
    if handed is None and near and (told or _of_torch(error, names)):
        handed = near[0]
    if handed is None:
        return None
    return about(handed).error(site) if isinstance(handed, StandIn) else handed.absence.needed(site)


def _strange(values: Iterable[Any]) -> Iterator[_Strange]:
    return (value for value in members(values) if isinstance(value, (StandIn, Unloaded)))


def _of_torch(error: BaseException, names: tuple[str, ...]) -> bool:
    """Whether a function of torch on the line itself could not read its arguments; it does not say which."""
    called = _CALL.match(str(error))
    return called is not None and any(name.startswith("torch.") and name.endswith(f".{called[1]}") for name in names)


def _value(space: dict[str, Any], chain: str) -> object:
    """What a dotted name stands for, as far as it leads over stand-ins; looking an attribute up elsewhere might run code."""
    first, *rest = chain.split(".")
    found = space.get(first)
    for part in rest:
        if not isinstance(found, (StandIn, StandInModule)):
            return None
        found = getattr(found, part, None)
    return found


def _starred(error: NameError, name: str) -> MissingImport | None:
    frames = [(frame, line) for frame, line in traceback.walk_tb(error.__traceback__) if kind_of(frame.f_code) is Kind.USER]
    for frame, line in reversed(frames[-1:]):
        for module, _ in stars(frame.f_code.co_filename):
            if isinstance(sys.modules.get(module), StandInModule):
                return needed(f"{module}.{name}", module.partition(".")[0], Site(frame.f_code.co_filename, line))
    return None


def refuse_stand_ins(made: object) -> None:
    """Raises when what was built is a stand-in, or a module of it holds one in the place of a layer.

    Raises:
        MissingImport: names the line that made it.
    """
    if isinstance(made, StandIn):
        known = about(made)
        raise known.error(known.made)
    if isinstance(made, Unloaded):
        raise made.absence.needed()
    if isinstance(made, Absent) and not isinstance(made, torch.nn.Module):
        raise needed(made.stands_for, made.package, None)
    if not isinstance(made, torch.nn.Module):
        return
    for module in made.modules():
        values = [value for key, value in vars(module).items() if key not in _HELD]
        for found in stand_ins([module._buffers, module._parameters]):  # noqa: SLF001  (torch takes for a tensor what acts like one)
            raise about(found).error(about(found).made)
        for found in stand_ins(values):
            known = about(found)
            if not known.weightless:
                raise known.error(known.made)
        for hidden in _plain(values):
            raise needed(hidden.stands_for, hidden.package, None)


def _plain(values: list[Any]) -> Iterator[Absent]:
    """Objects of classes with a missing base that hold modules which the model does not know of."""
    for value in values:
        held = isinstance(value, Absent) and not isinstance(value, torch.nn.Module)
        if held and any(isinstance(item, (torch.nn.Module, torch.nn.Parameter)) for item in vars(value).values()):
            yield value
