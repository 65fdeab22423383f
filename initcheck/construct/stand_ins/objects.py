"""The objects that missing packages consist of: callable, usable in annotations, as decorator and as base class, and refused as values."""

from __future__ import annotations

import sys
import types
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, NoReturn

import torch

from initcheck.construct.recording.frames import STANDARD
from initcheck.construct.stand_ins.bases import base_for
from initcheck.construct.stand_ins.equivalents import equivalent, has_equivalents, passed_through
from initcheck.construct.stand_ins.imports import decorated
from initcheck.construct.stand_ins.missing import Site, needed, user_site
from initcheck.construct.stand_ins.nesting import NESTED, members
from initcheck.construct.stand_ins.packages import watches, weightless
from initcheck.construct.stand_ins.settings_objects import SETTINGS
from initcheck.errors import TargetError

_MAKES_CONSTRUCTORS = frozenset({"attr", "attrs", "pydantic", "chex", "simple_parsing", "marshmallow_dataclass"})
"""Packages whose class decorators write the constructor, so that a class without them is another class."""


@dataclass(frozen=True, slots=True)
class About:
    """What a stand-in stands for: `wandb.init().config`. `made` is the line of the user's that called something to get it."""

    name: str
    package: str
    made: Site | None = None
    absent: TargetError | None = None
    """The error to raise instead, for what is missing without being a package."""

    def member(self, suffix: str) -> About:
        """The same for something reached from it."""
        return replace(self, name=self.name + suffix)

    def error(self, site: Site | None) -> TargetError:
        """The error for a model that needs it."""
        return self.absent or needed(self.name, self.package, site)

    @property
    def maker(self) -> str:
        """The last name before the first call."""
        return self.name.split("(", 1)[0].rsplit(".", 1)[-1]

    @property
    def weightless(self) -> bool:
        """Whether a module may keep it: it was not made by a call, or by one that makes no weights."""
        return self.made is None or weightless(self.package, self.maker)


class StandIn:
    """Something of a package that is not installed.

    Its attributes, items and results are stand-ins again. Used as a number, a size, a truth value, a sequence or a tensor it
    raises `MissingImport` with the user's line, for what depends on it is not known.
    """

    def __init__(self, about: About) -> None:
        self.__dict__.update(_initcheck=about, __name__=about.name.rsplit(".", 1)[-1], __qualname__=about.name, __doc__=None)

    def __repr__(self) -> str:
        return f"<{about(self).name}, not installed>"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        known = about(self)
        found = self.__dict__[name] = StandIn(known.member(f".{name}"))
        return found

    def __getitem__(self, key: Any) -> Any:
        stored = self.__dict__.get("_items", {})
        if isinstance(key, (str, int)) and key in stored:
            return stored[key]
        return StandIn(about(self).member(f"[{key!r}]" if isinstance(key, (str, int)) else "[...]"))

    def __setitem__(self, key: Any, value: Any) -> None:
        self.__dict__.setdefault("_items", {})[key] = value

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Under a decorator what is decorated, else a stand-in for the result; refused when it is handed tensors or modules."""
        known, site = about(self), user_site()
        if len(args) == 3 and isinstance(args[0], str) and isinstance(args[1], tuple) and isinstance(args[2], dict):
            return type(args[0], args[1], args[2])  # as a metaclass
        if len(args) == 1 and not kwargs and _decorates(args[0], site):
            if known.package in _MAKES_CONSTRUCTORS:
                raise known.error(site)
            return args[0]
        if _live((*args, *kwargs.values())) and not watches(known.package):
            passed = passed_through(known.name, args)
            if passed is None:
                raise known.error(site)
            return passed[0]
        return StandIn(replace(known, name=f"{known.name}()", made=site or known.made))

    def __mro_entries__(self, bases: tuple[Any, ...]) -> tuple[type, ...]:
        if "_base" not in self.__dict__:
            known = about(self)
            if known.package in _MAKES_CONSTRUCTORS:
                raise known.error(user_site())
            self.__dict__["_base"] = base_for(known.name, known.package)
        return (self.__dict__["_base"],)

    def __instancecheck__(self, instance: object) -> bool:
        base = self.__dict__.get("_base")
        return base is not None and isinstance(instance, base)

    def __subclasscheck__(self, kind: type) -> bool:
        base = self.__dict__.get("_base")
        return base is not None and issubclass(kind, base)

    def __or__(self, other: object) -> Any:
        return StandIn(about(self).member(" | ..."))

    __ror__ = __or__

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def __deepcopy__(self, _memo: object) -> Any:
        return self

    def __copy__(self) -> Any:
        return self

    def __hash__(self) -> int:
        return id(self)

    def __eq__(self, other: object) -> bool:
        if other is self:
            return True
        if other is None or sys._getframe(1).f_code.co_filename.startswith(STANDARD):  # `inspect` compares what it is given
            return False
        return self._refuse()

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __bool__(self) -> bool:
        return False if watches(about(self).package) else self._refuse()

    @classmethod
    def __torch_function__(cls, _func: Any, _types: Any, args: Any = (), kwargs: Any = None) -> Any:
        found = next((stand_ins((*args, *(kwargs or {}).values()))), None)
        if found is None:
            return NotImplemented
        return found._refuse()  # noqa: SLF001  (its own)

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        known = about(self)
        raise known.error(user_site() or known.made)

    keys = __array__ = _refuse
    __iter__ = __len__ = __contains__ = __reversed__ = _refuse
    __int__ = __float__ = __index__ = __complex__ = __round__ = __neg__ = __abs__ = __invert__ = _refuse
    __lt__ = __le__ = __gt__ = __ge__ = _refuse
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = _refuse
    __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = __pow__ = __rpow__ = __matmul__ = __rmatmul__ = _refuse
    __and__ = __rand__ = __xor__ = __rxor__ = __lshift__ = __rshift__ = _refuse


class StandInModule(types.ModuleType):
    """A package or module that is not installed. Names that have an exact equivalent give that instead."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.__path__: list[str] = []
        self.__all__: tuple[str, ...] = ()
        self.used: list[str] = []
        """The dotted names for which an equivalent was given."""
        self._given = SETTINGS[name]() if name in SETTINGS else {}

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        dotted = f"{self.__name__}.{name}"
        found = self._given[name] if name in self._given else equivalent(self.__name__, name)
        if found is not None:
            self.used.append(dotted)
        elif has_equivalents(dotted):
            found = StandInModule(dotted)
            found.used = self.used
        else:
            found = StandIn(About(dotted, self.__name__.partition(".")[0]))
        setattr(self, name, found)
        return found


def about(stand_in: StandIn) -> About:
    """What a stand-in stands for."""
    known = stand_in.__dict__["_initcheck"]
    assert isinstance(known, About)
    return known


def stand_ins(values: Iterable[Any]) -> Iterator[StandIn]:
    """The stand-ins among some values and in the lists, tuples, sets and dictionaries among them."""
    return (value for value in members(values) if type(value) is StandIn)


def bases_in(modules: Iterable[StandInModule]) -> list[str]:
    """The dotted names of missing module classes that classes of the user derive from."""
    members = [item for module in modules for item in vars(module).values() if type(item) is StandIn]
    bases = [item.__dict__["_base"] for item in members if "_base" in item.__dict__]
    return [base.stands_for for base in bases if issubclass(base, torch.nn.Module)]


def _live(values: tuple[Any, ...], depth: int = 1) -> bool:
    """Whether tensors or modules are among some values."""
    for value in values[:NESTED]:
        if isinstance(value, (torch.Tensor, torch.nn.Module)):
            return True
        if depth and isinstance(value, (list, tuple)) and _live(tuple(value[:NESTED]), depth - 1):
            return True
        if depth and isinstance(value, dict) and _live(tuple(value.values()), depth - 1):
            return True
    return False


def _decorates(thing: object, site: Site | None) -> bool:
    """Whether a call is that of a decorator, and `thing` what stands under it."""
    name = getattr(thing, "__name__", None)
    if site is None or type(thing) is StandIn or not isinstance(name, str):
        return False
    marked = decorated(site.path, site.line)
    if marked is None:
        return isinstance(thing, (type, types.FunctionType)) and not thing.__module__.startswith("torch")
    return name in marked
