from __future__ import annotations

import pytest

from initcheck.config import load
from initcheck.errors import ConfigError, UsageError
from initcheck.records.settings import Settings


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def write(text, name="pyproject.toml"):
        (tmp_path / name).write_text(text, encoding="utf-8")
        return tmp_path

    return write


def read(folder, environ=None, **flags):
    return load(folder, environ or {}, flags)


def test_nothing_configured_is_the_default(project):
    configuration = read(project("[project]\nname = 'x'\n"))
    assert configuration.settings == Settings()
    assert configuration.origins == ()


def test_everything_that_can_be_set(project):
    folder = project("""
[tool.initcheck]
targets = ["train.py::model", "pkg.models:build"]
select = ["IC1", "zero-weight"]
ignore = ["IC103"]
fail-on = "error"
seed = 3
batch = 16
timeout = 30
[tool.initcheck.inputs]
"pkg.models:build" = "x=float32[8,3,64,64]"
"train.py::model" = ["a=1,2", "b=3,4"]
""")
    configuration = read(folder)
    assert configuration.settings == Settings(("IC1", "zero-weight"), ("IC103",), "error", (), 3, 16, 30.0)
    assert configuration.targets == ("train.py::model", "pkg.models:build")
    assert configuration.inputs_of("pkg.models:build") == ("x=float32[8,3,64,64]",)
    assert configuration.inputs_of("other", "train.py::model") == ("a=1,2", "b=3,4")
    assert dict(configuration.origins)["seed"] == str(folder / "pyproject.toml")


def test_the_nearest_file_wins_and_initcheck_toml_goes_first(project, tmp_path):
    project("[tool.initcheck]\nseed = 1\n")
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    assert read(below).settings.seed == 1
    (tmp_path / "a" / "pyproject.toml").write_text("[project]\nname = 'inner'\n")
    assert read(below).settings.seed == 1
    (tmp_path / "a" / "initcheck.toml").write_text("seed = 2\n")
    assert read(below).settings.seed == 2


def test_targets_are_seen_from_the_working_directory(project, tmp_path, monkeypatch):
    project("[tool.initcheck]\ntargets = ['m.py::Net', 'pkg.mod:f']\n[tool.initcheck.inputs]\n'm.py::Net' = '3'\n")
    (tmp_path / "m.py").write_text("")
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    configuration = read(tmp_path / "below")
    assert [target.replace("\\", "/") for target in configuration.targets] == ["../m.py::Net", "pkg.mod:f"]
    assert configuration.inputs_of(configuration.targets[0]) == ("3",)


def test_flags_over_environment_over_file(project):
    folder = project("[tool.initcheck]\nseed = 1\nbatch = 1\ntimeout = 1.0\n")
    environ = {"INITCHECK_SEED": "2", "INITCHECK_BATCH": "2", "INITCHECK_SELECT": "IC1, IC2", "INITCHECK_OUTPUT_FORMAT": "json"}
    configuration = read(folder, environ, seed=3, ignore=(), timeout=None)
    assert (configuration.settings.seed, configuration.settings.batch, configuration.settings.timeout) == (3, 2, 1.0)
    assert configuration.settings.select == ("IC1", "IC2")
    assert dict(configuration.origins)["seed"] == "command line"
    assert dict(configuration.origins)["batch"] == "environment"


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("selct = ['IC1']", "unknown key 'selct'", "did you mean 'select'?"),
        ("fail_on = 'error'", "unknown key 'fail_on'", "did you mean 'fail-on'?"),
        ("fail-on = 'fatal'", "one of info, warning, error", ""),
        ("select = 'IC1'", "a list of strings", ""),
        ("select = ['IC999']", "no rule matches 'IC999'", ""),
        ("ignore = ['']", "no rule matches ''", ""),
        ("ignore = ['zero-wieght']", "no rule matches 'zero-wieght'", "did you mean 'zero-weight'?"),
        ("seed = -1", "a whole number", ""),
        ("seed = true", "a whole number", ""),
        ("timeout = 0", "seconds above 0", ""),
        ("timeout = nan", "seconds above 0", ""),
        ("inputs = 'x'", "a table", ""),
        ("inputs = {a = 3}", "must be text", ""),
        ("rules = {zero-wieght = {a = 1}}", "no rule 'zero-wieght'", "zero-weight"),
        ("rules = {zero-weight = {nonsense = 1}}", "no option 'nonsense'", ""),
        ("rules = {zero-weight = {nonsense = 'x'}}", "must be a number", ""),
        ("rules = {zero-weight = 1}", "must be a table", ""),
        ("seed = ", "", "valid TOML"),
    ],
)
def test_what_is_not_understood_names_the_file(project, text, message, hint):
    folder = project(f"[tool.initcheck]\n{text}\n")
    with pytest.raises(ConfigError) as caught:
        read(folder)
    assert message in caught.value.message
    assert "pyproject.toml" in caught.value.message
    assert hint in caught.value.hint
    assert caught.value.exit_code == 2


def test_a_rules_option(project):
    from initcheck.rules import catalogue

    rule = next(info for info in catalogue() if info.options)
    option = rule.options[0].name
    folder = project(f"[tool.initcheck.rules.{rule.name}]\n{option} = 7\n")
    assert read(folder).settings.options == ((f"{rule.name}.{option}", 7.0),)


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({"INITCHECK_SEED": "x"}, "INITCHECK_SEED"),
        ({"INITCHECK_FAIL_ON": "x"}, "INITCHECK_FAIL_ON"),
        ({"INITCHECK_FAILON": "error"}, "unknown environment variable INITCHECK_FAILON"),
        ({"INITCHECK_IGNORE": "nothing-such"}, "environment"),
    ],
)
def test_environment_slips(tmp_path, environ, message):
    with pytest.raises(ConfigError, match=message):
        read(tmp_path, environ)


def test_foreign_and_empty_variables_are_left_alone(tmp_path):
    assert read(tmp_path, {"INITCHECK_CI_IMAGE_TAG": "3", "INITCHECK_SEED": ""}).settings == Settings()


def test_a_wrong_flag_is_a_usage_error(tmp_path):
    with pytest.raises(UsageError, match="--select: no rule matches 'IC99'"):
        read(tmp_path, select=("IC99",))


def test_arguments_of_a_class_as_they_would_be_typed(project):
    folder = project("""
[tool.initcheck.args]
"m.py::Net" = { width = 64, name = "it's", sizes = [1, 2] }
"m.py::Other" = [3, 10]
""")
    configuration = read(folder)
    assert configuration.arguments_of("m.py::Net") == 'width=64, name="it\'s", sizes=[1, 2]'
    assert configuration.arguments_of("elsewhere", "m.py::Other") == "3, 10"
    assert configuration.arguments_of("m.py") is None


def test_a_project_does_not_vouch_for_itself(project):
    folder = project("[tool.initcheck]\ntrust = true\n")
    with pytest.raises(ConfigError, match="trust is not for a file") as told:
        read(folder)
    assert "--trust" in told.value.hint
    project("")
    assert read(folder, {"INITCHECK_TRUST": "1"}).settings.trust
