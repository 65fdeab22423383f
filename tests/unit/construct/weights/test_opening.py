"""Files of weights are opened without running what stands in them; each kind of bad file has its own answer."""

import argparse
import json
import os
import pickle

import numpy as np
import pytest
import torch
from torch import nn

from initcheck.construct.weights.nesting import unwrapped
from initcheck.construct.weights.opening import open_weights
from initcheck.errors import TargetError
from initcheck.records.target import Target


def opened(path, **options):
    return open_weights(Target(str(path), str(path), "", "weights"), **options)


def refusal(path, **options):
    with pytest.raises(TargetError) as caught:
        opened(path, **options)
    return caught.value


@pytest.fixture
def state():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 8), nn.Linear(8, 2)).state_dict()


class Runs:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (os.system, (f"touch {self.path}",))


def test_the_formats_of_torch(tmp_path, state):
    torch.save(state, tmp_path / "new.pt")
    torch.save(state, tmp_path / "old.bin", _use_new_zipfile_serialization=False)
    for name in ("new.pt", "old.bin"):
        stored = opened(tmp_path / name)
        assert list(stored.tensors) == list(state)
        assert all(torch.equal(stored.tensors[key], state[key]) for key in state)


def test_safetensors_under_any_ending(tmp_path, state):
    saving = pytest.importorskip("safetensors.torch")
    saving.save_file({**state, "steps": torch.tensor([3])}, tmp_path / "w.bin")
    stored = opened(tmp_path / "w.bin")
    assert sorted(stored.tensors) == sorted(state)
    assert "int64" in stored.tensors.others["steps"] or "i64" in stored.tensors.others["steps"]


@pytest.mark.parametrize(
    "make",
    [
        lambda path: (path / "a.pt").write_bytes(pickle.dumps(Runs(path / "ran"))),
        lambda path: torch.save({"a": Runs(path / "ran")}, path / "a.pt"),
    ],
)
def test_nothing_in_a_file_is_run(tmp_path, make):
    make(tmp_path)
    assert refusal(tmp_path / "a.pt").name == "unsafe-pickle"
    assert not (tmp_path / "ran").exists()


def test_a_pickled_model_is_named(tmp_path):
    torch.save(nn.Linear(3, 4), tmp_path / "a.pt")
    problem = refusal(tmp_path / "a.pt")
    assert problem.name == "unsafe-pickle"
    assert "holds a pickled Linear object, which can run code when opened" in problem.message
    assert "model.state_dict()" in problem.hint and "--trust-pickle" in problem.hint


@pytest.mark.parametrize("wrap", [lambda model: model, lambda model: {"epoch": 2, "model": model}])
def test_a_trusted_model_is_a_module(tmp_path, wrap):
    torch.save(wrap(nn.Linear(3, 4)), tmp_path / "a.pt")
    stored = opened(tmp_path / "a.pt", trusted=True)
    assert isinstance(stored.module, nn.Linear)


def test_a_trusted_model_whose_class_is_nowhere(tmp_path, monkeypatch):
    class Lost(nn.Module):
        pass

    Lost.__qualname__ = "Lost"
    monkeypatch.setattr(f"{__name__}.Lost", Lost, raising=False)
    torch.save(Lost(), tmp_path / "a.pt")
    monkeypatch.undo()
    assert "Lost" in refusal(tmp_path / "a.pt", trusted=True).message


def test_settings_beside_the_weights_are_no_danger(tmp_path, state):
    torch.save({"model": state, "args": argparse.Namespace(lr=0.1), "best": np.float64(0.9), "epoch": 4}, tmp_path / "a.pth")
    stored = opened(tmp_path / "a.pth")
    assert list(stored.tensors) == list(state)
    assert stored.notes == ("read from `model`; beside it: args, best, epoch", "saved in training: epoch 4")


def test_torchscript_is_no_weights(tmp_path):
    with pytest.warns((DeprecationWarning, FutureWarning)):
        torch.jit.script(nn.Linear(2, 2)).save(tmp_path / "a.pt")
    assert "TorchScript" in refusal(tmp_path / "a.pt").message


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "it is empty"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "a Git LFS pointer"),
        (b"<!DOCTYPE html><html>", "a web page"),
        (b"hello, world " * 50, "its first bytes"),
        ((10**15).to_bytes(8, "little") + b"{}", "its header would be"),
        ((1000).to_bytes(8, "little") + b'{"a"', "it breaks off in its header"),
        ((2).to_bytes(8, "little") + b"{]", "cannot read"),
        (b"PK\x03\x04" + b"\0" * 90, "cannot read"),
        (b"\x80\x02", "cannot read"),
    ],
)
def test_damaged_files(tmp_path, data, said):
    (tmp_path / "a.safetensors").write_bytes(data)
    problem = refusal(tmp_path / "a.safetensors")
    assert (problem.name, said in problem.message) == ("damaged", True)


def test_files_that_break_off(tmp_path, state):
    torch.save(state, tmp_path / "a.pt")
    data = (tmp_path / "a.pt").read_bytes()
    (tmp_path / "a.pt").write_bytes(data[: len(data) // 2])
    assert refusal(tmp_path / "a.pt").message.endswith("it breaks off before its end")


def test_files_of_other_programs_and_missing_ones(tmp_path):
    (tmp_path / "a.bin").write_bytes(b"GGUF" + b"\0" * 60)
    assert refusal(tmp_path / "a.bin").name == "not-python"
    assert refusal(tmp_path / "nothing.pt").name == "file-missing"


def test_files_without_weights(tmp_path):
    torch.save(torch.optim.SGD(nn.Linear(2, 2).parameters()).state_dict(), tmp_path / "a.pt")
    assert "the state of an optimizer" in refusal(tmp_path / "a.pt").message
    torch.save({"epoch": 3}, tmp_path / "b.pt")
    assert refusal(tmp_path / "b.pt").name == "no-weights"
    torch.save({"ids": torch.arange(4)}, tmp_path / "c.pt")
    assert "int64" in refusal(tmp_path / "c.pt").message


def test_a_view_that_claims_days_of_work(tmp_path, state):
    torch.save({**state, "huge": torch.zeros(1).expand(10**6, 10**6)}, tmp_path / "a.pt")
    assert "claims more elements" in opened(tmp_path / "a.pt").tensors.others["huge"]


def test_tied_tensors_count_once(tmp_path):
    weight = torch.randn(4, 4)
    torch.save({"embed.weight": weight, "head.weight": weight}, tmp_path / "a.pt")
    stored = opened(tmp_path / "a.pt")
    assert list(stored.tensors) == ["embed.weight"]
    assert stored.tied == {"head.weight": "embed.weight"}


class TestParts:
    @pytest.fixture
    def parts(self, tmp_path, state):
        saving = pytest.importorskip("safetensors.torch")
        names = sorted(state)
        where = {}
        for number, chosen in enumerate((names[:2], names[2:])):
            saving.save_file({name: state[name] for name in chosen}, tmp_path / f"p{number}.safetensors")
            where |= dict.fromkeys(chosen, f"p{number}.safetensors")
        self.write(tmp_path, where)
        return tmp_path, where

    @staticmethod
    def write(folder, where):
        (folder / "m.safetensors.index.json").write_text(json.dumps({"weight_map": where}))
        return folder / "m.safetensors.index.json"

    def test_they_are_one(self, parts, state):
        stored = opened(parts[0] / "m.safetensors.index.json")
        assert sorted(stored.tensors) == sorted(state)
        assert stored.notes == ("in 2 parts",)

    def test_a_missing_part_and_a_missing_tensor(self, parts):
        folder, where = parts
        assert "further.bin is missing" in refusal(self.write(folder, {**where, "x": "further.bin"})).message
        assert "holds ghost, and it does not" in refusal(self.write(folder, {**where, "ghost": "p0.safetensors"})).message

    @pytest.mark.parametrize("name", ["../p0.safetensors", "/etc/passwd", "..", ""])
    def test_an_index_does_not_reach_out_of_its_folder(self, parts, name):
        assert "outside of its folder" in refusal(self.write(parts[0], {"a": name})).message

    @pytest.mark.parametrize("text", ["", "{}", "[]", '{"weight_map": 3}'])
    def test_what_is_no_index(self, tmp_path, text):
        (tmp_path / "a.index.json").write_text(text)
        assert refusal(tmp_path / "a.index.json").name == "damaged"


W = torch.randn(2, 2)


@pytest.mark.parametrize(
    ("found", "names"),
    [
        ({"a": W, "b": W}, ["a", "b"]),
        ({"state_dict": {"a": W}, "epoch": 1}, ["a"]),
        ({"model": {"state_dict": {"a": W}}, "optimizer": {"state": {0: {"exp_avg": W}}, "param_groups": []}}, ["a"]),
        ({"model": {"a": W}, "model_ema": {"a": W}}, ["a"]),
        ({"generator": {"a": W}, "critic": {"a": W}}, ["generator.a", "critic.a"]),
        ({"state_dict": {"module._orig_mod.a": W}}, ["a"]),
        ({"step": torch.tensor(3), "net": {"a": W, "b": W}}, ["a", "b"]),
        ([W, W], ["0", "1"]),
        (W, ["tensor"]),
        (3, []),
        ({"a": {"b": {"c": {"d": {"e": {"f": W}}}}}}, []),
    ],
)
def test_the_weights_inside_a_checkpoint(found, names):
    assert list(unwrapped(found).tensors) == names
