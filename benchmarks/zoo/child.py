"""One model in a child process: built and checked through `initcheck.check`, with limits on time and memory."""

from __future__ import annotations

import gc
import json
import os
import resource
import select
import signal
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable
from typing import Any

GIGABYTE = 2**30
WEIGHTS = ("linear", "conv", "conv_transpose", "bilinear", "matmul", "recurrent", "embedding")


def warm_up() -> None:
    """Imports and first calls, once for all children: a fork that is warm costs a seventh."""
    import torch
    import transformers
    from torchvision import models

    torch.set_num_threads(1)
    small = transformers.BertConfig(hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32, vocab_size=50)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        examine(lambda: transformers.BertForMaskedLM(small))
        examine(lambda: models.squeezenet1_1(weights=None))
    gc.collect()
    gc.freeze()


def run(name: str, build: Callable[[], Any], seconds: float, memory: float) -> dict[str, Any]:
    """The result of one model as a plain dictionary; `state` is ok, no-build, no-run, timeout, killed or crash."""
    reader, writer = os.pipe()
    started = time.monotonic()
    child = os.fork()
    if child == 0:
        os.close(reader)
        _child(build, memory, writer)
    os.close(writer)
    text, timely = _read(reader, started + seconds)
    os.close(reader)
    if not timely:
        os.kill(child, signal.SIGKILL)
    _, status, usage = os.wait4(child, 0)
    result = {"model": name, "seconds": round(time.monotonic() - started, 1), "cpu": round(usage.ru_utime + usage.ru_stime, 2)}
    if not timely:
        return result | {"state": "timeout", "reason": f"{seconds:g} s"}
    if not text:
        return result | {"state": "killed", "reason": f"exit status {status}"}
    return result | json.loads(text)


def _read(reader: int, deadline: float) -> tuple[bytes, bool]:
    chunks: list[bytes] = []
    while True:
        left = deadline - time.monotonic()
        ready = select.select([reader], [], [], max(left, 0))[0] if left > 0 else []
        if not ready:
            return b"", False
        chunk = os.read(reader, 1 << 16)
        if not chunk:
            return b"".join(chunks), True
        chunks.append(chunk)


def _child(build: Callable[[], Any], memory: float, writer: int) -> None:
    try:
        resource.setrlimit(resource.RLIMIT_AS, (int(memory * GIGABYTE), int(memory * GIGABYTE)))
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        warnings.simplefilter("ignore")
        result = examine(build)
        with os.fdopen(writer, "w") as pipe:
            json.dump(result, pipe)
    finally:
        os._exit(0)


def examine(build: Callable[[], Any]) -> dict[str, Any]:
    """Builds and checks one model here."""
    import initcheck

    built: list[Any] = []

    def model() -> Any:
        built.append(build())
        return built[-1]

    try:
        report = initcheck.check(model)
    except Exception as error:
        state = "crash" if built else "no-build"
        return {"state": state, "reason": f"{type(error).__name__}: {error}"[:500], "trace": traceback.format_exc()[-2500:]}
    return _facts(report.models[0])


def _facts(model: Any) -> dict[str, Any]:
    broken = [failure for failure in model.failures if failure.stage != "forward"]
    weights = [layer for layer in model.layers if layer.kind in WEIGHTS or (layer.kind == "unused" and len(layer.shape) > 1)]
    unknown = [layer for layer in weights if not (layer.feeds and layer.fed_by)]
    return {
        "state": "crash" if broken else "no-run" if model.failures else "ok",
        "reason": "; ".join(f"{failure.stage}: {failure.message}" for failure in model.failures)[:500],
        "class": model.model,
        "parameters": model.parameters,
        "input": model.input.text if model.input else "",
        "weights": len(weights),
        "unknown": [[layer.weight, layer.kind, layer.unknown] for layer in unknown],
        "roles": Counter(role for layer in weights for role in (*layer.feeds, *layer.fed_by)),
        "skips": [[skip.code, skip.subject, skip.reason] for skip in model.skips],
        "findings": [_finding(finding) for finding in model.findings],
    }


def _finding(finding: Any) -> dict[str, Any]:
    place = finding.location
    return {
        "code": finding.code,
        "name": finding.name,
        "severity": finding.severity,
        "parameters": list(finding.parameters),
        "message": finding.message,
        "observed": finding.observed,
        "symptoms": list(finding.symptoms),
        "where": f"{place.path}:{place.line}" if place else "",
    }
