"""The child's side: imports torch and the engine once, then forks for each target, or takes them one after the other."""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

from initcheck.records.finding import Failure
from initcheck.records.serial import to_plain
from initcheck.rules import rule_classes
from initcheck.worker.limits import gpu_driver, threads
from initcheck.worker.pipes import Pipe


def main() -> None:
    """The child process from start to end: requests on standard input, messages on standard output, a line each.

    The user's code finds an empty standard input, and all that it prints goes to standard error.
    """
    mode = sys.argv.pop()
    ahead = sys.argv.pop().split(",")
    requests, answers = os.dup(0), Pipe(os.dup(1))
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    torch, checker, failure = _imported(ahead)
    if failure is not None or checker is None:
        answers.write({"failure": to_plain(failure)})
    elif mode == "fork" and _may_fork(torch):
        from initcheck.worker.forking import Server

        answers.write({"ready": str(torch.__version__), "forks": True})
        Server(requests, answers, checker).serve()
    else:
        from initcheck.worker.serial import serve

        answers.write({"ready": str(torch.__version__), "forks": False})
        serve(requests, answers, checker)
    sys.stderr.flush()
    os._exit(0)  # torch takes long to take itself down, and nothing is left to do


def _imported(ahead: Sequence[str]) -> tuple[Any, Callable[..., Any] | None, Failure | None]:
    """torch and the engine, or why they cannot be had. BLAS must not start threads, which a fork would not take along."""
    before = os.environ.get("OPENBLAS_NUM_THREADS")
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    try:
        import torch

        from initcheck.engine import check_target

        _warm(torch)
        _import_ahead(ahead)
    except Exception as error:  # noqa: BLE001  (a broken installation of any kind must be told, not raised in the dark)
        return None, None, _unimportable(error)
    finally:
        if before is None:
            del os.environ["OPENBLAS_NUM_THREADS"]
        else:
            os.environ["OPENBLAS_NUM_THREADS"] = before
    return torch, check_target, None


def _warm(torch: Any) -> None:
    """What every check does for the first time, so that the children find it done. One thread only, which a fork takes along."""
    if hasattr(torch, "autograd"):
        for name in ("torch.fx.experimental.symbolic_shapes", "torch.utils._device", "numpy.random"):
            importlib.import_module(name)
        rule_classes()
        if gpu_driver():  # a backward pass would start a thread for each GPU, and a driver in use does not survive a fork
            return
        from initcheck.engine import check

        torch.set_num_threads(1)
        check(torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.ReLU(), torch.nn.Linear(4, 2)))


def _import_ahead(names: Sequence[str]) -> None:
    """Imports packages that several targets need; one that fails is left to the target, which tells it."""
    before = os.environ.get("HF_HUB_OFFLINE")
    os.environ["HF_HUB_OFFLINE"] = "1"  # the hub's library asks once, when it is imported
    for name in filter(None, names):
        try:
            importlib.import_module(name)
        except Exception:  # noqa: BLE001, S112  (a package may raise anything while it is imported)
            continue
    if before is None:
        del os.environ["HF_HUB_OFFLINE"]
    else:
        os.environ["HF_HUB_OFFLINE"] = before


def _may_fork(torch: Any) -> bool:
    """Whether a fork is safe: on Linux, without a second thread, and before CUDA has a context."""
    if sys.platform != "linux" or not hasattr(os, "fork") or threads() != 1:
        return False
    cuda = getattr(torch, "cuda", None)
    return cuda is None or not cuda.is_initialized()


def _unimportable(error: Exception) -> Failure:
    hint = "pip install torch" if isinstance(error, ModuleNotFoundError) else "`python -c 'import torch'` must work in this environment"
    return Failure("load", "torch", f"torch cannot be imported: {type(error).__name__}: {error}", hint, "import-failed")


def read_requests(descriptor: int) -> Any:
    """The requests of a blocking pipe."""
    with os.fdopen(descriptor, encoding="utf-8") as pipe:
        for line in pipe:
            yield json.loads(line)
