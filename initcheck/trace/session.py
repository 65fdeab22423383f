"""A span in which a model may be run and differentiated, and after which nothing of it is left."""

from __future__ import annotations

import random
import sys
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch

STOCHASTIC = ("drop", "stochastic")
"""Modules whose class name contains one of these are switched off, so that no branch vanishes by chance."""

LAYER_DROPS = ("layerdrop", "encoder_layerdrop", "decoder_layerdrop", "layer_drop", "layerdrop_prob", "stochastic_depth_prob")
"""Probabilities, on modules or their configurations, with which a loop of layers leaves one out; they are zero during the run."""


@contextmanager
def preserved(model: torch.nn.Module) -> Iterator[None]:
    """Training mode without randomness inside; outside, everything is as it was, whatever the model's code does.

    Restored are buffers, gradients, `requires_grad`, training flags, attributes that the forward rebinds, the random states of
    Python, NumPy and torch, default dtype, gradient mode and the compiler stance. Wrappers of `torch.compile` run eagerly.
    """
    with ExitStack() as stack:
        stack.enter_context(_states())
        stack.enter_context(_eager(model))
        stack.enter_context(_attributes(model))
        stack.enter_context(_tensors(model))
        stack.enter_context(_modes(model))
        stack.enter_context(_whole(model))
        stack.enter_context(_checkpoints())
        stack.enter_context(torch.inference_mode(mode=False))
        stack.enter_context(torch.enable_grad())
        yield


@contextmanager
def _states() -> Iterator[None]:
    python, dtype, cpu = random.getstate(), torch.get_default_dtype(), torch.get_rng_state()
    numpy: Any = sys.modules.get("numpy")
    legacy = numpy.random.get_state() if numpy is not None else None
    devices = torch.cuda.get_rng_state_all() if torch.cuda.is_available() and torch.cuda.is_initialized() else None
    try:
        yield
    finally:
        random.setstate(python)
        torch.set_default_dtype(dtype)
        torch.set_rng_state(cpu)
        if numpy is not None:
            numpy.random.set_state(legacy)
        if devices is not None:
            torch.cuda.set_rng_state_all(devices)


@contextmanager
def _eager(model: torch.nn.Module) -> Iterator[None]:
    kinds = {type(module).__name__ for module in model.modules()}
    with ExitStack() as stack:
        if "torch._dynamo" in sys.modules or "OptimizedModule" in kinds:
            stack.enter_context(torch.compiler.set_stance("force_eager"))
            stack.enter_context(warnings.catch_warnings())
            warnings.filterwarnings("ignore", message=".*global hooks on modules", category=UserWarning)
        if any(isinstance(module, torch.jit.ScriptModule) for module in model.modules()):
            stack.enter_context(torch.jit.optimized_execution(False))
        yield


@contextmanager
def _attributes(model: torch.nn.Module) -> Iterator[None]:
    """Plain attributes that the forward sets (caches, last attention maps) would keep the whole run alive."""
    plain = [
        module for module in model.modules() if not isinstance(module, (torch.jit.ScriptModule, torch.nn.modules.lazy.LazyModuleMixin))
    ]
    saved = [(module, dict(module.__dict__)) for module in plain]
    try:
        yield
    finally:
        for module, before in saved:
            now = module.__dict__
            for name in [name for name in now if name not in before]:
                del now[name]
            now.update({name: value for name, value in before.items() if now.get(name, before) is not value})


@contextmanager
def _tensors(model: torch.nn.Module) -> Iterator[None]:
    buffers = [
        (module, name, buffer, buffer.detach().clone())
        for module in model.modules()
        for name, buffer in module._buffers.items()  # noqa: SLF001
        if buffer is not None and buffer.layout == torch.strided and not (buffer.is_inference() or buffer.is_meta)
    ]
    parameters = [(parameter, parameter.grad, parameter.requires_grad) for parameter in model.parameters()]
    for parameter, _, _ in parameters:
        parameter.grad = None
    try:
        yield
    finally:
        for module, name, buffer, copy in buffers:
            # the version counter would not tell: batch normalization writes its statistics without it
            with torch.no_grad():
                if not torch.equal(buffer, copy):
                    buffer.detach().copy_(copy)
            if not isinstance(module, torch.jit.ScriptModule):
                module._buffers[name] = buffer  # noqa: SLF001
        for parameter, gradient, required in parameters:
            if parameter.requires_grad != required:  # tensors made in inference mode refuse even what changes nothing
                parameter.requires_grad_(required)
            parameter.grad = gradient


@contextmanager
def _modes(model: torch.nn.Module) -> Iterator[None]:
    modules = list(model.modules())
    flags = [module.training for module in modules]
    for module in modules:
        kind = type(module).__name__.lower()
        module.training = not any(word in kind for word in STOCHASTIC)
    try:
        yield
    finally:
        for module, flag in zip(modules, flags, strict=True):
            module.training = flag


@contextmanager
def _whole(model: torch.nn.Module) -> Iterator[None]:
    """No layer is left out by chance."""
    holders = {id(holder): holder for module in model.modules() for holder in (module, getattr(module, "config", None))}
    saved = [
        (holder, name, value)
        for holder in holders.values()
        for name in LAYER_DROPS
        if isinstance(value := getattr(holder, "__dict__", {}).get(name), float) and value > 0
    ]
    for holder, name, _ in saved:
        setattr(holder, name, 0.0)
    try:
        yield
    finally:
        for holder, name, value in saved:
            setattr(holder, name, value)


@contextmanager
def _checkpoints() -> Iterator[None]:
    """Reentrant checkpoints hide their inside from autograd until the backward; during the run they are plain calls."""
    module: Any = sys.modules.get("torch.utils.checkpoint")
    function = getattr(module, "CheckpointFunction", None)
    if function is None:
        yield
        return
    function.apply = staticmethod(lambda run, _preserve, *args: run(*args))
    try:
        yield
    finally:
        del function.apply
