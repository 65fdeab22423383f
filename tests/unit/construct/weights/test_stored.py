"""Stored weights are judged as stored values: what is wrong in any model is said, scale is not, and the rest is told as not judged."""

import pytest
import torch
from torch import nn

import initcheck
from initcheck.cli import session
from initcheck.report import terminal
from initcheck.rules import rule_classes
from initcheck.rules.stored import AS_STORED, NO_MODEL


@pytest.fixture
def check(tmp_path):
    def saved(tensors, **settings):
        torch.save(tensors, tmp_path / "a.pt")
        return initcheck.check(str(tmp_path / "a.pt"), **settings)

    return saved


def said(report):
    return {(finding.code, finding.severity): finding.parameters for finding in report.findings}


def rand(*shape):
    return torch.randn(*shape)


def test_what_is_wrong_in_any_model(check):
    torch.manual_seed(0)
    clone, row = rand(8, 8), rand(1, 8)
    nan = rand(8, 8)
    nan[0, 0] = float("nan")
    report = check(
        {
            "a.weight": torch.full((8, 8), 0.1),
            "b.weight": torch.zeros(8, 8),
            "c.weight": row.repeat(8, 1),
            "d.weight": torch.cat([row, row, rand(6, 8)]),
            "e.weight": nan,
            **{f"f.{index}.weight": clone.clone() for index in range(3)},
            "g.weight": rand(8, 8),
            "g.bias": torch.zeros(8),
        }
    )
    assert said(report) == {
        ("IC302", "warning"): ("a.weight",),
        ("IC301", "info"): ("b.weight",),
        ("IC303", "warning"): ("c.weight",),
        ("IC303", "info"): ("d.weight",),
        ("IC307", "error"): ("e.weight",),
        ("IC304", "warning"): ("f.1.weight", "f.2.weight"),
    }


def test_what_is_right_in_some_model_is_silent(check):
    torch.manual_seed(0)
    report = check(
        {
            "norm.weight": torch.ones(4, 6, 6),
            "norm.bias": torch.zeros(4, 6, 6),
            "spread.weight": torch.ones(3, 5),
            "spread.bias": torch.zeros(3, 5),
            "ln_1.weight": torch.ones(8),
            "gamma": torch.full((8, 1, 1), 1e-5),
            "pos_embed": torch.zeros(1, 9, 8),
            "eye.weight": torch.eye(8),
            "eye2.weight": torch.eye(8),
            "eye3.weight": torch.eye(8),
            "token_embedding.weight": torch.cat([torch.ones(2, 8), rand(6, 8)]),
            "running_mean": torch.zeros(8),
            "one.weight": rand(1, 8),
            "column.weight": rand(8, 1),
        }
    )
    assert said(report) == {}


def test_a_scale_is_never_judged(check):
    report = check({"a.weight": rand(64, 64) * 100, "b.weight": rand(64, 64) * 1e-6, "c.bias": rand(64) * 50})
    assert said(report) == {}
    reasons = {skip.reason for skip in report.skips}
    assert {AS_STORED, NO_MODEL} <= reasons
    unjudged = {skip.code for skip in report.skips if skip.reason == NO_MODEL}
    assert unjudged | set(report.models[0].checked) == {cls.code for cls in rule_classes()}
    assert report.exit_code == 0 and session.exit_code(report) == 0


def test_pairs_and_masks_are_remarks(check):
    torch.manual_seed(0)
    twin = rand(8, 8)
    mask = torch.zeros(4, 4)
    mask[0, 1] = float("-inf")
    report = check({"q.weight": twin, "k.weight": twin.clone(), "attn_mask": mask})
    assert set(said(report)) == {("IC304", "info"), ("IC307", "info")}


def test_selection_holds(check):
    report = check({"a.weight": torch.full((8, 8), 0.1), "b.weight": torch.full((8, 8), float("nan"))}, select=["IC307"])
    assert [finding.code for finding in report.findings] == ["IC307"]
    assert report.models[0].checked == ("IC307",)


def test_the_report_says_that_there_was_no_model(check):
    text = terminal.render(check({"epoch": 2, "state_dict": {"a.weight": rand(8, 8)}}), color=False, ascii_only=False, width=200)
    assert "no model, only the weights" in text
    assert "judged as stored values, not as an initialization" in text


def test_half_precision_and_packed_weights(check):
    report = check(
        {
            "a.weight": rand(16, 16).bfloat16(),
            "b.weight": rand(16, 16).to(torch.float8_e4m3fn),
            "c.weight": torch.zeros(4, 4, dtype=torch.int8),
        }
    )
    assert report.models[0].parameters == 512
    assert any("int8 values" in skip.reason for skip in report.skips)


def test_a_trusted_module_is_checked_as_any_other(check):
    model = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 4))
    nn.init.constant_(model[0].weight, 0.1)
    nn.init.zeros_(model[2].weight)
    report = check(model, trust_pickle=True)
    assert report.models[0].input is not None
    assert "IC302" in {finding.code for finding in report.findings}
    assert any("no initialization any more" in note for note in report.models[0].built.notes)


def test_a_folder_that_save_pretrained_wrote(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    torch.save({"a.weight": rand(8, 8)}, tmp_path / "pytorch_model.bin")
    (model,) = initcheck.check(str(tmp_path)).models
    assert model.built.notes[-1] == f"to check the model itself: initcheck hf:{tmp_path}"


def layers(scale):
    torch.manual_seed(0)
    return {f"layers.{i}.fc.weight": torch.randn(32, 32) * 0.1 * (scale if i == 3 else 1.0 + 0.1 * i) for i in range(8)}


@pytest.mark.parametrize(("scale", "told"), [(1.0, False), (4.0, False), (30.0, True), (0.01, True)])
def test_one_weight_far_from_its_siblings(tmp_path, scale, told):
    torch.save(layers(scale), tmp_path / "w.pt")
    (model,) = initcheck.check(str(tmp_path / "w.pt")).models
    found = [finding for finding in model.findings if finding.name == "scale-outlier"]
    assert bool(found) is told
    assert not told or (found[0].parameters == ("layers.3.fc.weight",) and found[0].severity == "info")


def test_the_coverage_is_stated(tmp_path):
    state = {**layers(1.0), "layers.0.fc.bias": torch.zeros(32).half(), "steps": torch.tensor(3)}
    torch.save(state, tmp_path / "w.pt")
    (model,) = initcheck.check(str(tmp_path / "w.pt")).models
    reasons = [skip.reason for skip in model.skips]
    assert "coverage: 9 of 10 stored tensors were measured, 8,224 elements, each read once; 8 float32, 1 float16" in reasons
