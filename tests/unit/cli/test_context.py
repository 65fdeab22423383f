from __future__ import annotations

import io

import pytest

from initcheck.cli.context import console, wants_color
from initcheck.cli.session import exit_code
from initcheck.errors import ExitCode
from initcheck.records.finding import Failure
from initcheck.records.report import Report
from tests.unit.report import sample


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("choice", "terminal", "environ", "colored"),
    [
        ("auto", True, {}, True),
        ("auto", False, {}, False),
        ("auto", True, {"NO_COLOR": "1"}, False),
        ("auto", True, {"NO_COLOR": ""}, True),
        ("auto", True, {"TERM": "dumb"}, False),
        ("auto", False, {"FORCE_COLOR": "1"}, True),
        ("auto", False, {"CLICOLOR_FORCE": "1"}, True),
        ("auto", False, {"FORCE_COLOR": "0"}, False),
        ("auto", False, {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        ("always", False, {"NO_COLOR": "1"}, True),
        ("never", True, {"FORCE_COLOR": "1"}, False),
    ],
)
def test_who_decides_about_colour(choice, terminal, environ, colored):
    assert wants_color(choice, Terminal() if terminal else io.StringIO(), environ) is colored


def encoded(encoding):
    return io.TextIOWrapper(io.BytesIO(), encoding=encoding)


@pytest.mark.parametrize(
    ("encoding", "term", "ascii_only"),
    [("utf-8", "xterm", False), ("cp1252", "xterm", True), ("ascii", "xterm", True), ("utf-8", "dumb", True)],
)
def test_the_glyphs_follow_the_encoding(monkeypatch, encoding, term, ascii_only):
    out, err = encoded(encoding), encoded(encoding)
    monkeypatch.setattr("sys.stdout", out)
    monkeypatch.setattr("sys.stderr", err)
    monkeypatch.setenv("TERM", term)
    made = console()
    assert made.ascii_only is ascii_only
    made.out("größer 日本 ▁\n")
    made.note("note …")
    made.user("日本")
    assert b"note" in err.buffer.getvalue()


def test_progress_appears_only_on_a_terminal(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    for stream, shown in ((Terminal(), True), (io.StringIO(), False)):
        monkeypatch.setattr("sys.stderr", stream)
        made = console()
        made.progress("building")
        made.note("said")
        assert ("building" in stream.getvalue()) is shown
        assert stream.getvalue().endswith("said\n")
    assert not made.pending


def test_quiet_hides_notes_and_verbose_shows_details(monkeypatch):
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    console(quiet=True).note("a")
    console().detail("b")
    assert stream.getvalue() == ""
    console(verbose=1).detail("c")
    assert stream.getvalue() == "c\n"


def failed(name="timeout"):
    return Report((sample.model(), sample.model(failures=(Failure("worker", "x", "m", "", name),), findings=(sample.vanishing(),))))


FINDINGS, EMPTY = sample.failing(), Report(())


@pytest.mark.parametrize(
    ("report", "options", "code"),
    [
        (sample.clean(), {}, ExitCode.CLEAN),
        (FINDINGS, {}, ExitCode.FINDINGS),
        (FINDINGS, {"exit_zero": True}, ExitCode.CLEAN),
        (failed(), {"exit_zero": True}, ExitCode.INCOMPLETE),
        (failed("internal-error"), {}, ExitCode.BUG),
        (EMPTY, {}, ExitCode.NOTHING_CHECKED),
        (EMPTY, {"allow_empty": True}, ExitCode.CLEAN),
        (EMPTY, {"exit_zero": True}, ExitCode.NOTHING_CHECKED),
        (Report((sample.model(input=None),)), {}, ExitCode.INCOMPLETE),
        (Report((sample.model(checked=()),)), {"exit_zero": True}, ExitCode.INCOMPLETE),
        (Report((), failures=(Failure("load", "x", "m"),)), {"allow_empty": True}, ExitCode.INCOMPLETE),
    ],
)
def test_exit_codes(report, options, code):
    assert exit_code(report, **options) == code
