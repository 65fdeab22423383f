"""What holds for every rule: unique code and name, a complete page, examples that fire and examples that stay silent."""

import re

import pytest
import torch

import initcheck
from initcheck.errors import UsageError
from initcheck.rules import catalogue, explain, rule_classes

RULES = catalogue()
EXAMPLES = [(rule, example) for rule in RULES for example in rule.examples]


def build(source):
    def model():
        scope = {"__name__": "example"}
        exec(compile(source, "<example>", "exec"), scope)
        return scope["model"]

    return model


def sample(example):
    generator = torch.Generator().manual_seed(0)
    if example.integers:
        return torch.randint(0, example.integers, (32, *example.input_shape), generator=generator)
    return torch.randn(32, *example.input_shape, generator=generator)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_codes_and_names(rule):
    assert re.fullmatch(r"IC\d{3}", rule.code)
    assert re.fullmatch(r"[a-z]+(-[a-z]+)+", rule.name)
    assert rule.summary.endswith(".") and rule.why and rule.silent_when and rule.source
    assert rule.examples


def test_codes_share_their_family_digit():
    digits = {}
    for rule in RULES:
        digits.setdefault(rule.family, set()).add(rule.code[2])
    assert all(len(found) == 1 for found in digits.values()), digits


@pytest.mark.parametrize(("rule", "example"), EXAMPLES, ids=[f"{rule.name}-{i}" for i, (rule, _) in enumerate(EXAMPLES)])
def test_the_bad_example_fires_exactly_this_rule(rule, example):
    report = initcheck.check(build(example.bad), sample(example), **dict(example.settings))
    assert not report.all_failures
    assert rule.code in {finding.code for finding in report.findings}, report.findings
    louder = {finding.code for finding in report.at_least("warning")} - {rule.code}
    assert not louder, report.findings


@pytest.mark.parametrize(("rule", "example"), EXAMPLES, ids=[f"{rule.name}-{i}" for i, (rule, _) in enumerate(EXAMPLES)])
def test_the_good_example_is_silent(rule, example):
    report = initcheck.check(build(example.good), sample(example), **dict(example.settings))
    assert not report.all_failures
    assert rule.code not in {finding.code for finding in report.findings}
    assert not report.at_least("warning"), report.findings


def test_explained_rules_exist():
    names = {cls.name() for cls in rule_classes()}
    assert not {name for cls in rule_classes() for name in cls.explains} - names


def test_an_unknown_rule_is_answered_with_the_nearest():
    with pytest.raises(UsageError) as caught:
        explain("zero-wieght")
    assert "zero-weight" in caught.value.hint
