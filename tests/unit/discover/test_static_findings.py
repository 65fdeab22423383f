"""What the rules say of models that were only read: the marked faults, and nothing of what is healthy."""

import pytest

from initcheck.records.settings import Settings
from initcheck.rules import rule_classes
from initcheck.source_only import JUDGED, check_source, readable
from tests.marks import MODELS, expected

SEEN = (
    "cloned_encoder constant_everywhere default_lstm drawn_after_spectral_norm expert_stack forgotten_empty half_written lora_both_zero "
    "norm_drawn_small overwritten_by_apply padding_redrawn plain_attribute positive_uniform untied_by_resize wiped_table xavier_under_relu "
    "zeroed_hidden_batchnorm"
).split()
"""The sick models whose fault shows in the source."""

OTHERWISE = {"equal_router": "IC302"}
"""Sick models that are named by the rule about the cause, where only a run shows the consequence."""


def reports(path, **settings):
    targets, problems = readable(str(path))
    assert not problems
    return [check_source(target, Settings(**settings)) for target in targets]


def loud(path):
    found = reports(path)
    assert found
    assert not [report.failures for report in found if report.failures]
    return {(f.location.line if f.location else 0, f.code) for report in found for f in report.findings if f.severity != "info"}


@pytest.mark.parametrize("path", sorted((MODELS / "healthy").glob("*.py")), ids=lambda path: path.stem)
def test_healthy_models_are_silent(path):
    assert not loud(path)


@pytest.mark.parametrize("path", sorted((MODELS / "sick").glob("*.py")), ids=lambda path: path.stem)
def test_sick_models_are_named_where_the_source_shows_it(path):
    marks = expected(path)
    if path.stem in SEEN:
        assert loud(path) == marks
    elif path.stem in OTHERWISE:
        assert loud(path) == {(line, OTHERWISE[path.stem]) for line, _ in marks}
    else:
        assert not loud(path)


def example(cls, which, tmp_path, index, source):
    path = tmp_path / f"{which}{index}.py"
    path.write_text(source)
    (target,), _ = readable(f"{path}::model")
    return check_source(target, Settings())


@pytest.mark.parametrize("cls", rule_classes(), ids=lambda cls: cls.name())
def test_examples(cls, tmp_path):
    """No rule speaks of a good example, and no other rule of a bad one, unless it is about the same weights."""
    for index, one in enumerate(cls.examples):
        good, bad = (example(cls, which, tmp_path, index, getattr(one, which)) for which in ("good", "bad"))
        assert not good.failures and not bad.failures
        assert not [finding for finding in good.findings if finding.severity != "info"]
        others = {finding.code for finding in bad.findings if finding.severity != "info"} - {cls.code}
        assert others <= ({"IC501"} if cls.code == "IC503" else set())


SPOKEN = {
    *(
        "IC201",
        "IC204",
        "IC205",
        "IC206",
        "IC301",
        "IC302",
        "IC304",
        "IC305",
        "IC404",
        "IC406",
        "IC501",
        "IC702",
        "IC801",
        "IC803",
        "IC804",
    ),
    *("IC806", "IC807"),
}


@pytest.mark.parametrize("cls", [cls for cls in rule_classes() if cls.code in SPOKEN], ids=lambda cls: cls.name())
def test_the_bad_example_is_found_in_its_source(cls, tmp_path):
    found = [example(cls, "bad", tmp_path, index, one.bad) for index, one in enumerate(cls.examples)]
    assert any(cls.code in {finding.code for finding in report.findings} for report in found)


def test_only_rules_that_facts_of_source_suffice_for_are_asked(tmp_path):
    path = tmp_path / "net.py"
    path.write_text("from torch import nn\nmodel = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 2))\n")
    (report,) = reports(path)
    assert set(report.checked) == JUDGED <= {cls.code for cls in rule_classes()}
    every = len(rule_classes())
    assert f"static: {every - len(JUDGED)} of {every} rules need the built model" in [skip.reason for skip in report.skips]
    (report,) = reports(path, select=("IC1", "IC201"))
    assert report.checked == ("IC201",)
    assert report.built is not None and report.built.source_only
    assert report.model == "Sequential" and report.parameters == 30
    assert [layer.std is not None for layer in report.layers] == [True, True]
    assert report.layers[0].feeds == ("relu",)


def test_what_does_not_follow_from_the_source_is_said(tmp_path):
    path = tmp_path / "net.py"
    path.write_text("from torch import nn\nfrom elsewhere import init\nmodel = nn.Linear(4, 4)\ninit(model)\n")
    (report,) = reports(path)
    assert {skip.subject for skip in report.skips if "do not follow" in skip.reason} == {"weight", "bias"}


def test_a_folder_and_a_module_are_read_without_importing(tmp_path, monkeypatch):
    package = tmp_path / "package"
    package.mkdir()
    (package / "net.py").write_text("import torch\nfrom torch import nn\nraise SystemExit\n\nclass Net(nn.Linear):\n    pass\n")
    (package / "net2.py").write_text(
        "from torch import nn\n\nclass Net(nn.Module):\n    def __init__(self, size):\n        super().__init__()\n        self.fc = nn.Linear(size, 2)\n"
    )
    (package / "plain.py").write_text("x = 1\n")
    targets, problems = readable(str(package))
    assert not problems
    assert {target.spec.rpartition("/")[2] for target in targets} >= {"net2.py::Net"}
    monkeypatch.chdir(tmp_path)
    (target,), _ = readable("package.net2:Net")
    assert target.path.endswith("net2.py")
    assert check_source(target, Settings()).model == "Net"
