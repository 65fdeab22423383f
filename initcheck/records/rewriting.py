"""What became of a source that was mended: edits as data, the proof, and what was left alone with lines to paste."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from initcheck.records.finding import Failure, Finding
from initcheck.records.fixing import FixRow
from initcheck.records.source import Edit
from initcheck.records.verification import Verification

Where = Literal["class", "function", "inline"]
WHERE: tuple[Where, ...] = ("class", "function", "inline")
"""Where new lines go: a method of the class, a function of the module that is applied, or the constructor itself."""


@dataclass(frozen=True, slots=True)
class LeftAlone:
    """A finding whose source was not changed, why, and lines that the author can paste; empty where there are none."""

    finding: Finding
    reason: str
    snippet: str = ""


@dataclass(frozen=True, slots=True)
class FileChange:
    """The changes of one file.

    path: as the user would write it. edits: replacements of the characters of the file as it was (line ends and all, without a byte order
    mark), in order. diff: the same as a unified diff, bytes that are no UTF-8 as lone surrogates. added, removed: lines.
    """

    path: str
    edits: tuple[Edit, ...]
    diff: str
    added: int = 0
    removed: int = 0


@dataclass(frozen=True, slots=True)
class Mended:
    """What `initcheck fix` did to the sources of some targets.

    rows: the proof, one line for each finding whose remedy stands. failed: remedies that were tried, did not help and were taken back.
    declined: findings that nothing was tried for. remaining: all findings afterwards. written: the files hold the changes. restored: all
    was taken back, `reason` tells why, and the files hold their old bytes. failures: what broke while the targets were checked the first
    time. undo: a command that takes the changes back. trials: trainings before and after, where they were asked for, one for each model
    that a remedy touched. untried: why there is none for a model.
    """

    targets: tuple[str, ...]
    files: tuple[FileChange, ...] = ()
    rows: tuple[FixRow, ...] = ()
    failed: tuple[LeftAlone, ...] = ()
    declined: tuple[LeftAlone, ...] = ()
    remaining: tuple[Finding, ...] = ()
    written: bool = False
    restored: bool = False
    reason: str = ""
    failures: tuple[Failure, ...] = ()
    undo: str = ""
    trials: tuple[Verification, ...] = ()
    untried: tuple[Failure, ...] = ()
