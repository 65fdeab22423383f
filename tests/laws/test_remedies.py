"""What holds for every remedy: it heals the bad example in memory, adds no finding, is a no-op the second time, and touches nothing else."""

import hashlib

import pytest
import torch

import initcheck
from initcheck.fix.module.applying import raw
from initcheck.fix.module.calls import supported
from initcheck.rules import catalogue
from tests.laws.test_rules import build, sample

EXAMPLES = [(rule, example) for rule in catalogue() for example in rule.examples]
IDS = [f"{rule.name}-{i}" for i, (rule, _) in enumerate(EXAMPLES)]
TOLD_ONLY = {"IC103"}
"""Remedies differ by case; these examples are ones that no start heals (a deep stack of sigmoids)."""


def digests(model):
    return {name: hashlib.sha256(raw(tensor)).hexdigest() for name, tensor in (*model.named_parameters(), *model.named_buffers())}


def examined(rule, example):
    """The report of the function that builds the bad example, the finding of its rule, and the model with the same values."""
    report = initcheck.check(build(example.bad), sample(example), **dict(example.settings))
    finding = next(finding for finding in report.findings if finding.code == rule.code)
    torch.manual_seed(0)
    return report, finding, build(example.bad)()


@pytest.mark.parametrize(("rule", "example"), EXAMPLES, ids=IDS)
def test_the_remedy_heals_the_bad_example(rule, example):
    report, finding, model = examined(rule, example)
    if finding.fix is None or not finding.fix.steps:
        assert rule.mends == "display" or rule.code in TOLD_ONLY
        return
    before, state = digests(model), torch.get_rng_state()
    result = initcheck.fix(model, report, unsafe=True, inputs=sample(example), **dict(example.settings))
    assert torch.equal(torch.get_rng_state(), state)
    assert rule.code in {one.code for one in result.applied}, result
    assert not [one for one in result.remaining if one.code == rule.code], result
    assert {one.code for one in result.remaining} <= {one.code for one in report.findings}
    changed = {name for name, digest in digests(model).items() if before[name] != digest}
    assert changed <= set(result.written)
    after = digests(model)
    again = initcheck.fix(model, unsafe=True, inputs=sample(example), **dict(example.settings))
    assert not again.written and not again.steps
    assert digests(model) == after


@pytest.mark.parametrize(("rule", "example"), EXAMPLES, ids=IDS)
def test_the_remedy_is_as_free_as_its_page_says(rule, example):
    _, finding, _ = examined(rule, example)
    fix = finding.fix
    assert fix is not None and fix.title
    if rule.mends == "display":
        assert fix.safety == "display" and not fix.steps
    if rule.mends == "unsafe":
        assert fix.safety == "unsafe"
    for step in fix.steps:
        assert supported(step.call)
        assert step.parameters
        assert step.block is None or 0 <= step.block < step.blocks


@pytest.mark.parametrize(("rule", "example"), EXAMPLES, ids=IDS)
def test_without_leave_nothing_unsafe_is_done(rule, example):
    report, finding, model = examined(rule, example)
    before = digests(model)
    result = initcheck.fix(model, report, inputs=sample(example), **dict(example.settings))
    assert all(one.fix is not None and one.fix.safety == "safe" for one in result.applied)
    if finding.fix is not None and finding.fix.safety != "safe":
        assert finding.code in {one.finding.code for one in result.declined}
    changed = {name for name, digest in digests(model).items() if before[name] != digest}
    assert changed <= set(result.written)
