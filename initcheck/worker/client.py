"""The parent's side: hands targets to child processes, watches time and memory, and gives the outcomes in the order of the targets."""

from __future__ import annotations

import os
import queue
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from typing import Any

from initcheck.config import memory_limit
from initcheck.errors import TargetError
from initcheck.records.finding import Failure
from initcheck.records.report import ModelReport
from initcheck.records.serial import from_plain, to_plain
from initcheck.records.settings import Settings
from initcheck.records.target import Target
from initcheck.worker.ahead import shared_imports
from initcheck.worker.host import Events, Host
from initcheck.worker.job import Job
from initcheck.worker.limits import available_memory, own_memory
from initcheck.worker.outcome import Outcome, reports_of
from initcheck.worker.watch import AGAIN, Watch

START_LIMIT = 300.0
"""Seconds for the interpreter and torch to start; the timeout of a target begins after that."""

_POLL = 0.05


class Worker:
    """Checks targets in child processes that are started when needed; a context manager that ends them.

    `user_output` is given each line that the user's code printed, `progress` the engine's words about its stage. `planned` is the
    number of targets of the whole command, on which the threads of each depend: the figures do not, however many run at once.
    `work` names what is done in the child instead of a check (`package.module:function`, called with the target, the settings, `asked`
    and a progress function, plain values throughout).
    """

    def __init__(
        self,
        settings: Settings,
        *,
        user_output: Callable[[str], None],
        progress: Callable[[str], None],
        planned: int = 1,
        fork: bool = True,
        work: str = "",
        asked: dict[str, Any] | None = None,
    ) -> None:
        self.torch = ""
        self.ready = 0.0
        """When torch was there, by `time.perf_counter`."""
        self._settings = settings
        self._user_output = user_output
        self._progress = progress
        self._planned = planned
        self._fork = fork
        self._threads = threads_for(planned)
        self._memory = memory_limit(settings.max_memory, available_memory())
        self._events: Events = queue.Queue()
        self._hosts: list[Host] = []
        self._broken: Failure | None = None
        self._head: Job | None = None
        self._limits = Watch(self._memory)
        self._waiting: deque[Job] = deque()
        self._most = settings.jobs or max(1, min(cores(), planned))
        self._ahead: list[str] = []
        self._work: dict[str, Any] = {"work": work, "asked": asked} if work else {}

    def __enter__(self) -> Worker:
        return self

    @property
    def forks(self) -> bool:
        """Whether each target has a process of its own; else one takes several, and keeps what it has imported."""
        return any(host.forks for host in self._hosts)

    def _host(self) -> Host:
        return Host(self._events, fork=self._fork, ahead=self._ahead)

    def __exit__(self, *_: object) -> None:
        while self._hosts:
            self._hosts.pop().stop()

    def check(self, target: Target) -> tuple[ModelReport, ...]:
        """Checks one target, which may stand for several models; whatever goes wrong in the child becomes a Failure of a report.

        Raises:
            UsageError: for a setting or an input that makes no sense.
            NothingToCheck: when the target turned out to be no model.
        """
        outcome = next(self.outcomes([target]))
        if outcome.error is not None:
            raise outcome.error
        return outcome.reports

    def done(self, target: Target) -> dict[str, Any]:
        """The result of the work on one target.

        Raises:
            InitcheckError: when it could not be done.
        """
        outcome = next(self.outcomes([target]))
        if outcome.error is not None:
            raise outcome.error
        if outcome.result is None:
            failure = outcome.reports[0].failures[0]
            raise TargetError(failure.message, failure.hint, name=failure.name)
        return outcome.result

    def outcomes(self, targets: Sequence[Target], numbers: Sequence[int] = ()) -> Generator[Outcome]:
        """What became of each target, in their order; several run at the same time. `numbers` are their places among all that are planned."""
        numbered = zip(numbers or range(1, len(targets) + 1), targets, strict=True)
        jobs = [Job(number, target, self._settings.timeout, self._memory) for number, target in numbered]
        self._waiting = deque(jobs)
        self._ahead = shared_imports(targets, online=self._settings.trust)
        try:
            for job in jobs:
                self._head = job
                for line in job.lines:
                    self._user_output(line)
                while job.outcome is None:
                    self._fill(self._waiting)
                    self._listen()
                    self._watch()
                self._head = None
                yield job.outcome
        finally:
            self._drop()

    def _fill(self, waiting: deque[Job]) -> None:
        """Gives waiting targets to processes that are free; starts a process when there is none."""
        if self._broken is not None:
            while waiting:
                job = waiting.popleft()
                job.outcome = Outcome(job.target, (ModelReport(job.target, failures=(self._broken,)),))
            return
        if not waiting:
            return
        if not self._hosts or self._wants_another():
            self._hosts.append(self._host())
        for host in self._hosts:
            while waiting and host.ready and len(host.jobs) < (self._most if host.forks else 1):
                self._start(host, waiting.popleft())

    def _wants_another(self) -> bool:
        """Whether one more process should take targets: only where none can fork, and only as many as were asked for."""
        serial = not any(host.forks for host in self._hosts)
        return serial and all(host.ready and host.jobs for host in self._hosts) and len(self._hosts) < min(self._settings.jobs, self._most)

    def _start(self, host: Host, job: Job) -> None:
        job.begin()
        job.since = time.monotonic()
        host.jobs[job.number] = job
        host.send(
            check=job.number,
            target=to_plain(job.target),
            settings=to_plain(self._settings),
            threads=self._threads,
            memory=self._memory,
            scratch=job.scratch,
            **self._work,
        )

    def _listen(self) -> None:
        """Takes what the processes have said, waiting a little for the first of it."""
        wait = _POLL
        while True:
            try:
                host, message = self._events.get(timeout=wait) if wait else self._events.get_nowait()
            except queue.Empty:
                break
            wait = 0
            if host in self._hosts:
                self._take(host, message)
        for host in list(self._hosts):
            if host.over and self._events.empty():
                self._lose(host)

    def _take(self, host: Host, message: dict[str, Any]) -> None:
        if "ready" in message:
            self.torch, host.ready, host.forks = message["ready"], message["ready"], message["forks"]
            self.ready = self.ready or time.perf_counter()
            return
        if "failure" in message:
            self._broken = from_plain(Failure, message["failure"])
            return
        job = host.jobs.get(message["id"]) if "id" in message else next(iter(host.jobs.values()), None)
        if job is None:
            if "output" in message:
                self._user_output(message["output"])
            return
        self._advance(host, job, message)

    def _advance(self, host: Host, job: Job, message: dict[str, Any]) -> None:
        if "output" in message:
            if job.add_line(message["output"]) and job is self._head:
                self._user_output(job.lines[-1])
        elif "more" in message:
            job.more += message["more"]
        elif "process" in message:
            job.process, job.since = message["process"], time.monotonic()
        elif "progress" in message:
            place = f"[{job.number}/{self._planned}] " if self._planned > 1 else ""
            self._progress(place + message["progress"])
        elif "answer" in message:
            job.answer = message["answer"]
        elif "drained" in message:
            job.drained = True
        elif "ended" in message:
            job.code, job.drained = message["ended"], True
        if job.drained and (job.code is not None if host.forks else job.answer is not None):
            self._finish(host, job)

    def _finish(self, host: Host, job: Job) -> None:
        del host.jobs[job.number]
        if job.why == AGAIN and job.answer is None:
            job.reset()
            self._waiting.appendleft(job)
            return
        before = len(job.lines)
        job.finish(self.torch)
        if job is self._head:
            for line in job.lines[before:]:
                self._user_output(line)

    def _watch(self) -> None:
        """Ends what the watch names, and processes that never get ready."""
        now = time.monotonic()
        for host in list(self._hosts):
            if not host.ready and now - host.started > START_LIMIT:
                self._lose(host)
        running = [job for host in self._hosts for job in host.jobs.values()]
        shared = min((own_memory(host.process.pid) for host in self._hosts if host.forks), default=0) if running else 0
        for job in (*self._limits.late(running, now), *self._limits.large(running, now, shared)):
            host = next(host for host in self._hosts if job.number in host.jobs)
            if job.why == AGAIN:
                self._most = max(1, len(running) - 1)
            if host.forks:
                host.send(stop=job.number)
            else:
                self._lose(host)

    def _lose(self, host: Host) -> None:
        """A process that has ended, or must: its targets are done."""
        self._hosts.remove(host)
        if not host.ready and self._broken is None:
            self._broken = Failure("load", "torch", _stillborn(host), "`python -c 'import torch'` must work in this environment", "crashed")
        host.stop()
        for job in list(host.jobs.values()):
            job.code = host.process.returncode
            self._finish(host, job)

    def _drop(self) -> None:
        """Nobody waits for what still runs."""
        self._head = None
        self._waiting.clear()
        for host in list(self._hosts):
            if host.jobs:
                self._hosts.remove(host)
                host.stop()
                for job in list(host.jobs.values()):
                    self._finish(host, job)


def threads_for(planned: int) -> int:
    """The threads of torch for each of so many targets, the same however many run at once, so that the figures are the same too."""
    share = max(1, cores() // max(1, min(cores(), planned)))
    asked = os.environ.get("OMP_NUM_THREADS", "")
    return min(share, int(asked)) if asked.isdigit() and int(asked) else share


def cores() -> int:
    """The processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run(targets: Iterable[Target], worker: Worker) -> Iterator[ModelReport]:
    """Checks all targets; one that is no model after all is told as a failure of its own."""
    for outcome in worker.outcomes(list(targets)):
        yield from reports_of(outcome)


def _stillborn(host: Host) -> str:
    code = host.process.poll()
    return "torch could not be imported in time" if code is None else f"the process ended with exit code {code} while it imported torch"
