"""What `torch.cuda` answers where there is no accelerator: enough to go on, on the CPU."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import torch

from initcheck.construct.guard import changed
from initcheck.construct.recording.frames import Kind, kind_of
from initcheck.construct.stand_ins.imports import demanded
from initcheck.construct.stand_ins.missing import user_frame

ACCELERATORS = frozenset({"cuda", "mps", "xpu", "hpu", "npu", "xla", "mlu", "hip", "mtia", "privateuseone"})
"""Types of devices that are answered with the CPU."""
_TYPED = ("Float", "Double", "Half", "BFloat16", "Long", "Int", "Short", "Char", "Byte", "Bool")
_NOTHING = (
    "synchronize ipc_collect reset_peak_memory_stats reset_max_memory_allocated set_stream init set_rng_state set_rng_state_all"
    " set_per_process_memory_fraction manual_seed manual_seed_all empty_cache"
)

Tell = Callable[[str], None]


class Typed:
    """`torch.cuda.FloatTensor` and its like: makes tensors of the same type on the CPU."""

    def __init__(self, plain: Any, tell: Tell) -> None:
        self.plain = plain
        self._tell = tell

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """The tensor that the plain type makes."""
        self._tell("cuda")
        return self.plain(*args, **kwargs)

    def __instancecheck__(self, instance: object) -> bool:
        return False


class Idle:
    """A stream or an event that nothing waits for, or a block of code for one device."""

    def __init__(self, *_args: Any, **_kwargs: Any) -> None:
        self.cuda_stream = 0

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return lambda *_args, **_kwargs: None

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: object) -> None:
        return None


class _Like(type):
    """A class whose instances are those of another one, for `isinstance`."""

    original: Any = object

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, cls.original)


def is_accelerator(value: object) -> bool:
    """Whether a value names a device other than the CPU."""
    if isinstance(value, torch.device):
        return value.type in ACCELERATORS
    return isinstance(value, str) and value.split(":")[0] in ACCELERATORS


def plain_type(value: object) -> object:
    """A tensor type of the accelerator as that of the CPU; anything else as it is."""
    if isinstance(value, Typed):
        return value.plain
    if isinstance(value, str) and value.startswith("torch.cuda."):
        return value.replace("torch.cuda.", "torch.")
    return value


@contextlib.contextmanager
def unaccelerated(tell: Tell) -> Iterator[None]:
    """Inside, `torch.cuda` and what chooses defaults answer for the CPU; `tell` is called with the device that was asked for."""
    cuda: Any = torch.cuda
    answers: dict[str, Any] = {
        "current_device": lambda: 0,
        "set_device": lambda *_: tell("cuda"),
        "get_device_name": lambda *_: "cpu",
        "get_device_capability": lambda *_: (0, 0),
        "get_device_properties": lambda *_: SimpleNamespace(name="cpu", total_memory=0, major=0, minor=0, multi_processor_count=0),
        "mem_get_info": lambda *_: (0, 0),
        "get_rng_state": lambda *_: torch.get_rng_state(),
        "Stream": Idle,
        "Event": Idle,
        "current_stream": Idle,
        "default_stream": Idle,
        "stream": Idle,
        "device": Idle,
        "device_of": Idle,
        **dict.fromkeys(_NOTHING.split(), lambda *_args, **_kwargs: None),
    }
    with contextlib.ExitStack() as stack:
        for name, answer in answers.items():
            if hasattr(cuda, name):
                original = getattr(cuda, name)
                stack.enter_context(changed(cuda, name, answer if isinstance(answer, type) else _for_users(original, answer)))
        for kind in _TYPED:
            name = f"{kind}Tensor"
            if hasattr(cuda, name):
                stack.enter_context(changed(cuda, name, Typed(getattr(torch, name), tell)))
        stack.enter_context(changed(cuda, "is_available", _demanded(cuda.is_available, True, tell)))
        stack.enter_context(changed(cuda, "device_count", _demanded(cuda.device_count, 1, tell)))
        stack.enter_context(changed(torch, "set_default_device", _default_device(torch.set_default_device, tell)))
        stack.enter_context(changed(torch, "set_default_tensor_type", _default_type(torch.set_default_tensor_type, tell)))
        stack.enter_context(changed(torch, "Generator", _generator(torch.Generator, tell)))
        yield


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Inside, the user's code is the only process: nothing is spread over others, and nobody is waited for."""
    spread: Any = torch.distributed
    answers: dict[str, Any] = {"init_process_group": None, "barrier": None, "get_rank": 0, "get_world_size": 1, "broadcast": None}
    with contextlib.ExitStack() as stack:
        for name, answer in answers.items():
            if hasattr(spread, name):
                stack.enter_context(changed(spread, name, _for_users(getattr(spread, name), _constant(answer))))
        wrapper = torch.nn.parallel.DistributedDataParallel
        stack.enter_context(changed(torch.nn.parallel, "DistributedDataParallel", _unspread(wrapper)))
        yield


def _constant(value: Any) -> Callable[..., Any]:
    return lambda *_args, **_kwargs: value


def _unspread(wrapper: Any) -> type:
    """Instead of the wrapper that needs other processes one that has the same attribute `module`."""

    class DistributedDataParallel(metaclass=_Like):
        original = wrapper

        def __new__(cls, module: torch.nn.Module, *_args: Any, **_kwargs: Any) -> Any:
            return torch.nn.DataParallel(module)

    return DistributedDataParallel


def _generator(plain: Any, tell: Tell) -> type:
    class Generator(metaclass=_Like):
        original = plain

        def __new__(cls, device: Any = "cpu") -> Any:
            if is_accelerator(device) or isinstance(device, int):
                tell("cuda")
                device = "cpu"
            return plain(device=device)

    return Generator


def _for_users(original: Callable[..., Any], answer: Callable[..., Any]) -> Callable[..., Any]:
    """The answer for the user's own code; libraries, torch itself among them, keep what they know how to handle."""

    def asked(*args: Any, **kwargs: Any) -> Any:
        return answer(*args, **kwargs) if _user_asks() else original(*args, **kwargs)

    return asked


def _demanded(original: Callable[..., Any], answer: Any, tell: Tell) -> Callable[..., Any]:
    """The truth, but where the user's code would stop at it."""

    def asked(*args: Any, **kwargs: Any) -> Any:
        frame = user_frame() if _user_asks() else None
        if frame is not None and demanded(frame.f_code.co_filename, frame.f_lineno):
            tell("cuda")
            return answer
        return original(*args, **kwargs)

    return asked


def _user_asks() -> bool:
    """Whether the function of this file that is running was called by the user's own code directly."""
    return kind_of(sys._getframe(2).f_code) is Kind.USER  # noqa: SLF001  (whose code asks decides)


def _default_device(original: Callable[[Any], None], tell: Tell) -> Callable[[Any], None]:
    def set_default_device(device: Any) -> None:
        asked = "cuda" if isinstance(device, int) else str(device).split(":")[0]
        if asked in ACCELERATORS:
            tell(asked)
            device = "cpu"
        original(device)

    return set_default_device


def _default_type(original: Callable[[Any], None], tell: Tell) -> Callable[[Any], None]:
    def set_default_tensor_type(kind: Any) -> None:
        plain = plain_type(kind)
        if plain is not kind:
            tell("cuda")
        original(plain)

    return set_default_tensor_type
