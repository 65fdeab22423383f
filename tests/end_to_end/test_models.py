"""Whole small models as data: the healthy are silent, the sick show exactly the marked faults at the marked lines."""

import pytest

import initcheck
from tests.marks import MODELS, expected


def files(folder):
    return sorted((MODELS / folder).glob("*.py"))


def loud(path):
    """All (line, code) pairs at warning or above, and the findings as text."""
    report = initcheck.check(str(path))
    assert not report.all_failures, report.all_failures
    assert report.models
    findings = [finding for finding in report.findings if finding.severity != "info"]
    told = "\n".join(
        f"{f.location.line if f.location else '?'}: {f.severity} {f.code} {f.parameters} {f.message} [{f.observed}]" for f in findings
    )
    return {(f.location.line if f.location else 0, f.code) for f in findings}, told


@pytest.mark.parametrize("path", files("healthy"), ids=lambda path: path.stem)
def test_healthy(path):
    assert not expected(path)
    found, told = loud(path)
    assert not found, told


@pytest.mark.parametrize("path", files("sick"), ids=lambda path: path.stem)
def test_sick(path):
    marks = expected(path)
    assert marks
    found, told = loud(path)
    assert found == marks, told


@pytest.mark.parametrize("path", files("false_alarms"), ids=lambda path: path.stem)
def test_known_false_alarm_still_fires(path):
    """A cure shows here as a failure; then the file moves to healthy/ without its marks."""
    marks = expected(path)
    assert marks
    found, told = loud(path)
    assert marks <= found, told


def test_the_lists_are_long():
    assert len(files("healthy")) >= 25
    assert len(files("sick")) >= 25
