"""What is run of a model that has no forward(): the method that leads through most of its layers."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch.nn import Module

from initcheck.construct.inputs.source.syntax import forward_source

_NOT_RUN = ("training", "validation", "test", "predict", "configure", "setup", "on", "load", "save", "reset", "init", "set", "loss")
"""First words of methods that are no way through a model."""


@contextmanager
def entered(model: Module) -> Iterator[str]:
    """Lets a model without forward() run as its best method while the context lasts; gives the name of that method, else ''."""
    found = "" if getattr(type(model), "forward", None) is not Module.forward or "forward" in vars(model) else _best(model)
    if not found:
        yield ""
        return
    model.__dict__["forward"] = getattr(model, found)
    try:
        yield found
    finally:
        model.__dict__.pop("forward", None)


def _best(model: Module) -> str:
    """The public method with an input that names most of the model's own layers; the first one of equals."""
    children = {name for name, _ in model.named_children()} | set(model._parameters)  # noqa: SLF001  (attributes would run properties)
    scores = {name: len(children & _attributes(model, name)) for name in _methods(model)}
    best = max(scores, key=lambda name: scores[name], default="")
    return best if best and scores[best] else ""


def _methods(model: Module) -> Iterator[str]:
    for kind in type(model).__mro__:
        if kind is Module:
            return
        for name, member in vars(kind).items():
            public = not name.startswith("_") and name.split("_")[0] not in _NOT_RUN
            if public and inspect.isfunction(member) and _takes_an_input(member):
                yield name


def _takes_an_input(function: Any) -> bool:
    """One argument that must be given after `self`, or more."""
    rest = list(inspect.signature(function).parameters.values())[1:]
    return any(one.default is one.empty and one.kind is one.POSITIONAL_OR_KEYWORD for one in rest)


def _attributes(model: Module, name: str) -> set[str]:
    function = forward_source(model, name)
    return set() if function is None else {node.attr for node in ast.walk(function) if isinstance(node, ast.Attribute)}
