"""Functions that the audit hook cannot see into, replaced for a while: what writes from C++, what unpickles, what compiles."""

from __future__ import annotations

import contextlib
import pickle
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import torch

from initcheck.construct.guard.refusal import now, refuse, refuse_pickle, user_line


@contextlib.contextmanager
def changed(owner: Any, name: str, value: Any) -> Iterator[None]:
    """Gives an attribute another value for a while."""
    before = getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, before)


@contextlib.contextmanager
def replaced(note: Callable[[str], None]) -> Iterator[None]:
    """`torch.compile` of the user's hands back what it was given; writers refuse, and `torch.load` opens only weights."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(changed(torch, "compile", _uncompiled(torch.compile, note)))
        if not now.trust:
            stack.enter_context(changed(torch, "save", _refusing("saves with torch.save")))
            stack.enter_context(changed(torch.jit, "save", _refusing("saves with torch.jit.save")))
            stack.enter_context(changed(torch.jit.RecursiveScriptModule, "save", _refusing("saves a scripted module")))
            if torch.distributed.is_available():
                stack.enter_context(changed(torch.distributed, "init_process_group", _refusing("joins a group of processes")))
        stack.enter_context(changed(torch, "load", _anything(torch.load) if now.trust_pickle else _only_weights(torch.load)))
        yield


def _refusing(what: str) -> Callable[..., NoReturn]:
    def refused(*_args: Any, **_kwargs: Any) -> NoReturn:
        refuse(what)

    return refused


def _anything(original: Callable[..., Any]) -> Callable[..., Any]:
    def load(*args: Any, **options: Any) -> Any:
        return original(*args, **{"weights_only": False, **options})

    return load


def _only_weights(original: Callable[..., Any]) -> Callable[..., Any]:
    def load(f: Any, map_location: Any = None, pickle_module: Any = None, **options: Any) -> Any:  # noqa: ARG001  (torch's signature)
        try:
            return original(f, map_location, **{**options, "weights_only": True})
        except pickle.UnpicklingError:
            refuse_pickle(f)
        except RuntimeError as error:
            if "weights_only" in str(error):  # a TorchScript archive
                refuse_pickle(f)
            raise

    return load


def _uncompiled(original: Callable[..., Any], note: Callable[[str], None]) -> Callable[..., Any]:
    def compiled(model: Any = None, **options: Any) -> Any:
        if not user_line():  # a library that compiles its own functions keeps its say
            return original(model, **options)
        note("torch.compile was left out")
        return (lambda found: found) if model is None else model

    return compiled
