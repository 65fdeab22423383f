from __future__ import annotations

import dataclasses
import re

import pytest

from initcheck.records.finding import Failure, Fix, Skip
from initcheck.records.recording import InitCall
from initcheck.records.report import Report
from initcheck.records.source import Location
from initcheck.records.target import Recipe, Target
from initcheck.report import terminal
from initcheck.report.style import cells
from tests.unit.report import sample

ESCAPES = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture
def source(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.py").write_text(sample.SOURCE, encoding="utf-8")
    return tmp_path


def render(report, *, color=False, ascii_only=False, width=100, **options):
    return terminal.render(report, color=color, ascii_only=ascii_only, width=width, **options)


FULL = """\
train.py::model  Net, 250,378 parameters
  built   from line 30 `Net(width, depth).to(device)` · executed 5 of 12 top-level statements
          not executed: MNIST download (line 9), training loop (line 32)
          note: line 6 asks for cuda; built on cpu
  input   float32[32,784]  inferred from body.0.in_features

error IC101 gradient-vanishes: gradients shrink 4,430× from `mix` back to `body.2`
  --> train.py:9:24   body.{2,4..16}.weight
   |
 8 |         for _ in range(depth - 2):
 9 |             layers += [nn.Linear(width, width), nn.ReLU()]
   |                        ^^^^^^^^^^^^^^^^^^^^^^^ std 0.051; a ReLU stack of this width needs 0.125
10 |         self.body = nn.Sequential(*layers)
   |
   = observed std 0.051 in 8 layers
   = expected std 0.125, a gain of √2
   = signal   ▅▅▄▄▃▃▃▃▃▄▆   rms 0.24 → 0.6, lowest 0.0125, 11 layers (log axis 0.001 … 10)
   = gradient ▆▁▂▂▂▃▃▃▃▆▇   rms 0.4 → 1, lowest 0.0004, 11 layers (log axis 0.0001 … 10)
   = why      nn.Linear's default is kaiming_uniform(a=√5), a gain of 0.58; ReLU needs √2 = 1.41
   = also     the loss starts at 4.38, not ln 10 = 2.30
help: kaiming_normal_(nonlinearity="relu") for `body`

warning IC201 identical-units: all 128 outputs of `mix` are the same function
  --> train.py:12:2   mix.weight
   |
11 |         self.mix = nn.Linear(width, width)
12 |     nn.init.constant_(self.mix.weight, 0.01)
   |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ units receive the same gradient
13 |         self.head = nn.Linear(width, 10)  # größer
   |

Found 1 error, 1 warning in 1 model.
Not judged: 3 times, because
     2 × not used in the run (IC201, body.{2,4}.weight)
     1 × feeds the model's output (IC301, head.weight)
Why? `initcheck rule IC101`
"""


def test_the_whole_report(source):
    assert render(sample.failing(), width=120) == FULL


def test_colour_changes_nothing_but_colour(source):
    colored = render(sample.failing(), color=True)
    assert "\x1b[1;31merror IC101" in colored
    assert ESCAPES.sub("", colored) == render(sample.failing())


@pytest.mark.parametrize("width", [40, 60, 80, 120])
@pytest.mark.parametrize("ascii_only", [False, True])
def test_lines_fit_the_terminal(source, width, ascii_only):
    text = render(sample.failing(), width=width, ascii_only=ascii_only)
    longest_word = max(cells(word) for word in text.split())
    assert max(map(cells, text.splitlines())) <= max(width, longest_word + 14)
    assert "IC101 gradient-vanishes" in text


def test_ascii_is_ascii_and_keeps_the_caret_in_place(source):
    text = render(sample.failing(), ascii_only=True, width=120)
    assert text.isascii()
    lines = text.splitlines()
    at = next(index for index, line in enumerate(lines) if "layers += " in line)
    assert lines[at].index("nn.Linear") == lines[at + 1].index("^")


def test_carets_stand_right_under_wide_characters_and_tabs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    line = "\tx = {'日本語': nn.Linear(1, 1)}"
    (tmp_path / "wide.py").write_text(line + "\n", encoding="utf-8")
    column = line.index("nn.") + 1
    finding = sample.identical("wide.py", location=Location("wide.py", 1, column, column + 15), note="")
    lines = render(Report((sample.model("wide.py", (finding,)),))).splitlines()
    at = next(index for index, text in enumerate(lines) if "日本語" in text)
    assert cells(lines[at].split("nn.")[0]) == cells(lines[at + 1].split("^")[0])
    assert lines[at + 1].count("^") == 15


def test_a_long_source_line_is_cut_around_the_caret(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "long.py").write_text("x = [" + "0, " * 100 + "zeros_(w)" + ", 1" * 100 + "]\n", encoding="utf-8")
    finding = sample.identical("long.py", location=Location("long.py", 1, 306, 315))
    text = render(Report((sample.model("long.py", (finding,)),)), width=80)
    assert "zeros_(w)" in text
    assert max(map(len, text.splitlines())) <= 80


@pytest.mark.parametrize("content", [None, b"\xff\xfe broken \x00", b"# coding: no-such\n", b"one line\n"])
def test_an_unreadable_source_costs_only_the_excerpt(tmp_path, monkeypatch, content):
    monkeypatch.chdir(tmp_path)
    if content is not None:
        (tmp_path / "train.py").write_bytes(content)
    text = render(sample.failing())
    assert "--> train.py:9:24" in text
    assert "std 0.051; a ReLU stack of this width needs 0.125" in text


def test_a_finding_without_place_or_column(source):
    nowhere = sample.identical(location=None)
    line_only = sample.vanishing(location=Location("train.py", 9))
    text = render(Report((sample.model(findings=(nowhere, line_only)),)))
    assert "  --> mix.weight\n   | units receive the same gradient\n" in text
    assert "  --> train.py:9   body" in text
    assert "^" not in text


def test_absolute_paths_below_here_are_shown_short(source):
    finding = sample.identical(location=Location(str(source / "train.py"), 12, 2, 42))
    assert "--> train.py:12:2" in render(Report((sample.model(findings=(finding,)),)))


def test_clean():
    assert render(sample.clean()) == (
        "✓ train.py::model  Net, 250,378 parameters · input float32[32,784] · no findings (3 rules)\nAll clear: 1 model, 3 rules, seed 0.\n"
    )
    assert render(sample.clean(), quiet=True) == ""


@pytest.mark.parametrize(
    "unmeasured",
    [
        {"input": None},
        {"checked": ()},
        {"failures": (Failure("rule", "IC101", "ZeroDivisionError", "", "rule-crashed"),)},
    ],
)
def test_what_was_not_measured_is_never_called_clear(unmeasured):
    text = render(Report((sample.model(**unmeasured),)))
    assert "clear" not in text
    assert "✓" not in text
    assert "could not be" in text


def test_failures_say_what_to_do():
    assert render(sample.broken()) == (
        "error needs-args: cannot build net.py::Net — missing: width\n"
        "help: initcheck 'net.py::Net(width=...)'\n"
        "Why? `initcheck rule needs-args`\n"
        "\n"
        "1 target could not be checked.\n"
    )


def test_a_failure_names_its_target_when_its_message_does_not():
    text = render(Report((), failures=(Failure("load", "a.py", "line 3 is no Python\n  x = = 1", "fix it\nthen again"),)))
    assert "error load: a.py: line 3 is no Python\n    x = = 1\nhelp: fix it\n      then again\n" in text


def test_findings_and_failures_of_one_model_both_show(source):
    failure = Failure("forward", "train.py::model", "the forward pass failed", "--input", "forward-failed")
    text = render(Report((sample.model(findings=(sample.identical(),), failures=(failure,), input=None),)))
    assert "IC201" in text
    assert "error forward-failed" in text
    assert "1 target could not be checked" in text


def test_many_reasons_are_counted_unless_asked_for():
    skips = tuple(Skip("IC101", f"layer.{n}", f"reason {n}") for n in range(10))
    report = Report((sample.model(skips=skips),))
    assert "and 4 other reasons (-v shows all)" in render(report)
    assert sum("× reason" in line for line in render(report).splitlines()) == terminal.REASONS
    assert sum("× reason" in line for line in render(report, verbose=True).splitlines()) == 10


def test_the_profile_is_drawn_once(source):
    report = Report((sample.model(findings=(sample.vanishing(), sample.vanishing(code="IC102"))),))
    assert render(report).count("= signal") == 1
    assert "= signal" not in render(Report((sample.model(findings=(sample.identical(),)),)))


def test_no_text_from_the_user_is_lost_in_colour(source):
    assert ESCAPES.sub("", render(sample.failing(), color=True, ascii_only=True, width=60)) == render(
        sample.failing(), ascii_only=True, width=60
    )


def test_a_second_model_with_the_same_faults_is_told_in_a_line(source):
    first = sample.model(findings=(sample.identical(),))
    twin = dataclasses.replace(first, target=dataclasses.replace(first.target, spec="train.py::other"))
    text = render(Report((first, twin)))
    assert text.count("IC201 identical-units") == 1
    assert "train.py::other  " in text
    assert "the same 1 finding as train.py::model" in text
    other = dataclasses.replace(twin, findings=(dataclasses.replace(sample.identical(), parameters=("other.weight",)),))
    assert render(Report((first, other))).count("IC201 identical-units") == 2


def _with_remedies(path, *safeties):
    call = InitCall("kaiming_normal_")
    findings = tuple(
        dataclasses.replace(sample.vanishing(path), fix=Fix(("body.2.weight",), call if safety != "display" else None, safety, "write it"))
        for safety in safeties
    )
    target = Target(f"{path}::model", path, "model", "instance", recipe=Recipe((0,), 1))
    return dataclasses.replace(sample.model(), target=target, findings=findings)


@pytest.mark.parametrize(
    ("safeties", "said"),
    [
        (("safe",), "1 can be fixed: `initcheck fix train.py --diff` shows how."),
        (("unsafe", "unsafe"), "2 can be fixed: `initcheck fix train.py --unsafe-fixes --diff` shows how."),
        (("safe", "unsafe", "display"), "1 can be fixed, 1 more with --unsafe-fixes: `initcheck fix train.py --diff` shows how."),
        (("display",), ""),
    ],
)
def test_the_footer_offers_the_command_that_mends(source, safeties, said):
    text = render(Report((_with_remedies("train.py", *safeties),)))
    assert (said in text.splitlines()) if said else ("initcheck fix" not in text)
    assert "initcheck fix" not in render(Report((_with_remedies("train.py", *safeties),)), quiet=True)


def test_a_command_is_never_broken(source):
    long = f"{'a folder of ours/' * 8}train.py"
    lines = render(Report((_with_remedies(long, "safe"),))).splitlines()
    assert "1 can be fixed:" in lines and f"  initcheck fix '{long}' --diff" in lines
    many = tuple(_with_remedies(f"{number}.py", "safe") for number in range(5))
    assert "5 can be fixed: `initcheck fix FILE --diff` shows how." in render(Report(many)).splitlines()


def test_nothing_is_offered_where_no_file_can_be_mended(source):
    model = _with_remedies("-", "safe")
    typed = dataclasses.replace(model, target=dataclasses.replace(model.target, source="x = 1"))
    library = dataclasses.replace(model, target=dataclasses.replace(model.target, recipe=None))
    assert "initcheck fix" not in render(Report((typed, library)))
