"""Programs that train in several processes: the first of them runs here, as the only one."""

from __future__ import annotations

import contextlib
import functools
import inspect
import multiprocessing.process
from collections.abc import Callable, Iterator
from typing import Any

import torch

from initcheck.construct.guard import changed
from initcheck.construct.program.roots import unseen


@contextlib.contextmanager
def one_process(note: Callable[[str], None]) -> Iterator[None]:
    """Training functions that the program starts in other processes run in this one, rank 0 alone; `note` is told.

    Processes that neither get a module nor a rank are started as ever.
    """
    process: Any = multiprocessing.process.BaseProcess
    with contextlib.ExitStack() as stack:
        stack.enter_context(changed(torch.multiprocessing, "spawn", _spawn(note)))
        stack.enter_context(changed(process, "start", _start(process.start, note)))
        if torch.distributed.is_available():
            wrapper: Any = torch.nn.parallel.DistributedDataParallel
            stack.enter_context(changed(torch.distributed, "init_process_group", _group(torch.distributed.init_process_group, note)))
            stack.enter_context(changed(wrapper, "__init__", _without_devices(wrapper.__init__)))
        try:
            yield
        finally:
            if torch.distributed.is_available() and torch.distributed.is_initialized():
                torch.distributed.destroy_process_group()


def _spawn(note: Callable[[str], None]) -> Callable[..., None]:
    def spawn(fn: Callable[..., Any], args: tuple[Any, ...] = (), nprocs: int = 1, *_args: Any, **_kwargs: Any) -> None:
        if nprocs > 1:
            note(f"{_name(fn)} ran in one process instead of {nprocs}")
        fn(0, *args)

    return spawn


def _start(original: Any, note: Callable[[str], None]) -> Any:
    @functools.wraps(original)
    def start(self: Any) -> None:
        target, args, kwargs = getattr(self, "_target", None), getattr(self, "_args", ()), getattr(self, "_kwargs", {})
        rank = _rank(target, args, kwargs)
        if rank is None and not any(isinstance(value, torch.nn.Module) for value in (*args, *kwargs.values())):
            original(self)
            return
        self._popen = _Ended()
        if not rank:
            note(f"{_name(target)} ran in this process, and alone")
            self.run()

    return unseen(start)


def _rank(target: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> int | None:
    """The rank that a training function is given, None if it is given none."""
    try:
        bound = inspect.signature(target).bind(*args, **kwargs)
    except (TypeError, ValueError):
        return None
    ranks = (value for name, value in bound.arguments.items() if name in ("rank", "local_rank", "gpu", "proc_id"))
    return next((value for value in ranks if type(value) is int), None)


def _group(original: Callable[..., Any], note: Callable[[str], None]) -> Callable[..., None]:
    def init_process_group(*_args: Any, **_kwargs: Any) -> None:
        note("the process group has one process")
        with torch._C.DisableTorchFunction():  # noqa: SLF001  (it speaks of devices that nobody asked for)
            original(backend="gloo", store=torch.distributed.HashStore(), rank=0, world_size=1)

    return init_process_group


def _without_devices(original: Any) -> Any:
    @functools.wraps(original)
    def make(self: Any, module: torch.nn.Module, *args: Any, **kwargs: Any) -> None:
        if all(parameter.device.type == "cpu" for parameter in module.parameters()):
            args, kwargs = (), {name: value for name, value in kwargs.items() if name not in ("device_ids", "output_device")}
        original(self, module, *args, **kwargs)

    return unseen(make)


def _name(function: Any) -> str:
    return str(getattr(function, "__name__", type(function).__name__))


class _Ended:
    """Stands for a process that has ended well."""

    returncode = 0
    sentinel = 0
    pid = None

    def poll(self) -> int:
        """The exit code."""
        return 0

    def wait(self, timeout: float | None = None) -> int:  # noqa: ARG002  (the signature of the real one)
        """The exit code, at once."""
        return 0

    def terminate(self) -> None:
        """There is nothing to end."""

    kill = close = terminate
