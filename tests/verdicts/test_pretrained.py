"""Loads from a file: healthy ones say at most that the head is random; each sick one is named at its parameter and line."""

from pathlib import Path

import pytest
import torch

import initcheck
from tests.verdicts import loaded_starts as starts
from tests.verdicts.verdict import SILENT, judge, says

HEALTHY = [
    starts.whole,
    starts.with_a_new_head,
    starts.without_the_old_head,
    starts.head_drawn_anew,
    starts.with_adapters,
    starts.adapters_built_first,
    starts.frozen_backbone,
    starts.Wrapped,
    starts.averaged,
    starts.half_precision,
    starts.one_channel,
    starts.two_stages,
]
SICK = [
    (starts.applied_afterwards, says("error", at="stem.weight", by="pretrained-overwritten"), "nn.init.kaiming_normal_(module.weight"),
    (starts.one_layer_drawn_anew, says("error", at="blocks.1.up.weight", by="pretrained-overwritten"), "model.blocks[1].up.weight"),
    (starts.reset_afterwards, says("error", at="stem.weight", by="pretrained-overwritten"), "module.reset_parameters()"),
    (starts.wrong_prefix, says("error", at="stem.weight", by="loaded-nothing"), "module.{name}"),
    (starts.truncated, says("error", at="blocks.2.up.weight", by="partly-loaded-body"), '("blocks.2", "blocks.3")'),
    (starts.deeper, says("error", at="blocks.5.up.weight", by="partly-loaded-body"), "model.load_state_dict(weights(), strict=False)"),
    (starts.renamed_layers, says("error", at="blocks.0.up.weight", by="partly-loaded-body"), 'name.replace("blocks.", "layers.")'),
    (starts.frozen_new_head, says("warning", at="head.weight", by="frozen-random"), "model.head = nn.Linear(32, 7)"),
    (starts.forgotten_buffer_and_layer, says("error", "warning", at="blocks.2.up.weight", by="partly-loaded-body"), "blocks.2.up.weight"),
]
LINES = Path(starts.__file__).read_text(encoding="utf-8").splitlines()


@pytest.fixture(autouse=True)
def file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save(starts.trained().state_dict(), starts.FILE)


@pytest.mark.parametrize("build", HEALTHY, ids=lambda build: build.__name__)
def test_healthy(build):
    report = judge(build, SILENT, torch.randn(32, 16))
    assert {finding.name for finding in report.findings} <= {
        "head-left-random",
        "missing-in-checkpoint",
        "unexpected-in-checkpoint",
        "mismatched-in-checkpoint",
    }


@pytest.mark.parametrize(("build", "expected", "line"), SICK, ids=[row[0].__name__ for row in SICK])
def test_sick(build, expected, line):
    report = judge(build, expected, torch.randn(32, 16))
    finding = next(finding for finding in report.findings if finding.name in expected.rules)
    assert line in LINES[finding.location.line - 1], LINES[finding.location.line - 1]


def test_the_backbone_with_a_new_head_says_so_once():
    report = initcheck.check(starts.with_a_new_head, torch.randn(32, 16))
    assert [(finding.name, finding.severity) for finding in report.findings] == [("head-left-random", "info")]


def test_trained_weights_are_told_and_not_judged():
    report = initcheck.check(starts.whole, torch.randn(32, 16))
    assert not report.findings
    assert any("hold loaded weights, which are no initialization" in skip.reason for skip in report.skips)
    assert {layer.scheme for layer in report.layers} == {"loaded"}


def test_the_remedy_of_a_wrong_prefix_is_told():
    (finding,) = initcheck.check(starts.wrong_prefix, torch.randn(32, 16)).at_least("warning")
    assert "without `module.` in front" in finding.fix.title


def test_the_new_names_of_renamed_layers_are_offered():
    findings = initcheck.check(starts.renamed_layers, torch.randn(32, 16)).findings
    assert any(finding.fix is not None and "--rename layers=blocks" in finding.fix.title for finding in findings)
