"""Looks at running targets from outside: what has run too long, has grown too large, or must make room for those before it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from initcheck.worker.job import Job
from initcheck.worker.limits import PROCESSES, usage

INTERVAL = 0.1
"""Seconds between two looks at memory and processes."""

AGAIN = "again"
"""Why a target is ended that shall be checked later, when there is room."""


class Watch:
    """Judges running targets. `memory` bytes are the most that one may hold, and all of them together; 0 means without limit."""

    def __init__(self, memory: int) -> None:
        self._memory = memory
        self._looked = 0.0

    def late(self, jobs: Sequence[Job], now: float) -> Iterator[Job]:
        """The targets whose time is over, with the reason in `why`."""
        for job in jobs:
            if not job.why and now - job.since > job.timeout:
                job.why = "timeout"
                yield job

    def large(self, jobs: Sequence[Job], now: float, shared: int) -> Iterator[Job]:
        """The targets that hold too much. `shared` bytes of each are those of the process that it was forked from.

        What is too much only for all together costs the last of them, which the others do not notice: it is checked again later.
        """
        if now - self._looked < INTERVAL:
            return
        self._looked = now
        total, running = 0, [job for job in jobs if job.process and not job.why]
        for job in running:
            held, count = usage(job.process)
            held = max(0, held - shared)
            total += held
            if self._memory and held > self._memory:
                job.why = "memory"
                yield job
            elif count > PROCESSES:
                job.why = "processes"
                yield job
        left = [job for job in running if not job.why]
        if self._memory and total > self._memory and len(left) > 1:
            last = max(left, key=lambda job: job.number)
            last.why = AGAIN
            yield last
