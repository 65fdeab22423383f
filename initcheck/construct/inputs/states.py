"""Hidden states that the model makes itself, by a method such as `init_hidden(batch_size)`."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.nn import Module

from initcheck.construct.inputs.source.syntax import forward_source, receiver

_STATES = re.compile(
    r"^(prev_|last_|initial_|init_)?(hidden|hiddens|state|states|hx|h0|h_0|hidden_state|rnn_state|rnn_hidden)(_state|s|_0)?$"
)
_MAKERS = re.compile(r"^(init|reset|get|zero|make|begin|create|initialize)_?(zero_|initial_|init_)?(hidden|state|rnn)\w*$", re.IGNORECASE)


def made_state(model: Module, name: str, batch: int) -> tuple[Any, int] | None:
    """The state that the model makes for an argument of that name, and its number of samples; `None` when it makes none."""
    if not _STATES.match(name.lower()):
        return None
    for maker in _makers(model):
        for given in _arguments(model, maker, batch):
            value = _called(model, maker, given)
            if value is not None and _is_state(value):
                return value, batch if given else 1
    return None


def keeps_state(model: Module) -> bool:
    """Whether a method of the model sets the state that its forward reads from an attribute."""
    return any(_sets_attribute(model, maker) for maker in _makers(model))


@contextmanager
def fresh_state(model: Module, batch: int) -> Iterator[None]:
    """Calls the method that sets the state before every run, so that no run goes on from the one before."""
    makers = [maker for maker in _makers(model) if _sets_attribute(model, maker)]

    def reset(*_: Any) -> None:
        for maker in makers[:1]:
            for given in _arguments(model, maker, batch):
                if _called(model, maker, given, keep=True) is not None:
                    break

    before = dict(model.__dict__)
    handle = model.register_forward_pre_hook(reset)
    try:
        yield
    finally:
        handle.remove()
        for name in set(model.__dict__) - set(before):
            del model.__dict__[name]


def _makers(model: Module) -> list[str]:
    return [name for name in dir(type(model)) if _MAKERS.match(name) and inspect.isfunction(getattr(type(model), name, None))]


def _arguments(model: Module, maker: str, batch: int) -> Iterator[tuple[Any, ...]]:
    """What the method may be given: the number of samples where it asks for it, nothing else."""
    try:
        signature = inspect.signature(getattr(model, maker))
    except (TypeError, ValueError):
        return
    listed = [p for p in signature.parameters.values() if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    required = [parameter for parameter in listed if parameter.default is parameter.empty]
    if listed and len(required) <= 1 and any(word in listed[0].name.lower() for word in ("batch", "bsz", "bs", "size", "n")):
        yield (batch,)
    elif len(required) == 2 and "device" in required[1].name:
        yield (batch, torch.device("cpu"))
    if not required:
        yield ()


def _called(model: Module, maker: str, given: tuple[Any, ...], *, keep: bool = False) -> Any:
    before = dict(model.__dict__)
    try:
        with torch.no_grad():
            value = getattr(model, maker)(*given)
    except Exception:  # noqa: BLE001  (the user's method may want anything; then there is no state)
        return None
    if keep:
        return True if value is None else value
    for name in set(model.__dict__) - set(before):
        del model.__dict__[name]
    model.__dict__.update(before)
    return value


def _is_state(value: Any) -> bool:
    if isinstance(value, (tuple, list)):
        return bool(value) and all(_is_state(item) for item in value)
    return isinstance(value, Tensor) and value.dim() > 0


def _sets_attribute(model: Module, maker: str) -> bool:
    function = forward_source(model, maker)
    forward = forward_source(model)
    if function is None or forward is None:
        return False
    names = _attributes(function, ast.Store)
    return bool(names & _attributes(forward, ast.Load))


def _attributes(function: ast.FunctionDef, context: type[ast.expr_context]) -> set[str]:
    owner = receiver(function)
    return {
        node.attr
        for node in ast.walk(function)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, context) and isinstance(node.value, ast.Name) and node.value.id == owner
    }
