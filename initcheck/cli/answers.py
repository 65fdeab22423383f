"""The answers to all targets in their order: those that nothing has changed for from the cache, the others from the worker."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from initcheck.cache import Cache, Kept
from initcheck.cli.context import Console
from initcheck.cli.picking import Flow
from initcheck.records.finding import rank
from initcheck.records.report import ModelReport
from initcheck.records.settings import Settings
from initcheck.records.target import Target
from initcheck.worker import Outcome, Worker, reports_of, threads_for

SLOWEST = 20
"""So many targets `--durations` tells of."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What is known of one target. `stages` hold ("stage", seconds) pairs; they are empty for what was in the cache."""

    target: Target
    reports: tuple[ModelReport, ...]
    torch: str
    stages: tuple[tuple[str, float], ...] = ()


class Answers:
    """Gives the answers one after the other; `started` is the time that the worker took to get ready."""

    def __init__(self, settings: Settings, console: Console, flow: Flow, *, planned: int) -> None:
        self.started = 0.0
        self._settings = settings
        self._console = console
        self._planned = planned
        self._cache = Cache(settings, threads_for(planned)) if flow.cached else None

    def of(self, targets: Sequence[Target]) -> Iterator[Answer]:
        """The answer to each target, in order.

        Raises:
            UsageError: for a setting or an input that makes no sense.
        """
        known = [self._cache.find(target) if self._cache is not None else None for target in targets]
        missing = [(number, target) for number, (target, kept) in enumerate(zip(targets, known, strict=True), 1) if kept is None]
        if not missing:
            yield from (self._kept(target, kept) for target, kept in zip(targets, known, strict=True) if kept is not None)
            return
        if self._settings.trust:
            self._console.note("note: --trust: the code of the targets may write files, connect and start programs")
        self._console.progress("starting torch …")
        begin = time.perf_counter()
        with Worker(self._settings, user_output=self._console.user, progress=self._console.progress, planned=self._planned) as worker:
            fresh = worker.outcomes([target for _, target in missing], [number for number, _ in missing])
            for target, kept in zip(targets, known, strict=True):
                if kept is not None:
                    yield self._kept(target, kept)
                    continue
                outcome = next(fresh)
                self.started = self.started or (worker.ready or begin) - begin
                yield self._fresh(outcome)
            fresh.close()
        self._console.done()

    def _kept(self, target: Target, kept: Kept) -> Answer:
        self._console.detail(f"{target.spec}: cached, nothing that it rests on has changed")
        for line in kept.lines:
            self._console.user(line)
        return Answer(target, kept.reports, kept.torch)

    def _fresh(self, outcome: Outcome) -> Answer:
        if self._cache is not None and outcome.error is None:
            kept = Kept(outcome.reports, outcome.lines, outcome.torch)
            self._cache.keep(outcome.target, kept, outcome.loaded, outcome.began)
        return Answer(outcome.target, reports_of(outcome), outcome.torch, outcome.stages)


def gathered(
    targets: Sequence[Target], settings: Settings, console: Console, flow: Flow, finish: Callable[[ModelReport], ModelReport]
) -> tuple[list[ModelReport], str]:
    """The reports of all targets, each after `finish`, and the version of torch; up to the first bad one with `-x`."""
    answers = Answers(settings, console, flow, planned=len(targets))
    models: list[ModelReport] = []
    torch, bad, good = "", set[str](), set[str]()
    spent: list[Answer] = []
    for answer in answers.of(targets):
        reports = [finish(report) for report in answer.reports]
        models += reports
        torch = torch or answer.torch
        spent.append(answer)
        failed = any(_is_bad(report, settings) for report in reports)
        (bad if failed else good).add(answer.target.spec)
        if failed and flow.exit_first:
            break
    left = len(targets) - len(spent)
    if left:
        console.done()
        console.note(f"-x: stopped at {spent[-1].target.spec}; {left} more {'models were' if left > 1 else 'model was'} not checked")
    if flow.cached:
        Cache(settings, 1).remember(frozenset(bad), frozenset(good))
    if flow.durations:
        _durations(spent, answers.started, console)
    return models, torch


def _is_bad(report: ModelReport, settings: Settings) -> bool:
    return bool(report.failures) or any(rank(finding.severity) >= rank(settings.fail_on) for finding in report.findings)


def _durations(spent: Sequence[Answer], started: float, console: Console) -> None:
    """The seconds of the slowest targets, the longest first."""
    lines = sorted(((sum(seconds for _, seconds in answer.stages), answer) for answer in spent), key=lambda line: -line[0])
    if started:
        console.note(f"{started:7.2f} s  import of torch")
    for total, answer in lines[:SLOWEST]:
        parts = ", ".join(f"{stage} {seconds:.2f}" for stage, seconds in answer.stages) or "unchanged, from the cache"
        console.note(f"{total:7.2f} s  {answer.target.spec}: {parts}")
    if len(lines) > SLOWEST:
        console.note(f"{sum(total for total, _ in lines[SLOWEST:]):7.2f} s  the {len(lines) - SLOWEST} others together")
