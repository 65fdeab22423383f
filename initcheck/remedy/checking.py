"""Checks targets in child processes, with files that may be taken to hold what is not written yet."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence

from initcheck.config import Configuration
from initcheck.errors import InitcheckError, NothingToCheck
from initcheck.records.report import ModelReport
from initcheck.records.target import Target
from initcheck.source.drafts import drafted
from initcheck.worker import Worker, reports_of


class Checker:
    """Checks what was named on the command line, as often as asked; a context manager that ends its processes.

    `user_output` is given what the user's code prints in the first check, `progress` words about the stage.
    `shaped` gives the target that is checked for one that was found (all of its file executed, say).
    """

    def __init__(
        self,
        specs: Sequence[str],
        configuration: Configuration,
        user_output: Callable[[str], None] = lambda _: None,
        progress: Callable[[str], None] = lambda _: None,
        shaped: Callable[[Target], Target] = lambda target: target,
    ) -> None:
        self.specs = tuple(specs)
        self.configuration = configuration
        self._user_output: Callable[[str], None] | None = user_output
        self._progress = progress
        self._shaped = shaped
        self._worker: Worker | None = None

    def __enter__(self) -> Checker:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def paths(self) -> tuple[str, ...]:
        """The files that were named."""
        return tuple(spec.partition("::")[0] for spec in self.specs)

    def check(self, drafts: Mapping[str, bytes]) -> tuple[ModelReport, ...]:
        """One report for each model, each built in a process of its own; `drafts` stand for the files at their absolute paths.

        Raises:
            InitcheckError: when nothing that was named can be checked at all.
        """
        targets = self.targets(drafts)
        if self._worker is None:
            self._worker = Worker(
                self.configuration.settings, user_output=self._told, progress=self._progress, planned=len(targets)
            ).__enter__()
        try:
            found = tuple(report for outcome in self._worker.outcomes(targets) for report in reports_of(outcome))
        except BaseException:
            self._end()
            raise
        self._user_output = None
        if not self._worker.forks:
            self._end()  # a process that takes one target after the other has the old modules in memory
        return found

    def targets(self, drafts: Mapping[str, bytes]) -> Sequence[Target]:
        """What was named, as the drafts have it.

        Raises:
            InitcheckError: when there is nothing that could be checked.
        """
        from initcheck.discover.targets import expand

        pairs = tuple((path, content.decode("utf-8", "surrogateescape")) for path, content in drafts.items())
        found: list[Target] = []
        problems: list[InitcheckError] = []
        with drafted(pairs):
            for spec in self.specs:
                targets, wrong = expand(spec)
                found += [self._given(target, spec, pairs) for target in targets]
                problems += wrong
        if not found:
            raise next(iter(problems), NothingToCheck("no model was found in anything given"))
        return list(dict.fromkeys(found))

    def _told(self, line: str) -> None:
        if self._user_output is not None:
            self._user_output(line)

    def _end(self) -> None:
        if self._worker is not None:
            self._worker.__exit__()
            self._worker = None

    def _given(self, target: Target, spec: str, pairs: tuple[tuple[str, str], ...]) -> Target:
        inputs = self.configuration.settings.inputs or self.configuration.inputs_of(target.spec, spec) or target.inputs
        source = "" if pairs else target.source
        return dataclasses.replace(self._shaped(target), inputs=inputs, source=source, drafts=pairs)
