"""What was loaded while a model was built is followed to the end: still there, overwritten, changed, or gone."""

import copy
from pathlib import Path

import pytest
import torch
from torch import nn

from initcheck.construct.arrivals.bits import digest, same_bits
from initcheck.construct.recording.recorder import Recorder

LINES = Path(__file__).read_text(encoding="utf-8").splitlines()


class Net(nn.Module):
    def __init__(self, classes=4):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 16))
        self.norm, self.head = nn.BatchNorm1d(16), nn.Linear(16, classes)

    def forward(self, x):
        return self.head(self.norm(self.body(x)))


@pytest.fixture
def file(tmp_path):
    torch.manual_seed(1)
    net = Net()
    net.norm.running_mean.normal_()
    torch.save(net.state_dict(), tmp_path / "net.pt")
    return tmp_path / "net.pt"


def arrivals(build):
    recorder = Recorder()
    with recorder:
        model = build()
    return recorder.resolve(model).arrivals


def states(arrival):
    found = {}
    for one in arrival.tensors:
        found.setdefault(one.state, set()).add(one.name)
    return found


def loaded(file):
    model = Net()
    model.load_state_dict(torch.load(file))
    return model


def test_a_whole_load(file):
    (arrival,) = arrivals(lambda: loaded(file))
    assert states(arrival) == {"loaded": set(Net().state_dict())}
    assert arrival.source == str(file) and arrival.owner == "Net" and arrival.module == ""
    assert arrival.location.path == __file__ and "load_state_dict" in LINES[arrival.location.line - 1]


def test_nothing_is_told_of_a_copy_of_a_live_model():
    assert arrivals(lambda: (Net().load_state_dict(Net().state_dict()), Net())[1]) == ()

    def build():
        online, target = Net(), Net()
        target.load_state_dict(online.state_dict())
        return nn.ModuleList([online, target])

    assert arrivals(build) == ()


def test_a_part_of_a_larger_model(file):
    class Larger(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = loaded(file)
            self.top = nn.Linear(4, 2)

    (arrival,) = arrivals(Larger)
    assert arrival.module == "inner"
    assert {one.name for one in arrival.of("loaded")} == {f"inner.{name}" for name in Net().state_dict()}


def test_layers_that_move_elsewhere(file):
    (arrival,) = arrivals(lambda: nn.Sequential(*loaded(file).body, nn.Linear(16, 2)))
    assert states(arrival) == {"loaded": {"0.weight", "0.bias", "2.weight", "2.bias"}}


def test_a_deep_copy(file):
    (arrival,) = arrivals(lambda: copy.deepcopy(loaded(file)))
    assert set(states(arrival)) == {"loaded"}


def overwriting(file, deed):
    def build():
        model = loaded(file)
        with torch.no_grad():
            deed(model)
        return model

    return arrivals(build)[0]


def test_initialized_anew(file):
    arrival = overwriting(file, lambda model: nn.init.kaiming_normal_(model.body[0].weight))
    (one,) = arrival.of("overwritten")
    assert one.name == "body.0.weight" and one.call.startswith("kaiming_normal")
    assert "kaiming_normal_(model.body[0].weight)" in LINES[one.by.line - 1]


@pytest.mark.parametrize(
    "deed",
    [
        lambda model: model.body[0].weight.data.normal_(),
        lambda model: model.body[0].weight.copy_(torch.randn(16, 8)),
        lambda model: setattr(model.body[0].weight, "data", torch.randn(16, 8)),
        lambda model: model.body[0].weight.zero_(),
    ],
    ids=["data", "copy", "swap", "zero"],
)
def test_ways_of_writing_over_it(file, deed):
    assert [one.name for one in overwriting(file, deed).of("overwritten")] == ["body.0.weight"]


@pytest.mark.parametrize(
    "deed",
    [
        lambda model: model.body[0].weight.mul_(0.5),
        lambda model: model.half().float(),
        lambda model: model.body[0].weight.copy_(model.body[0].weight * 2 + 1),
        lambda model: model.body[0].weight[:2].normal_(),
        lambda model: setattr(model.body[0], "weight", nn.Parameter(model.body[0].weight.sum(1, keepdim=True).repeat(1, 8))),
    ],
    ids=["scaled", "rounded", "computed", "rows", "summed"],
)
def test_what_rests_on_the_loaded_numbers_was_only_changed(file, deed):
    arrival = overwriting(file, deed)
    assert not arrival.of("overwritten") and not arrival.of("missing")
    assert "body.0.weight" in {one.name for one in arrival.of("changed")}


def test_a_cast_is_no_loss(file):
    arrival = overwriting(file, lambda model: model.bfloat16())
    assert not arrival.of("overwritten", "missing")
    assert all("not compared" in one.because for one in arrival.of("loaded") if one.dtype == "bfloat16")


def test_a_layer_in_the_place_of_a_loaded_one(file):
    arrival = overwriting(file, lambda model: setattr(model, "head", nn.Linear(16, 9)))
    assert {one.name for one in arrival.of("missing")} == {"head.weight", "head.bias"}
    assert all("another layer" in one.because for one in arrival.of("missing"))


def test_the_last_load_counts(file, tmp_path):
    torch.manual_seed(2)
    torch.save(Net().state_dict(), tmp_path / "tuned.pt")

    def build():
        model = loaded(file)
        model.load_state_dict(torch.load(tmp_path / "tuned.pt"))
        return model

    (arrival,) = arrivals(build)
    assert arrival.source.endswith("tuned.pt") and set(states(arrival)) == {"loaded"}


def test_what_a_filter_leaves_out_is_known_by_its_file(file):
    def build():
        model = Net(7)
        own = model.state_dict()
        model.load_state_dict({name: value for name, value in torch.load(file).items() if value.shape == own[name].shape}, strict=False)
        return model

    (arrival,) = arrivals(build)
    assert states(arrival)["mismatched"] == {"head.weight", "head.bias"}
    assert {one.because for one in arrival.of("mismatched")} == {"4 classes in the file, 7 in the model"}


def test_a_prefix_that_nothing_fits(file):
    def build():
        model = Net()
        model.load_state_dict({f"module.{name}": value for name, value in torch.load(file).items()}, strict=False)
        return model

    (arrival,) = arrivals(build)
    assert not arrival.named and arrival.stripped == "module." and len(arrival.of("unexpected")) == len(Net().state_dict())


def test_safetensors_and_an_open_file(file, tmp_path):
    saving = pytest.importorskip("safetensors.torch")
    saving.save_file(torch.load(file), tmp_path / "net.safetensors")

    def build():
        model = Net()
        model.load_state_dict(saving.load_file(tmp_path / "net.safetensors"))
        return model

    (arrival,) = arrivals(build)
    assert set(states(arrival)) == {"loaded"}
    with file.open("rb") as stream:
        (arrival,) = arrivals(lambda: (model := Net(), model.load_state_dict(torch.load(stream)))[0])
    assert arrival.source == "a state dict"


def test_a_load_that_fails_leaves_no_trace(file):
    def build():
        model = Net(7)
        with pytest.raises(RuntimeError, match="size mismatch"):
            model.load_state_dict(torch.load(file))
        return model

    assert arrivals(build) == ()


def test_the_functions_are_put_back():
    before = torch.nn.Module.load_state_dict, torch.load
    with Recorder():
        assert torch.load is not before[1]
    assert (torch.nn.Module.load_state_dict, torch.load) == before


def test_bits():
    nan = torch.tensor([float("nan"), 0.0])
    assert same_bits(nan, nan.clone()) and digest(nan) == digest(nan.clone())
    assert not same_bits(torch.tensor([0.0]), torch.tensor([-0.0]))
    assert same_bits(torch.ones(2, dtype=torch.bfloat16), torch.ones(2))
    assert not same_bits(torch.ones(2), torch.ones(1, 2))
    assert same_bits(torch.tensor(3), torch.tensor(3)) and same_bits(torch.ones(0), torch.ones(0))
    assert digest(torch.arange(6).reshape(2, 3).T) == digest(torch.arange(6).reshape(2, 3).T.contiguous())
    assert digest(torch.ones(2, device="meta")) == b"" and not same_bits(torch.ones(2, device="meta"), torch.ones(2))
    assert same_bits(torch.ones(2, dtype=torch.complex64), torch.ones(2, dtype=torch.complex64))
