"""Each bug that was reported in public is caught, and its repair is silent."""

import pytest
import torch

import initcheck
from tests.verdicts import loaded_starts as starts
from tests.verdicts import public_issues as issues

X = torch.randn(8, 32, generator=torch.Generator().manual_seed(0))


def told(build, inputs, **settings):
    report = initcheck.check(build, inputs, **settings)
    assert not report.all_failures
    return {(finding.name, name) for finding in report.at_least("warning") for name in finding.parameters}


@pytest.fixture
def folder(tmp_path):
    pytest.importorskip("transformers")
    config, base = issues.family()
    torch.manual_seed(0)
    model = base(config())
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape))
    model.save_pretrained(tmp_path / "tiny")
    return str(tmp_path / "tiny")


def test_weights_that_are_silently_random(folder):
    found = told(lambda: issues.silently_random(folder), X)
    assert {("pretrained-overwritten", f"mixers.{i}.{name}.weight") for i in (0, 1) for name in ("up", "out_proj")} <= found
    assert {name for name, _ in found} == {"pretrained-overwritten"}
    assert told(lambda: issues.silently_random_repaired(folder), X) == set()


def test_a_trained_bias_that_the_initializer_replaces(folder):
    assert told(lambda: issues.trained_bias_replaced(folder), X) == {("pretrained-overwritten", f"mixers.{i}.dt_bias") for i in (0, 1)}
    assert told(lambda: issues.trained_bias_kept(folder), X) == set()


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save(starts.trained().state_dict(), starts.FILE)


@pytest.mark.usefixtures("file")
def test_parameters_that_the_model_sets_again():
    inputs = torch.randn(8, 16)
    found = told(issues.reset_inside_the_model, inputs)
    assert {("pretrained-overwritten", f"blocks.{i}.norm.weight") for i in range(4)} <= found
    assert told(issues.reset_before_the_load, inputs) == set()


def test_a_norm_that_is_skipped_after_to_empty():
    inputs = torch.randn(8, 16)
    assert ("never-written", "norm.weight") in told(issues.norm_skipped, inputs)
    assert told(issues.norm_written, inputs) == set()


def test_the_class_that_forgets_is_named_before_anybody_goes_that_way():
    inputs = torch.randn(8, 16)
    report = initcheck.check(lambda: issues.Tower(issues.Norm), inputs, meta=True)
    (weight, calls) = report.at_least("error")
    assert {weight.parameters, calls.parameters} == {("norm.weight",), ("norm.calls",)}
    assert all("Norm has no reset_parameters" in finding.message for finding in (weight, calls))
    assert told(lambda: issues.Tower(issues.RepairedNorm), inputs, meta=True) == set()
