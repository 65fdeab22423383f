from __future__ import annotations

import json as standard
import re
from html.parser import HTMLParser

import pytest

from initcheck.errors import UsageError
from initcheck.records.finding import Failure
from initcheck.records.report import Report
from initcheck.records.rule import Example, RuleInfo, RuleOption
from initcheck.records.source import Location
from initcheck.report import concise, json, notebook, rule_page, table
from tests.unit.report import sample

PROBLEM = re.compile(r"^(.+?):(\d+):(\d+): (error|warning|info) (IC\d+ \S+) (.*)$")


def test_concise_lines_match_the_editors_pattern():
    lines = concise.render(sample.failing(), color=False, ascii_only=False).splitlines()
    assert lines == [
        "train.py:9:24: error IC101 gradient-vanishes gradients shrink 4,430× from `mix` back to `body.2` (body.{2,4..16}.weight)",
        "train.py:12:2: warning IC201 identical-units all 128 outputs of `mix` are the same function (mix.weight)",
    ]
    assert all(PROBLEM.match(line) for line in lines)


def test_concise_takes_the_line_of_the_build_when_a_finding_has_none():
    report = Report((sample.model(findings=(sample.identical(location=None),)),))
    assert concise.render(report, color=False, ascii_only=False).startswith("train.py:30:1: warning IC201")
    report = Report((sample.model(findings=(sample.identical(location=None),), built=None),))
    assert concise.render(report, color=False, ascii_only=False).startswith("train.py::model: warning IC201")


def test_concise_is_one_line_per_failure_and_empty_when_clean():
    assert concise.render(sample.clean(), color=False, ascii_only=False) == ""
    failure = Failure("load", "a.py", "two\nlines", "", "import-failed")
    assert concise.render(Report((), failures=(failure,)), color=False, ascii_only=True) == "a.py: error import-failed two lines\n"
    assert "net.py::Net: error needs-args" in concise.render(sample.broken(), color=False, ascii_only=False)
    assert "not-measured" in concise.render(Report((sample.model(input=None),)), color=False, ascii_only=False)


@pytest.mark.parametrize("report", [sample.failing(), sample.clean(), sample.broken()])
def test_json_reads_back_as_it_was(report):
    text = json.render(report)
    assert text.isascii()
    assert json.load(text) == report
    assert json.render(json.load(text)) == text


def test_json_holds_numbers_that_json_does_not_know():
    report = Report((sample.model(layers=(sample.layer("a", gain=float("nan"), std=float("inf")),)),))
    assert standard.loads(json.render(report))["models"][0]["layers"][0]["gain"] == "nan"
    assert json.render(json.load(json.render(report))) == json.render(report)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"models": 3}', '{"models": [], "schema": 99}', '{"models": [], "surprise": 1}'])
def test_json_that_is_no_report_is_refused(text):
    with pytest.raises(UsageError):
        json.load(text)


def show(model, **options):
    return table.render(model, **{"color": False, "ascii_only": False, "width": 110, **options})


def test_table_folds_equal_neighbours():
    text = show(sample.failing().models[0])
    assert "✗ IC101" in text
    assert "! IC201" in text
    assert "… 7 more like this: body.{4,6..16}" in text
    assert "784→128" in text
    assert "0.125" in text
    assert "more like" not in show(sample.failing().models[0], verbose=True)


def test_table_folds_blocks():
    layers = [
        sample.layer(f"{block}.{leaf}", shape=shape) for block in range(6) for leaf, shape in (("up", (256, 64)), ("down", (64, 256)))
    ]
    text = show(sample.model(layers=tuple(layers)))
    assert "… 10 more like these: {1..5}.{up,down}" in text or "… 10 more like these: {1..5}.up, {1..5}.down" in text
    assert text.count("64→256") == 1


def test_table_drops_columns_rather_than_wrapping():
    wide, narrow = show(sample.failing().models[0]), show(sample.failing().models[0], width=60)
    assert "needs" in wide
    assert "needs" not in narrow
    assert "findings" in narrow
    assert max(map(len, narrow.splitlines())) <= 60


def test_columns_that_say_nothing_are_left_out():
    bare = sample.model(layers=(sample.layer("a", None, None, recommended_gain=None), sample.layer("b", recommended_gain=None)))
    head = next(line for line in show(bare).splitlines() if "looks like" in line)
    assert "needs" not in head
    assert "findings" not in head
    assert "rms" in head


def test_table_in_ascii_stays_aligned():
    lines = show(sample.failing().models[0], ascii_only=True).splitlines()
    assert all(line.isascii() for line in lines)
    head = next(line for line in lines if "looks like" in line)
    row = next(line for line in lines if line.startswith("  head"))
    assert row[head.index("looks like") :].startswith("normal(0, 1)")


def test_table_says_what_is_not_known():
    model = sample.model(
        layers=(sample.layer("a", None, None, std=None, recommended_gain=None, unknown="not used in the run"),), input=None
    )
    text = show(model)
    assert "not known: not used in the run" in text
    assert "not measured" in text
    assert "no layers" in show(sample.model(layers=()))


def test_listing_cuts_the_last_column():
    text = table.listing([("IC101", "name", "x" * 200)], ("code", "name", "what"), color=False, ascii_only=False, width=60)
    assert max(map(len, text.splitlines())) <= 60
    assert "…" in text


RULE = RuleInfo(
    "IC101",
    "gradient-vanishes",
    "signal",
    "error",
    "0.1",
    "Gradients die.",
    "Nothing trains.",
    "A norm follows.",
    "arXiv:1502.01852",
    (RuleOption("max-ratio", 100.0, "largest ratio"),),
    (Example("model = nn.Linear(1, 1)", "model = nn.Linear(2, 2)"),),
)


def test_rule_page():
    page = rule_page.render(RULE)
    headings = re.findall(r"^## (.*)$", page, re.MULTILINE)
    assert headings == ["What it does", "Why is this bad?", "When it is silent", "Bad", "Good", "Thresholds", "Fix safety", "References"]
    assert "`max-ratio` = 100 (default): largest ratio" in page
    assert "[tool.initcheck.rules.gradient-vanishes]" in page
    assert "max-ratio` = 5 (configured; the default is 100)" in rule_page.render(RULE, (("gradient-vanishes.max-ratio", 5.0),))


class Balanced(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.seen = [], set()

    def handle_starttag(self, tag, attrs):
        self.seen.add(tag)
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_notebook_is_balanced_and_escapes_everything():
    evil = "<script>alert(1)</script>&\"'"
    finding = sample.identical(parameters=(evil,), message=evil, location=Location(f"{evil}.py", 1))
    report = Report((sample.model(findings=(finding,), model=evil),), failures=(Failure("load", evil, evil, evil),))
    html = notebook.render(report)
    parser = Balanced()
    parser.feed(html)
    assert not parser.open
    assert "script" not in parser.seen
    assert report._repr_html_() == html
    assert "http" not in notebook.render(sample.failing())
