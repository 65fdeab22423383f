"""The page of a message, and the way to it."""

from initcheck.cli import main
from initcheck.records.finding import Failure
from initcheck.report import message_page
from initcheck.report.frames import failure_frame
from initcheck.report.messages import PAGES
from initcheck.report.style import Style


def frame(name):
    return failure_frame(Failure("load", "a.py", "a.py cannot be built", "do this", name), Style())


def test_a_failure_points_to_its_page():
    assert frame("needs-args")[-1] == "Why? `initcheck rule needs-args`"


def test_a_failure_without_a_page_points_nowhere():
    assert frame("")[-1] == "help: do this"


def test_a_page_holds_commands_to_paste():
    text = message_page.render(PAGES["needs-args"])
    assert "```\ninitcheck 'model.py::Net(width=64, depth=4)'\n```" in text


def test_the_listing_shows_messages_under_their_own_heading(capsys):
    assert main(["rule"]) == 0
    listing = capsys.readouterr().out
    rules, _, messages = listing.partition("what it means")
    assert "zero-weight" in rules and "needs-args" not in rules
    assert "needs-args" in messages and "unsafe-pickle" in messages


def test_a_message_is_explained_by_its_name(capsys):
    assert main(["rule", "unsafe-pickle"]) == 0
    assert "can run any code" in capsys.readouterr().out


def test_all_pages_include_the_messages(capsys):
    assert main(["rule", "--all"]) == 0
    text = capsys.readouterr().out
    assert "# zero-weight (IC301)" in text and "# offline" in text


def test_a_misspelt_message_is_corrected(capsys):
    assert main(["rule", "need-args"]) == 2
    assert "did you mean needs-args?" in capsys.readouterr().err
