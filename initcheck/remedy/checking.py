"""Checks targets in child processes, with files that may be taken to hold what is not written yet."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from initcheck.config import Configuration
from initcheck.errors import InitcheckError, NothingToCheck
from initcheck.records.report import ModelReport
from initcheck.records.target import Target
from initcheck.source.drafts import drafted
from initcheck.worker import Worker, reports_of


@dataclasses.dataclass(frozen=True, slots=True)
class Checker:
    """Checks what was named on the command line, as often as asked.

    `user_output` is given what the user's code prints (of the first check only), `progress` words about the stage.
    """

    specs: tuple[str, ...]
    configuration: Configuration
    user_output: Callable[[str], None] = lambda _: None
    progress: Callable[[str], None] = lambda _: None

    def paths(self) -> tuple[str, ...]:
        """The files that were named."""
        return tuple(spec.partition("::")[0] for spec in self.specs)

    def check(self, drafts: Mapping[str, bytes], *, quiet: bool = True) -> tuple[ModelReport, ...]:
        """One report for each model, each built in a fresh process; `drafts` stand for the files at their absolute paths.

        Raises:
            InitcheckError: when nothing that was named can be checked at all.
        """
        targets = self._targets(drafts)
        settings = self.configuration.settings
        told: Callable[[str], None] = (lambda _: None) if quiet else self.user_output
        with Worker(settings, user_output=told, progress=self.progress, planned=len(targets)) as worker:
            return tuple(report for outcome in worker.outcomes(targets) for report in reports_of(outcome))

    def _targets(self, drafts: Mapping[str, bytes]) -> Sequence[Target]:
        from initcheck.discover.targets import expand

        pairs = tuple((path, content.decode("utf-8", "surrogateescape")) for path, content in drafts.items())
        found: list[Target] = []
        problems: list[InitcheckError] = []
        with drafted(pairs, *(path for path in self.paths() if Path(path).exists())):
            for spec in self.specs:
                targets, wrong = expand(spec)
                found += [self._given(target, spec, pairs) for target in targets]
                problems += wrong
        if not found:
            raise next(iter(problems), NothingToCheck("no model was found in anything given"))
        return list(dict.fromkeys(found))

    def _given(self, target: Target, spec: str, pairs: tuple[tuple[str, str], ...]) -> Target:
        inputs = self.configuration.settings.inputs or self.configuration.inputs_of(target.spec, spec) or target.inputs
        source = "" if pairs else target.source
        return dataclasses.replace(target, inputs=inputs, source=source, drafts=pairs)
