"""A model's twin on fresh memory: what its initializers write again, and what they forget."""

import pytest
import torch
from torch import nn

import initcheck
from initcheck.construct.recording.recorder import Recorder
from initcheck.pretrained.likeness import alike
from initcheck.pretrained.parity import parity_of


def parity(build):
    recorder = Recorder()
    with recorder:
        model = build()
    return parity_of(model, recorder.resolve(model), 0)


def unlike(build):
    return {(one.name, one.how) for one in parity(build).unlike}


class Own(nn.Module):
    """Holds one of everything; `reset` says what is written again."""

    reset = ("weight", "table", "mean")

    def __init__(self):
        super().__init__()
        self.weight, self.table = nn.Parameter(torch.empty(8, 8)), nn.Parameter(torch.empty(4, 8))
        self.register_buffer("mean", torch.empty(8), persistent=False)
        nn.init.xavier_uniform_(self.weight)
        nn.init.normal_(self.table, std=0.02)
        self.mean.fill_(0.5)

    def reset_parameters(self):
        if "weight" in self.reset:
            nn.init.xavier_uniform_(self.weight)
        if "table" in self.reset:
            nn.init.normal_(self.table, std=0.02)
        if "mean" in self.reset:
            self.mean.fill_(0.5)


class Halfway(Own):
    reset = ("weight",)


class Elsewhere(Own):
    def reset_parameters(self):
        super().reset_parameters()
        nn.init.normal_(self.table, std=1.0)
        self.mean.fill_(0.25)


def test_layers_of_torch_go_both_ways():
    assert (
        unlike(
            lambda: nn.Sequential(
                nn.Linear(8, 8), nn.BatchNorm1d(8), nn.LSTM(8, 8), nn.Embedding(4, 8), nn.Conv2d(3, 4, 3), nn.LayerNorm(8)
            )
        )
        == set()
    )
    assert unlike(lambda: nn.MultiheadAttention(8, 2)) == set()


def test_a_class_that_writes_all_of_its_own():
    assert unlike(Own) == set()


def test_a_class_that_forgets():
    found = parity(Halfway)
    assert {(one.name, one.how, one.kind, one.asked) for one in found.unlike} == {
        ("table", "skipped", "parameter", True),
        ("mean", "skipped", "buffer", True),
    }


def test_a_class_that_writes_something_else():
    assert unlike(Elsewhere) == {("table", "differs"), ("mean", "differs")}


def test_a_part_is_no_whole():
    class Part(Own):
        def reset_parameters(self):
            super().reset_parameters()
            self.table.data = torch.empty_like(self.table)
            with torch.no_grad():
                self.table[:2].normal_()

    assert ("table", "partly") in unlike(Part)


def test_the_outermost_module_may_initialize_all():
    class Whole(nn.Module):
        def __init__(self, thorough):
            super().__init__()
            self.thorough, self.fc, self.norm = thorough, nn.Linear(8, 8), nn.LayerNorm(8)
            self.init_weights()

        def init_weights(self):
            nn.init.normal_(self.fc.weight, std=0.02)
            nn.init.zeros_(self.fc.bias)
            if self.thorough:
                self.norm.reset_parameters()

    assert unlike(lambda: Whole(thorough=True)) == set()
    assert unlike(lambda: Whole(thorough=False)) == {("norm.weight", "skipped"), ("norm.bias", "skipped")}
    assert parity(lambda: Whole(thorough=False)).way == "init_weights"


def test_a_plain_tensor_stays_behind():
    class Plain(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc, self.table = nn.Linear(4, 4), torch.arange(8.0)

    assert unlike(Plain) == {("table", "stays")}


def test_loaded_weights_are_left_out(tmp_path):
    torch.save(Halfway().state_dict(), tmp_path / "own.pt")

    def build():
        model = Halfway()
        model.load_state_dict(torch.load(tmp_path / "own.pt"))
        return model

    assert unlike(build) == {("mean", "skipped")}


def test_a_model_that_cannot_be_copied_is_told():
    class Uncopied(nn.Linear):
        def __deepcopy__(self, memo):
            raise RuntimeError("not me")

    report = initcheck.check(lambda: nn.Sequential(Uncopied(4, 4)), torch.randn(8, 4), meta=True)
    assert any("not me" in skip.reason and skip.code in ("IC910", "IC911") for skip in report.skips)


def test_the_model_and_the_random_state_are_left():
    model, other = Own(), nn.Sequential(nn.Linear(4, 4))
    inputs = torch.randn(8, 4)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    state = torch.get_rng_state()
    report = initcheck.check(other, inputs, meta=True)
    assert not report.findings
    parity_of(model, Recorder().resolve(model), 0)
    assert torch.equal(state, torch.get_rng_state())
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


@pytest.mark.parametrize(
    ("first", "second", "drawn", "expected"),
    [
        (torch.randn(4096) * 0.02, torch.randn(4096) * 0.02, True, True),
        (torch.randn(4096) * 0.02, torch.randn(4096) * 0.025, True, False),
        (torch.randn(4096), torch.randn(4096) + 0.5, True, False),
        (torch.zeros(8), torch.zeros(8), False, True),
        (torch.zeros(8), torch.ones(8), False, False),
        (torch.zeros(8), torch.full((8,), float("nan")), True, False),
        (torch.arange(8.0), torch.arange(8.0), False, True),
        (torch.arange(8.0), torch.arange(8.0).flip(0), False, False),
        (torch.ones(8), torch.ones(8, dtype=torch.float64), False, False),
        (torch.ones(2, 4), torch.ones(8), False, False),
    ],
)
def test_likeness(first, second, drawn, expected):
    assert alike(first, second, drawn=drawn) is expected
