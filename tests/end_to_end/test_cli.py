from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from initcheck.report import json as voice
from tests.end_to_end.process import FAKE, NET, ROOT, environment, here, run, start

SICK = """\
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(64, 64)
        self.second = nn.Linear(64, 10)
        nn.init.zeros_(self.first.weight)
        nn.init.zeros_(self.first.bias)

    def forward(self, x):
        return self.second(torch.relu(self.first(x)))


print("building the model")
model = Net()
"""

GOOD = """\
from torch import nn

model = nn.Sequential(nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 10))
nn.init.kaiming_normal_(model[0].weight, nonlinearity="relu")
"""

DEADLY = """\
import os
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        os._exit(3)


model = Net()
"""


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    """One run of the real engine over a sick, a deadly and a good model, with two outputs besides."""
    folder = tmp_path_factory.mktemp("größe mit Leerzeichen")
    for name, text in (("sick.py", SICK), ("deadly.py", DEADLY), ("good.py", GOOD)):
        (folder / name).write_text(text, encoding="utf-8")
    return folder, run("sick.py", "deadly.py", "good.py", "-o", "json:out.json", "-o", "concise:out.txt", cwd=folder)


def test_a_crash_leaves_the_other_models_their_reports(real):
    _, (code, out, _) = real
    assert code == 4
    assert "error IC301 zero-weight" in out
    assert "error crashed: deadly.py::model" in out
    assert "exit code 3" in out
    assert "✓ good.py::model" in out
    assert "1 target could not be checked" in out


def test_the_frame_points_at_the_users_line(real):
    _, (_, out, _) = real
    assert "  --> sick.py:10:9   first." in out
    assert "10 |         nn.init.zeros_(self.first.weight)\n" in out
    assert "built   from line 18 `Net()`" in out


def test_every_output_was_written_from_the_one_run(real):
    folder, _ = real
    report = voice.load((folder / "out.json").read_text())
    assert [model.target.spec for model in report.models] == ["sick.py::model", "deadly.py::model", "good.py::model"]
    assert (folder / "out.txt").read_text().startswith("sick.py:10:9: error IC301 zero-weight ")


def test_two_runs_say_the_same(real):
    folder, _ = real
    code, out, _ = run("sick.py", "--output-format", "json", cwd=folder)
    assert code == 1
    again, before = json.loads(out), json.loads((folder / "out.json").read_text())
    assert json.dumps(again["models"][0]) == json.dumps(before["models"][0])
    assert again["torch"] == before["torch"] != ""


@pytest.fixture
def folder(tmp_path):
    for name in ("model.py", "good.py", "many.py", "hang.py", "bug.py"):
        (tmp_path / name).write_text(NET, encoding="utf-8")
    (tmp_path / "plain.py").write_text("x = 1\n")
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["good.py"], 0),
        (["model.py"], 1),
        (["check", "model.py", "good.py"], 1),
        (["model.py", "--exit-zero"], 0),
        (["model.py", "--fail-on", "error", "-q"], 1),
        (["bug.py", "good.py"], 3),
        (["hang.py", "--timeout", "1", "good.py", "-e"], 4),
        (["missing.py"], 4),
        (["plain.py"], 5),
        (["plain.py", "--allow-empty"], 0),
        (["--allow-empty"], 0),
        ([], 2),
    ],
)
def test_exit_codes(folder, arguments, code):
    got, out, err = here(*arguments, cwd=folder)
    assert (got, "Traceback" in out) == (code, False), out + err
    if code == 0 and "good.py" in arguments:
        assert out.startswith("✓ good.py::model")


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX sends them")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interruption_ends_the_child_too(folder, number, code):
    process = start("hang.py", cwd=folder, fake=True)
    assert process.stderr.readline() == "│ hanging\n".encode()
    process.send_signal(number)
    began = time.monotonic()
    out, err = process.communicate(timeout=20)
    assert process.returncode == code
    assert b"Traceback" not in out + err
    assert time.monotonic() - began < 10


def test_an_unforeseen_error_is_one_line_and_code_3(monkeypatch, folder, capsys):
    from initcheck import cli

    def broken(_):
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr(cli, "_run", broken)
    assert cli.main(["model.py"]) == 3
    assert "initcheck itself failed: ZeroDivisionError: division by zero\nhelp: please report" in capsys.readouterr().err
    assert cli.main(["model.py", "-vv"]) == 3
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.skipif(os.name != "posix", reason="needs a POSIX shell")
@pytest.mark.parametrize("arguments", ["many.py", "many.py --output-format json", "many.py -q --output-format concise", "--help"])
def test_a_reader_that_leaves_is_no_error(folder, arguments):
    command = f'set -o pipefail; "{sys.executable}" -c "$FAKE" {arguments} | head -1'
    done = subprocess.run(["bash", "-c", command], cwd=folder, env=environment(FAKE=FAKE), capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert len(done.stdout.splitlines()) == 1
    assert done.returncode == (0 if arguments == "--help" else 1)


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "utf-8"])
def test_every_encoding_gets_a_report(folder, encoding):
    code, out, err = run("model.py", "good.py", cwd=folder, fake=True, encoding=encoding, PYTHONIOENCODING=encoding)
    assert code == 1
    assert err == ""
    assert "error IC301 zero-weight" in out
    assert ("✓ good.py" in out) is (encoding == "utf-8")


@pytest.mark.parametrize(
    ("options", "variables", "colored"),
    [
        ([], {}, False),
        ([], {"FORCE_COLOR": "1"}, True),
        ([], {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        (["--color", "never"], {"FORCE_COLOR": "1"}, False),
        (["--color", "always"], {"NO_COLOR": "1"}, True),
    ],
)
def test_colour(folder, options, variables, colored):
    _, out, _ = run("model.py", *options, cwd=folder, fake=True, **variables)
    assert ("\x1b[" in out) is colored


def test_concise_keeps_standard_output_to_findings(folder):
    code, out, err = run("model.py", "good.py", "--output-format", "concise", cwd=folder, fake=True)
    assert code == 1
    assert out == "model.py:1:1: error IC301 zero-weight fault 0 of ✓ (größer.weight)\n"
    assert "Found 1 error in 2 models." in err
    assert run("model.py", cwd=folder, fake=True, INITCHECK_OUTPUT_FORMAT="concise")[1] == out


def test_configured_targets_are_what_a_bare_call_checks(folder):
    (folder / "pyproject.toml").write_text("[tool.initcheck]\ntargets = ['good.py']\n")
    code, out, err = here("-v", cwd=folder)
    assert code == 0
    assert out.startswith("✓ good.py::model")
    assert "targets: from" in err
    (folder / "below").mkdir()
    assert "../good.py" in here(cwd=folder / "below")[1].replace("\\", "/")


def test_targets_lists_what_there_is(folder):
    code, out, _ = here("targets", ".", cwd=folder)
    assert code == 0
    assert [line.split() for line in out.splitlines()][0][1] == "instance"
    assert len(out.splitlines()) == 5


def test_rule_pages_and_list():
    code, out, _ = here("rule", "IC301", cwd=ROOT)
    assert code == 0
    assert out.startswith("# zero-weight (IC301)\n")
    assert out == here("rule", "zero-weight", cwd=ROOT)[1]
    listing = here("rule", cwd=ROOT)[1]
    assert "IC301  zero-weight" in listing
    assert "recommendations" in listing
    assert max(map(len, listing.splitlines())) <= 100


def test_all_pages_are_complete():
    from initcheck.rules import catalogue
    from initcheck.theory.reference import TABLES

    code, out, _ = here("rule", "--all", cwd=ROOT)
    assert code == 0
    for rule in catalogue():
        assert out.count(f"# {rule.name} ({rule.code})\n") == 1
    for title, _ in TABLES.values():
        assert f"# {title}\n" in out
    for heading in ("What it does", "Why is this bad?", "When it is silent", "References"):
        assert out.count(f"## {heading}\n") == len(catalogue())
    for heading in ("Bad", "Good"):
        assert out.count(f"## {heading}\n") == sum(len(rule.examples) for rule in catalogue())


def test_reference_tables_have_pages():
    code, out, _ = here("rule", "gains", cwd=ROOT)
    assert code == 0
    assert "gelu_tanh" in out
    assert max(map(len, out.splitlines())) <= 100
    assert "feeds relu" in here("rule", "recommendations", cwd=ROOT)[1]
    assert "gradient" in here("rule", "gian", cwd=ROOT)[2] or here("rule", "gian", cwd=ROOT)[0] == 2


def test_show_prints_the_layer_table(real):
    folder, _ = real
    code, out, err = run("show", "sick.py", cwd=folder)
    assert code == 0
    assert "looks like" in out
    assert "64→10" in out
    assert "✗ IC301" in out
    assert err == "│ building the model\n" or err == ""


def test_the_configuration_gives_constructor_arguments(tmp_path):
    (tmp_path / "net.py").write_text(
        "from torch import nn\n\n\nclass Net(nn.Module):\n    def __init__(self, width, depth):\n        super().__init__()\n"
        "        self.layers = nn.Sequential(*[nn.Linear(width, width) for _ in range(depth)])\n\n"
        "    def forward(self, x):\n        return self.layers(x)\n"
    )
    (tmp_path / "initcheck.toml").write_text('[args]\n"net.py::Net" = { width = 24, depth = 3 }\n')
    code, out, _ = run("net.py", cwd=tmp_path)
    assert code == 0, out
    assert "net.py::Net(width=24, depth=3)  Net, 1,800 parameters" in out
    code, out, _ = run("net.py::Net(8, 2)", cwd=tmp_path)
    assert "144 parameters" in out
