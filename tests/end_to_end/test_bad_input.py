from __future__ import annotations

import pytest

from tests.end_to_end.process import NET, here, run


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "model.py").write_text(NET, encoding="utf-8")
    (tmp_path / "syntax.py").write_text("from torch import nn\nmodel = nn.Linear(3, \n", encoding="utf-8")
    (tmp_path / "bytes.py").write_bytes(b"import torch\nx = '\xff'\n")
    (tmp_path / "empty.py").write_bytes(b"")
    (tmp_path / "folder").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["chekc", "model.py"], 2, "did you mean 'check'?"),
        (["model.py", "show"], 2, "initcheck show ..."),
        (["nonsense"], 2, "no file and no command 'nonsense'"),
        (["model.py", "--selct", "IC1"], 2, "--select"),
        (["model.py", "--output-format", "jsn"], 2, "did you mean 'json'?"),
        (["model.py", "--color", "alway"], 2, "did you mean 'always'?"),
        (["model.py", "--fail-on", "eror"], 2, "did you mean 'error'?"),
        (["model.py", "--select", "IC999"], 2, "no rule matches 'IC999'"),
        (["model.py", "--ignore", "zero-wieght"], 2, "did you mean 'zero-weight'?"),
        (["model.py", "--select", ","], 2, "at least one code"),
        (["model.py", "-o", "json"], 2, "FORMAT:FILE"),
        (["model.py", "-o", "jsn:x"], 2, "did you mean 'json'?"),
        (["model.py", "--seed", "-1"], 2, "--seed"),
        (["model.py", "--batch", "x"], 2, "--batch"),
        (["model.py", "--timeout", "0"], 2, "--timeout"),
        (["model.py", "--timeout", "inf"], 2, "--timeout"),
        (["model.py", "--timeout", "nan"], 2, "--timeout"),
        (["rule", "IC1O1"], 2, "no rule 'IC1O1'"),
        (["rule", "zero-wieght"], 2, "did you mean zero-weight?"),
        (["show"], 2, "nothing to check was named"),
        (["missing.py"], 4, "missing.py"),
        (["model.py::Nte"], 4, "Nte"),
        (["syntax.py"], 4, "syntax.py"),
        (["bytes.py"], 4, "bytes.py"),
        (["empty.py"], 5, "no model"),
        (["folder"], 5, "no model"),
        (["targets", "folder"], 5, ""),
        (["targets", "missing.py"], 4, "missing.py"),
    ],
)
def test_each_mistake_has_its_code_and_its_answer(folder, arguments, code, said):
    got, out, err = here(*arguments, cwd=folder)
    assert got == code, out + err
    assert said in out + err
    assert "Traceback" not in out + err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[tool.initcheck]\nselct = ['IC1']\n", "did you mean 'select'?"),
        ("[tool.initcheck\n", "valid TOML"),
        ("[tool.initcheck.rules.zero-weight]\nnonsense = 1\n", "nonsense"),
    ],
)
def test_a_wrong_configuration_names_its_file(folder, text, said):
    (folder / "pyproject.toml").write_text(text)
    code, out, err = here("model.py", cwd=folder)
    assert (code, out) == (2, "")
    assert "pyproject.toml" in err
    assert said in err


def test_an_output_that_cannot_be_written(folder):
    code, _, err = here("model.py", "-o", "json:no/such/folder/x.json", cwd=folder)
    assert code == 2
    assert "cannot write no/such/folder/x.json" in err


def test_a_users_module_does_not_stand_in_for_the_standard_library(folder):
    for name in ("json", "queue", "random", "signal", "dataclasses"):
        (folder / f"{name}.py").write_text("raise RuntimeError('the wrong module')\n")
    code, out, err = run("model.py", cwd=folder, fake=True)
    assert code == 1, out + err
