"""A model from an importable module: a package of the user, or a library that builds models by name."""

from __future__ import annotations

import difflib
from contextlib import AbstractContextManager
from types import ModuleType

import torch

from initcheck.construct.arguments.literal import build, resolve
from initcheck.construct.blame import explained
from initcheck.construct.catalogues import CATALOGUES, builder
from initcheck.construct.configurations import hugging_face
from initcheck.construct.made import Construction, Notes, offered_inputs, the_module
from initcheck.construct.roots import imported
from initcheck.errors import TargetError
from initcheck.records.target import Built, Target

__all__ = ["from_module", "hugging_face"]


def from_module(target: Target, watch: AbstractContextManager[object], notes: Notes) -> Construction:
    """The model that an importable name makes.

    Raises:
        TargetError: when the module, or the name in it, is not there, or its code fails.
    """
    if target.path in CATALOGUES:
        return _from_catalogue(target, watch, notes)
    with explained(target):
        module = imported(target.path)
        _check_name(target, module)
        with watch:
            found = resolve(target, module.__dict__)
            model = build(target, found)
        inputs = offered_inputs(module.__dict__)
    call = "" if isinstance(found, torch.nn.Module) else f"({target.arguments})"
    built = Built(f"{target.qualname}{call}", notes=tuple(notes.said))
    return Construction(the_module(target, model), built, inputs)


def _from_catalogue(target: Target, watch: AbstractContextManager[object], notes: Notes) -> Construction:
    with explained(target):
        make = builder(target)
        with watch:
            model = make()
    built = Built(f"{target.qualname}({target.arguments})", notes=tuple(notes.said))
    return Construction(the_module(target, model), built)


def _check_name(target: Target, module: ModuleType) -> None:
    """Corrects a misspelt name.

    Raises:
        TargetError: when the module has nothing of this name; names what it offers.
    """
    first = target.qualname.partition(".")[0]
    if hasattr(module, first):
        return
    own = [name for name, value in vars(module).items() if getattr(value, "__module__", "") == module.__name__ or _is_model(value)]
    near = difflib.get_close_matches(first, own, 1)
    offered = ", ".join(own[:6]) or "nothing that builds a model"
    hint = f"did you mean {target.path}:{near[0]}?" if near else f"it offers: {offered}"
    raise TargetError(f"{target.path} has no {first}", hint, name="unknown-name")


def _is_model(value: object) -> bool:
    return isinstance(value, torch.nn.Module)
