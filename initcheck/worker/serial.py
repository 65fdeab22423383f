"""One process that takes one target after the other: where a fork is unsafe, or there is none (Windows, macOS)."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

from initcheck.worker.answer import answer
from initcheck.worker.host import DRAINED
from initcheck.worker.pipes import Pipe
from initcheck.worker.server import read_requests


def serve(requests: int, answers: Pipe, checker: Callable[..., Any]) -> None:
    """Answers each request in this very process, until they end."""
    errors = sys.stderr
    for request in read_requests(requests):
        if "check" not in request:
            continue
        answers.write({"id": request["check"], "process": os.getpid()})
        answer(request, checker, answers, own_process=False)
        sys.stdout, sys.stderr = sys.__stdout__, errors
        os.write(2, f"{DRAINED}\n".encode())
