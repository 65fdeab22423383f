"""How a verification is told: at the terminal, as a page, as JSON, from plain records alone."""

import dataclasses
import math
import re
import subprocess
import sys
from xml.etree import ElementTree

import pytest

from initcheck.records.verification import Comparison, Wish
from initcheck.report.verification import html, json, terminal, words
from tests.unit.report.trained import sample


def text(verification, **more):
    return terminal.render(verification, **({"color": False, "ascii_only": False, "width": 100} | more))


def test_the_first_line_says_which_data_were_used():
    first = text(sample()).splitlines()[0]
    assert first.startswith("data") and "MNIST subset, bundled with initcheck" in first


def test_table_verdict_and_remarks():
    said = text(sample())
    assert re.search(r"before +10\.0 % +10\.0 % NaN +0\.001", said)
    assert "✓ IMPROVED by 84.0 points" in said and "95 % interval +83.0 to +85.0, 3 seeds" in said
    assert "`before` diverges at lr 0.01 (3 of 3 runs)" in said
    assert "never before, 1.5 after" in said


@pytest.mark.parametrize(("verdict", "mark"), [("WORSE", "✗"), ("NO DIFFERENCE", "="), ("INCONCLUSIVE", "?")])
def test_every_verdict_has_its_words(verdict, mark):
    said = text(sample(verdict, -0.5))
    assert f"{mark} {verdict}" in said
    if verdict == "INCONCLUSIVE":
        assert "--seeds" in said


def test_no_line_is_wider_than_the_terminal_and_ascii_is_ascii():
    for width in (60, 80, 120):
        assert max(map(len, text(sample(), width=width).splitlines())) <= width
    text(sample(), ascii_only=True).encode("ascii")
    assert "\x1b[" in text(sample(), color=True)


def test_nothing_trained_is_told():
    same = dataclasses.replace(sample("NO DIFFERENCE", 0.0), plan=None, results=(), runs=())
    same = dataclasses.replace(same, comparison=dataclasses.replace(same.comparison, counted=0))
    assert "NO DIFFERENCE: because" in text(same)
    assert "NO DIFFERENCE" in html.render(same)


def test_a_cut_verification_is_told():
    nan = math.nan
    cut = sample(
        complete=False, results=(), comparison=Comparison("INCONCLUSIVE", "the budget ended", nan, nan, nan, (), nan, nan, 0, 2.0, 1.0)
    )
    assert "INCONCLUSIVE: the budget ended" in text(cut)
    assert cut.unfinished and not cut.ok


def test_json_is_the_same_bytes_and_comes_back():
    one = sample()
    assert json.render(one) == json.render(sample())
    assert json.load(json.render(one)) == one
    assert '"verdict": "IMPROVED"' in json.render(one)


def test_the_page_is_one_file_without_scripts_and_well_formed():
    page = html.render(sample())
    assert not re.search(r"src=|href=|url\(|@import|<script(?! type=\"application/json\")", page)
    assert "net&lt;before&gt;.py" in page and "net<before>" not in page
    drawings = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    assert len(drawings) == 2
    for drawing in drawings:
        root = ElementTree.fromstring(drawing)
        assert root.get("role") == "img" and root.find("title").text and root.find("desc").text
        assert "nan" not in drawing and "inf" not in drawing
        assert root.findall(".//polyline")
    assert len(page) < 200_000


def test_a_gain_below_what_was_asked_for_is_not_ok():
    assert sample().ok
    assert not sample(wish=Wish(min_gain=90.0)).ok
    assert not sample("WORSE", -3.0).ok and sample("WORSE", -3.0, wish=Wish(min_gain=-5.0)).ok
    assert sample("NO DIFFERENCE", -0.5).ok and not sample("INCONCLUSIVE", 0.9, wish=Wish(min_gain=0.5)).ok


def test_telling_needs_no_torch():
    code = "import sys, initcheck.report.verification.html, initcheck.report.verification.terminal, initcheck.cli.verify; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_signs_are_true_minus_signs():
    assert words.signed(-1.25) == "−1.2" and words.signed(2) == "+2.0"


def test_short_runs_are_to_be_made_longer_rather_than_more():
    unsure = sample("INCONCLUSIVE", 3.0)
    short = dataclasses.replace(unsure, plan=dataclasses.replace(unsure.plan, steps=25))
    assert "runs of 25 steps are short: --budget 240s makes them longer" in words.remarks(short)
    assert any("more seeds" in remark for remark in words.remarks(unsure))
    asked = dataclasses.replace(short, wish=dataclasses.replace(short.wish, epochs=0.2))
    assert not any("makes them longer" in remark for remark in words.remarks(asked))


def test_a_best_rate_at_the_edge_of_a_sweep_is_told_and_of_two_rates_is_none():
    found = sample()
    assert not any("last of the sweep" in remark for remark in words.remarks(found))
    after = found.results[1]
    lower = dataclasses.replace(after.rates[0], rate=after.rates[0].rate / 10, held=0.0)
    wide = dataclasses.replace(after, rates=(lower, *after.rates), best=after.rates[-1].rate)
    told = words.remarks(dataclasses.replace(found, results=(found.results[0], wide)))
    assert "the best rate of `after` is the last of the sweep: a wider one may change the figures (initcheck verify --lrs)" in told
