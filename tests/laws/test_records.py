"""What holds for every record: frozen, slotted, plain, and the same after a JSON round trip."""

import dataclasses
import importlib
import inspect
import json
import pkgutil

import pytest
import torch
from torch import nn

import initcheck
import initcheck.records
from initcheck.records.fact import Known, Unknown
from initcheck.records.report import Report
from initcheck.records.serial import from_plain, to_plain


def record_classes():
    found = []
    for info in pkgutil.iter_modules(initcheck.records.__path__):
        module = importlib.import_module(f"initcheck.records.{info.name}")
        found += [cls for _, cls in inspect.getmembers(module, inspect.isclass) if cls.__module__ == module.__name__]
    return [cls for cls in found if dataclasses.is_dataclass(cls)]


@pytest.mark.parametrize("cls", record_classes(), ids=lambda cls: cls.__name__)
def test_records_are_frozen_and_slotted(cls):
    assert cls.__dataclass_params__.frozen
    assert "__slots__" in vars(cls)


@pytest.mark.parametrize("cls", record_classes(), ids=lambda cls: cls.__name__)
def test_records_hold_no_mutable_collections(cls):
    hints = [str(field.type) for field in dataclasses.fields(cls)]
    assert not [hint for hint in hints if hint.lower().startswith(("list", "dict", "set"))]


def test_a_real_report_survives_the_round_trip():
    report = initcheck.check(lambda: nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 4)), torch.randn(32, 16))
    text = json.dumps(to_plain(report), allow_nan=False)
    again = from_plain(Report, json.loads(text))
    assert again == report
    assert json.dumps(to_plain(again), allow_nan=False) == text


def test_facts_survive_the_round_trip():
    from initcheck.records.evidence import Hop

    hop = Hop("a", "b", Known(1.5), Unknown("not measured"), -0.1, 64)
    assert from_plain(Hop, json.loads(json.dumps(to_plain(hop)))) == hop


def test_a_report_has_no_truth_value():
    with pytest.raises(TypeError, match="report.ok"):
        bool(Report(models=()))
