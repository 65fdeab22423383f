"""One test per way of writing a parameter: the record must say who did it, how, and on which line."""

import threading

import pytest
import torch
from torch import nn

from initcheck.records.recording import InitCall
from tests.unit.construct.idioms import One, line, linear, record_of, ruled, the_write, watch


def test_library_model():
    torchvision = pytest.importorskip("torchvision")

    def build():
        return torchvision.models.squeezenet1_1(num_classes=3)  # at:library

    record = record_of(build, "features.0.weight")
    write = ruled(record, "kaiming_uniform_", origin="library")
    assert write.location.get().path.endswith("squeezenet.py")
    assert (record.created.path, record.created.line) == (__file__, line("at:library"))


def test_lazy():
    def build():
        model = nn.Sequential(nn.LazyLinear(4))
        model(torch.ones(2, 3))
        return model

    record = record_of(build, "0.weight")
    ruled(record, "kaiming_uniform_", origin="framework default")
    assert record.shape == (4, 3)


def test_lazy_without_memory_is_noted():
    recording = watch(lambda: nn.Sequential(nn.LazyLinear(4), nn.ReLU()))
    assert recording.parameters == ()
    assert "0.weight is lazy" in recording.notes[0]


def test_lstm():
    recording = watch(lambda: nn.LSTM(3, 4))
    for name in ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0"):
        ruled(recording.parameter(name), "uniform_", origin="framework default", a=-0.5, b=0.5)


def test_attention():
    recording = watch(lambda: nn.MultiheadAttention(8, 2))
    ruled(recording.parameter("in_proj_weight"), "xavier_uniform_", origin="framework default")
    ruled(recording.parameter("in_proj_bias"), "constant_", origin="framework default", val=0.0)


@pytest.mark.filterwarnings("ignore")
def test_script():
    record = record_of(lambda: torch.jit.script(nn.Sequential(linear())), "0.weight")
    ruled(record, "kaiming_uniform_", origin="framework default")


def test_inference_mode():
    def build():
        with torch.inference_mode():
            return nn.Sequential(linear())

    ruled(record_of(build, "0.weight"), "kaiming_uniform_", origin="framework default")


def test_overridden_reset_is_the_users():
    class Mine(nn.Linear):
        def reset_parameters(self):
            nn.init.normal_(self.weight, std=0.7)  # at:override
            nn.init.zeros_(self.bias)

    def build():
        return Mine(3, 4)  # at:mine

    record = record_of(build, "weight")
    ruled(record, "normal_", std=0.7, at="at:override")
    assert record.owner == "Mine"


def test_tied():
    def build():
        model = nn.ModuleDict({"embed": nn.Embedding(9, 4), "head": nn.Linear(4, 9, bias=False)})
        model["head"].weight = model["embed"].weight
        return model

    recording = watch(build)
    (record,) = recording.parameters
    assert (record.name, record.tied) == ("embed.weight", ("head.weight",))
    assert recording.parameter("head.weight") is record


def test_tied_by_memory():
    def build():
        first, second = nn.Linear(4, 4, bias=False), nn.Linear(4, 4, bias=False)
        second.weight.data = first.weight.data
        return nn.Sequential(first, second)

    assert [(record.name, record.tied) for record in watch(build).parameters] == [("0.weight", ("1.weight",))]


def test_views_into_a_flat_buffer():
    def build():
        flat = torch.empty(40)
        model = nn.ModuleDict({"a": One(nn.Parameter(flat[:24].view(4, 6))), "b": One(nn.Parameter(flat[24:]))})
        nn.init.normal_(model["a"].p, std=0.1)  # at:flat
        return model

    recording = watch(build)
    first, second = recording.parameters
    write = ruled(first, "normal_", std=0.1, at="at:flat")
    assert (write.extent, first.unwritten) == ("full", 0)
    assert (second.unwritten, the_write(second).origin) == (16, "never written")


def test_no_elements():
    record = record_of(lambda: nn.Parameter(torch.empty(0, 4)))
    assert record.unwritten == 0


def test_one_element():
    record = record_of(lambda: nn.Parameter(torch.ones(1)))
    ruled(record, "ones")


def test_several_empty_parameters_are_not_tied():
    recording = watch(lambda: nn.ParameterList([torch.empty(0), torch.empty(0)]))
    assert [record.tied for record in recording.parameters] == [(), ()]


def test_another_thread():
    def build():
        made = []
        worker = threading.Thread(target=lambda: made.append(linear()))
        worker.start()
        worker.join()
        return made[0]

    write = the_write(record_of(build, "weight"))
    assert write.origin == "unknown"
    assert "another thread" in write.call.reason
    assert not write.location.known()


def test_built_before():
    layer = linear()
    write = the_write(record_of(lambda: layer, "weight"))
    assert write.origin == "unknown"
    assert "before the recording" in write.call.reason


def test_training_in_the_factory_stays_bounded():
    def build():
        layer = nn.Linear(3, 3)
        optimizer = torch.optim.SGD(layer.parameters(), lr=0.1)
        for _ in range(200):
            optimizer.zero_grad()
            layer(torch.randn(4, 3)).square().mean().backward()
            optimizer.step()
        return layer

    record = record_of(build, "weight")
    ruled(record, "kaiming_uniform_", origin="framework default")
    assert 1 <= len(record.later()) <= 64
    assert all(len(write.lineage) <= 16 for write in record.writes)


def test_loop_over_elements_is_one_write():
    def build():
        p = nn.Parameter(torch.zeros(6, 6))
        with torch.no_grad():
            for i in range(6):
                p[i, i] = 1.0
        return p

    record = record_of(build)
    ruled(record, "zeros")
    assert len(record.later()) == 1


def test_loop_of_rescalings_counts():
    def build():
        layer = linear()
        for _ in range(3):
            layer.weight.data *= 0.5
        return layer

    record = record_of(build, "weight")
    assert [write.call.get() for write in record.later()] == [InitCall("mul_", (("other", 0.5),))] * 3
