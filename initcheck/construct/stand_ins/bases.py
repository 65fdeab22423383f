"""Base classes in place of those of missing packages."""

from __future__ import annotations

import re
from typing import Any

import torch

from initcheck.construct.stand_ins.lightning import Lightning
from initcheck.construct.stand_ins.missing import MissingAttribute, needed, user_site

_LIGHTNING = frozenset({"LightningModule"})
_MODULES = frozenset({"mmengine.BaseModule", "mmcv.BaseModule", "diffusers.ModelMixin"})
"""Subclasses of nn.Module that bring no layers of their own, as package and class."""
_INERT = re.compile(
    r"(Dataset|DataModule|Env|Wrapper|Callback|HubMixin|ConfigMixin|Sampler|Transform|Logger|Enum|Error|Exception|Warning|Protocol"
    r"|Interface|Tokenizer|Trainer|Evaluator|Metric|Visitor|Task|Action)$"
)
"""Names of base classes from which a model takes neither layers nor sizes."""


class Absent:
    """The mark of a class that derives from a missing one; `stands_for` is the dotted name, `package` its first part."""

    stands_for = ""
    package = ""


class _Inert(Absent):
    """Takes any arguments and does nothing with them."""

    def __init__(self, *_args: Any, **_kwargs: Any) -> None:
        super().__init__()

    def __init_subclass__(cls, **_kwargs: Any) -> None:
        super().__init_subclass__()


class _Refusing(Absent):
    """May be derived from; making an instance raises `MissingImport`."""

    def __new__(cls, *_args: Any, **_kwargs: Any) -> Any:
        raise needed(cls.stands_for, cls.package, user_site())

    def __init_subclass__(cls, **_kwargs: Any) -> None:
        super().__init_subclass__()


class _Module(torch.nn.Module, Absent):
    """A module whose base class added no layers."""

    def __init__(self, *_args: Any, **_kwargs: Any) -> None:
        super().__init__()
        for name in ("init_cfg",):
            if _kwargs.get(name):
                raise needed(self.stands_for, self.package, user_site())

    def __init_subclass__(cls, **_kwargs: Any) -> None:
        super().__init_subclass__()

    def __getattr__(self, name: str) -> Any:
        return _attribute(self, name)


class _LightningModule(Lightning, Absent):
    def __getattr__(self, name: str) -> Any:
        return _attribute(self, name)


def base_for(name: str, package: str) -> type:
    """The class to derive from instead of a missing one."""
    last = name.rsplit(".", 1)[-1]
    if last in _LIGHTNING:
        kind: type = _LightningModule
    elif f"{package}.{last}" in _MODULES:
        kind = _Module
    else:
        kind = _Inert if _INERT.search(last) else _Refusing
    return type(last, (kind,), {"stands_for": name, "package": package})


def _attribute(module: Any, name: str) -> Any:
    try:
        return torch.nn.Module.__getattr__(module, name)
    except AttributeError:
        if name.startswith("_"):
            raise
        raise needed(f"{module.stands_for}.{name}", module.package, user_site(), MissingAttribute) from None
