"""One test per way of writing a parameter: the record must say who did it, how, and on which line."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from tests.unit.construct.idioms import KAIMING, line, linear, names, record_of, ruled, the_write, watch


def test_scalar():
    def build():
        return nn.Parameter(torch.tensor(2.65))  # at:scalar

    record = record_of(build)
    assert record.shape == ()
    write = ruled(record, "tensor", at="at:scalar")
    assert write.call.get().argument("data") == pytest.approx(2.65)


@pytest.mark.parametrize(
    ("change", "name", "key", "value"),
    [
        (lambda w: w.mul_(0.5), "mul_", "other", 0.5),
        (lambda w: w.div_(2.0), "div_", "other", 2.0),
        (lambda w: w.clamp_(-0.1, 0.1), "clamp_", "max", 0.1),
        (lambda w: torch._foreach_mul_([w], 0.5), "_foreach_mul_", "scalar", 0.5),
        (lambda w: torch._foreach_mul_([torch.ones(1), w], [2.0, 0.25]), "_foreach_mul_", "scalars", 0.25),
        (lambda w: w.__imul__(torch.tensor(0.5)), "mul_", "other", 0.5),
    ],
)
def test_rescaling_keeps_the_scheme(change, name, key, value):
    def build():
        layer = linear()
        change(layer.weight.data)
        return layer

    record = record_of(build, "weight")
    ruled(record, "kaiming_uniform_", origin="framework default")
    (later,) = record.later()
    assert (later.extent, later.origin, later.call.get().name) == ("partial", "user", name)
    assert later.call.get().argument(key) == pytest.approx(value)


def test_foreach_copy():
    def build():
        layer = nn.Linear(3, 3)
        torch._foreach_copy_([layer.weight.data, layer.bias.data], [torch.randn(3, 3), torch.ones(3)])
        return layer

    recording = watch(build)
    ruled(recording.parameter("weight"), "randn")
    ruled(recording.parameter("bias"), "ones")


def test_out_argument():
    def build():
        layer = linear()
        torch.linspace(0, 1, 8, out=layer.bias.data)
        return layer

    ruled(record_of(build, "bias"), "linspace", end=1)


def test_index_put_and_mask_are_partial():
    def build():
        layer = linear()
        with torch.no_grad():
            layer.weight[[0, 3]] = 0.0
            layer.weight.masked_fill_(layer.weight > 0.1, 0.0)
        return layer

    record = record_of(build, "weight")
    ruled(record, "kaiming_uniform_", origin="framework default")
    first, second = record.later()
    assert first.call.get().name in ("index_put_", "index_fill_")  # torch 2.15 spells the same assignment anew
    assert second.call.get().name == "masked_fill_"
    assert first.extent == second.extent == "partial"


def test_never_written():
    def build():
        return nn.Parameter(torch.empty(8, 6))  # at:empty

    record = record_of(build)
    write = the_write(record)
    assert (write.origin, write.location.get().line, record.unwritten) == ("never written", line("at:empty"), 48)
    assert not write.call.known()


@pytest.mark.parametrize(
    "make", [lambda: torch.Tensor(4, 4), lambda: torch.empty_like(torch.ones(4, 4)), lambda: torch.ones(2).new_empty(4, 4)]
)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16, torch.bfloat16])
def test_never_written_by_any_name(make, dtype):
    record = record_of(lambda: make().to(dtype) if dtype is not torch.float32 else make())
    if dtype is torch.float32:
        assert record.unwritten == 16
    assert record.writes[0].origin == "never written" or dtype is not torch.float32


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16, torch.complex64])
def test_never_written_in_any_type(dtype):
    record = record_of(lambda: nn.Parameter(torch.empty(4, 4, dtype=dtype)))
    assert (record.unwritten, the_write(record).origin) == (16, "never written")


def test_copy_of_never_written():
    def build():
        layer = nn.Linear(3, 3)
        layer.weight = nn.Parameter(torch.empty(3, 3))
        return nn.Sequential(layer, copy.deepcopy(layer))

    recording = watch(build)
    assert recording.parameter("1.weight").unwritten == 9
    assert the_write(recording.parameter("1.weight")).origin == "never written"


def test_meta_to_empty():
    record = record_of(lambda: nn.Linear(6, 8, device="meta").to_empty(device="cpu"), "weight")
    assert (record.unwritten, the_write(record).origin) == (48, "never written")


def test_meta_to_empty_and_reset():
    def build():
        layer = nn.Linear(6, 8, device="meta").to_empty(device="cpu")
        layer.reset_parameters()  # at:reset
        return layer

    record = record_of(build, "weight")
    assert record.unwritten == 0
    ruled(record, "kaiming_uniform_", origin="framework default", at="at:reset")


def test_left_on_meta_is_not_known():
    record = record_of(lambda: nn.Parameter(torch.empty(4, 4, device="meta")))
    assert (record.unwritten, the_write(record).origin) == (0, "unknown")
    assert "meta device" in the_write(record).call.reason


def test_from_numpy():
    def build():
        return nn.Parameter(torch.from_numpy(np.ones((4, 4), dtype="float32")))  # at:numpy

    write = the_write(record_of(build))
    assert (write.origin, write.extent, write.location.get().line) == ("external", "full", line("at:numpy"))
    assert "NumPy" in write.call.reason


def test_frombuffer_is_never_seen_but_external():
    assert the_write(record_of(lambda: nn.Parameter(torch.frombuffer(bytearray(64), dtype=torch.float32)))).origin == "external"


def test_tensor_of_numpy():
    write = the_write(record_of(lambda: nn.Parameter(torch.tensor(np.ones((4, 4))))))
    assert write.origin in ("external", "user")
    assert write.extent == "full"


def test_copy_from_numpy():
    def build():
        layer = linear()
        with torch.no_grad():
            layer.weight.copy_(torch.from_numpy(np.zeros((8, 6))))  # at:copy-numpy
        return layer

    write = the_write(record_of(build, "weight"))
    assert (write.origin, write.location.get().line) == ("external", line("at:copy-numpy"))


def test_write_through_numpy_is_not_never_written():
    def build():
        p = nn.Parameter(torch.empty(8, 6))
        p.data.numpy()[:] = 0.5
        return p

    record = record_of(build)
    assert record.unwritten == 0
    assert (the_write(record).origin, the_write(record).extent) == ("external", "full")


def test_half_written_through_numpy():
    def build():
        p = nn.Parameter(torch.empty(8, 6))
        p.data.numpy()[:2] = 0.5
        return p

    record = record_of(build)
    assert record.unwritten == 36
    assert (the_write(record).origin, the_write(record).extent) == ("external", "partial")


def test_deepcopy():
    def build():
        first = nn.Linear(6, 6)
        second = copy.deepcopy(first)  # at:deepcopy
        return nn.Sequential(first, second)

    write = ruled(record_of(build, "1.weight"), "kaiming_uniform_", origin="copied", at="at:deepcopy")
    assert write.call.get() == KAIMING
    assert write.sources == ("0.weight",)
    assert write.source_origin == "framework default"


def test_deepcopy_then_own_init():
    def build():
        first = nn.Linear(6, 6)
        second = copy.deepcopy(first)
        nn.init.normal_(second.weight, std=0.1)
        return nn.Sequential(first, second)

    write = ruled(record_of(build, "1.weight"), "normal_", std=0.1)
    assert write.sources == ()


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_encoder_clones():
    def build():
        layer = nn.TransformerEncoderLayer(8, 2, 16)
        return nn.TransformerEncoder(layer, 2)  # at:encoder

    recording = watch(build)
    write = ruled(recording.parameter("layers.1.linear1.weight"), "kaiming_uniform_", origin="copied", at="at:encoder")
    assert write.source_origin == "framework default"
    ruled(recording.parameter("layers.1.self_attn.in_proj_weight"), "xavier_uniform_", origin="copied")


def test_cloned_weight():
    def build():
        first, second = nn.Linear(6, 6), nn.Linear(6, 6)
        second.weight = nn.Parameter(first.weight.detach().clone())  # at:clone
        return nn.Sequential(first, second)

    write = ruled(record_of(build, "1.weight"), "kaiming_uniform_", origin="copied", at="at:clone")
    assert write.sources == ("0.weight",)


def test_changed_copy_is_the_users():
    def build():
        first, second = nn.Linear(6, 6), nn.Linear(6, 6)
        second.weight = nn.Parameter(first.weight.detach() * 3)  # at:changed
        return nn.Sequential(first, second)

    write = ruled(record_of(build, "1.weight"), "kaiming_uniform_", at="at:changed")
    assert write.sources == ("0.weight",)
    assert names(write) == ["kaiming_uniform_", "mul"]
