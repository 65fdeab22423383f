"""Buffers, plain attributes and hidden parameters are found and recorded."""

import warnings

import pytest
import torch
from torch import nn

from initcheck.construct.plumbing.holdings import held, recomputed
from initcheck.construct.recording.provenance import unwatched
from initcheck.construct.recording.recorder import Recorder


class Holder(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(3, 3)
        self.register_buffer("kept", torch.ones(3))
        self.register_buffer("fleeting", torch.empty(3), persistent=False)
        self.register_buffer("count", torch.zeros(3, dtype=torch.int64))
        self.plain = torch.randn(3)
        self.pair = (torch.zeros(3), [torch.zeros(2, requires_grad=True)])
        self.table = {"a": torch.zeros(2, 2)}
        self.hidden = [nn.Linear(2, 2, bias=False)]
        self.alias = self.fc.weight
        self.view = self.kept[:2]
        self.one = torch.zeros(1)
        self.whole = torch.arange(3)
        self.derived = self.fc.weight * 2


def test_everything_is_found_by_name():
    found = {one.name: one.kind for one in held(nn.Sequential(Holder()))}
    assert found == {
        "0.kept": "buffer",
        "0.fleeting": "buffer",
        "0.plain": "attribute",
        "0.pair[0]": "attribute",
        "0.pair[1][0]": "attribute",
        "0.table['a']": "attribute",
        "0.hidden[0].weight": "hidden",
    }


def test_records():
    with Recorder() as recorder:
        model = Holder()
    records = {record.name: record for record in recorder.resolve(model).tensors}
    assert records["kept"].persistent and not records["fleeting"].persistent
    assert (records["kept"].unwritten, records["fleeting"].unwritten) == (0, 3)
    assert records["fleeting"].writes[0].origin == "never written"
    assert records["plain"].writes[0].lineage[0].name == "randn"
    assert [record.trainable for record in (records["plain"], records["pair[1][0]"], records["hidden[0].weight"])] == [False, True, True]
    assert records["plain"].created.path == __file__


def test_batch_norm_statistics_are_written():
    with Recorder() as recorder:
        model = nn.BatchNorm1d(4)
    recording = recorder.resolve(model)
    assert [(record.name, record.unwritten) for record in recording.tensors] == [("running_mean", 0), ("running_var", 0)]
    assert recording.notes == ()


def test_statistics_after_to_empty_are_not():
    with Recorder() as recorder:
        with torch.device("meta"):
            model = nn.BatchNorm1d(4)
        model.to_empty(device="cpu")
        nn.init.ones_(model.weight)
        nn.init.zeros_(model.bias)
    recording = recorder.resolve(model)
    assert [record.unwritten for record in recording.tensors] == [4, 4]
    assert len(recording.notes) == 2


def test_a_model_that_nobody_watched():
    recording = unwatched(Holder())
    assert [record.writes for record in recording.tensors] == [()] * 7


def test_recurrent_layers_hold_their_parameters_twice():
    assert held(nn.LSTM(2, 2)) == []


def test_weights_that_hooks_recompute():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = nn.utils.weight_norm(nn.Linear(2, 2))
    assert recomputed(model) == {model.weight.untyped_storage()._cdata}
    assert held(model) == []


@pytest.mark.parametrize("depth", [3])
def test_deeper_containers_are_left_alone(depth):
    model = nn.Module()
    model.deep = [[[torch.ones(2)]]]
    assert held(model) == []
