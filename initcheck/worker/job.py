"""One target on its way: where it runs, what it has said so far, and how it was ended."""

from __future__ import annotations

import shutil
import tempfile
import time
from dataclasses import dataclass, field
from typing import Any

from initcheck.records.target import Target
from initcheck.worker import outcome as ends
from initcheck.worker.outcome import Outcome

LINES = 200
"""So many lines that the user's code prints are passed on, per target."""
WIDTH = 2000
"""The longest line that is passed on."""


@dataclass(slots=True)
class Job:
    """One target on its way.

    `scratch` is the folder that its code may write to; `code` the exit code of its process, None while it runs;
    `why` names what ended it from outside.
    """

    number: int
    target: Target
    timeout: float
    memory: int
    scratch: str = ""
    began: float = 0.0
    since: float = 0.0
    process: int = 0
    answer: dict[str, Any] | None = None
    drained: bool = False
    code: int | None = None
    why: str = ""
    lines: list[str] = field(default_factory=list)
    more: int = 0
    outcome: Outcome | None = None

    def begin(self) -> None:
        """Makes the scratch folder; without one the code may write nowhere."""
        self.began = time.time()
        try:
            self.scratch = tempfile.mkdtemp(prefix="initcheck-")
        except OSError:
            self.scratch = ""

    def add_line(self, text: str) -> bool:
        """Keeps a printed line; False for one too many."""
        if len(self.lines) >= LINES:
            self.more += 1
            return False
        self.lines.append(text if len(text) <= WIDTH else text[:WIDTH] + " …")
        return True

    def reset(self) -> None:
        """Forgets a run that was ended for the sake of others."""
        if self.scratch:
            shutil.rmtree(self.scratch, ignore_errors=True)
        self.process, self.answer, self.drained, self.code, self.why, self.more = 0, None, False, None, "", 0
        self.lines.clear()

    def finish(self, torch: str) -> None:
        """Settles the outcome and removes the scratch folder."""
        if self.scratch:
            shutil.rmtree(self.scratch, ignore_errors=True)
        if self.more:
            self.lines.append(f"… {self.more:,} more {'lines' if self.more > 1 else 'line'}")
        reports, error = self._result()
        answer = self.answer or {}
        self.outcome = Outcome(
            self.target,
            reports,
            error,
            tuple(self.lines),
            tuple((str(stage), float(seconds)) for stage, seconds in answer.get("stages", ())),
            tuple((str(kind), str(path)) for kind, path in answer.get("loaded", ())),
            torch,
            self.began,
            result=answer.get("result"),
        )

    def _result(self) -> Any:
        if self.answer is not None:
            return ends.read_answer(self.target, self.answer, self.memory)
        if self.why == "timeout":
            return ends.late(self.target, self.timeout), None
        if self.why == "memory":
            return ends.too_large(self.target, self.memory), None
        if self.why == "processes":
            return ends.too_many(self.target), None
        return ends.crashed(self.target, self.code), None
