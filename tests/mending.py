"""Sources rewritten in this process: as `initcheck fix` does it, without the child processes."""

import dataclasses
import re
import shutil
import subprocess

from initcheck.discover.targets import expand
from initcheck.engine import check_target
from initcheck.records.settings import Settings
from initcheck.remedy.fixing import Order, mend
from initcheck.source.drafts import drafted

HEALS = re.compile(rb"heals: (IC\d{3})")
"""The mark in a source shape: the code that a fix must heal."""


def checker(spec, inputs=None, settings=None):
    """A check of one target, as often as asked, each time with drafts."""

    def check(drafts):
        pairs = tuple((name, data.decode("utf-8", "surrogateescape")) for name, data in drafts.items())
        with drafted(pairs):
            targets, problems = expand(spec)
        if not targets:
            raise problems[0]
        given = [dataclasses.replace(target, source="", drafts=pairs) for target in targets]
        return tuple(report for target in given for report in check_target(target, settings or Settings(), inputs=inputs))

    return check


def mended(spec, inputs=None, settings=None, **wishes):
    """The result of a fix."""
    return mend(Order((spec.partition("::")[0],), **({"unsafe": True} | wishes)), checker(spec, inputs, settings))


def git(folder, *arguments, data=None):
    """What git says; its own settings alone count."""
    command = ["git", "-c", "user.name=n", "-c", "user.email=e", "-c", "core.autocrlf=false", *arguments]
    return subprocess.run(command, cwd=folder, input=data, capture_output=True, check=True).stdout


def diff_of(result):
    """The bytes of the whole diff."""
    return "".join(change.diff for change in result.files).encode("utf-8", "surrogateescape")


def edited(text, edits):
    """A text with the edits of one file."""
    for edit in sorted(edits, key=lambda edit: -edit.start):
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text


HAS_GIT = shutil.which("git") is not None
