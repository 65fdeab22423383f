"""One test per way of writing a parameter: the record must say who did it, how, and on which line."""

import pathlib

import pytest
import torch
from torch import nn
from torch.nn.init import xavier_uniform_

from initcheck.records.recording import InitCall
from tests.unit.construct.idioms import KAIMING, line, linear, names, record_of, ruled, the_write


def test_call_with_every_argument():
    def build():
        layer = linear()
        nn.init.kaiming_normal_(layer.weight, a=0.1, mode="fan_out", nonlinearity="leaky_relu")  # at:kaiming
        return layer

    record = record_of(build, "weight")
    write = ruled(record, "kaiming_normal_", at="at:kaiming")
    assert write.call.get().kwargs == (("a", 0.1), ("mode", "fan_out"), ("nonlinearity", "leaky_relu"))
    assert record.unwritten == 0
    assert record.owner == "Linear"


def test_function_imported_by_name_long_before():
    def build():
        layer = linear()
        xavier_uniform_(layer.weight, gain=2.0)  # at:by-name
        return layer

    ruled(record_of(build, "weight"), "xavier_uniform_", gain=2.0, at="at:by-name")


def test_framework_default():
    def build():
        return nn.Sequential(nn.Linear(6, 8))  # at:default

    record = record_of(build, "0.weight")
    write = ruled(record, "kaiming_uniform_", origin="framework default", at="at:default")
    assert write.call.get() == KAIMING
    assert record.created == write.location.get()
    text = pathlib.Path(__file__).read_text(encoding="utf-8").splitlines()[record.created.line - 1]
    assert text[record.created.column - 1 : record.created.end_column - 1] == "nn.Linear(6, 8)"
    assert record.module == "0"


@pytest.mark.parametrize(
    ("name", "shape", "kwargs"),
    [
        ("trunc_normal_", (8, 6), {"mean": 0.0, "std": 0.02, "a": -2.0, "b": 2.0}),
        ("orthogonal_", (8, 6), {"gain": 1.4}),
        ("orthogonal_", (6, 8), {"gain": 1}),
        ("eye_", (8, 6), {}),
        ("dirac_", (4, 4, 3), {"groups": 1}),
        ("sparse_", (8, 6), {"sparsity": 0.5, "std": 0.01}),
        ("constant_", (8, 6), {"val": 0.3}),
    ],
)
def test_composite_functions_are_one_write(name, shape, kwargs):
    def build():
        p = nn.Parameter(torch.empty(shape))
        getattr(nn.init, name)(p, **kwargs)  # at:composite
        return p

    record = record_of(build)
    write = ruled(record, name, at="at:composite", **kwargs)
    assert record.writes == (write,)
    assert write.extent == "full"
    assert names(write) == [name]


@pytest.mark.parametrize("name", ["xavier_normal_", "kaiming_uniform_", "constant_"])
def test_initialization_while_on_meta(name):
    def build():
        p = nn.Parameter(torch.empty(8, 6, device="meta"))
        getattr(nn.init, name)(p, **({"val": 0.5} if name == "constant_" else {}))
        return p

    record = record_of(build)
    ruled(record, name)
    assert record.unwritten == 0


@pytest.mark.parametrize("fill", [nn.init.trunc_normal_, nn.init.orthogonal_, lambda p: nn.init.sparse_(p, 0.5)])
def test_initializers_that_skip_meta_are_seen_or_honestly_unknown(fill):
    def build():
        p = nn.Parameter(torch.empty(8, 6, device="meta"))
        fill(p)
        return p

    record = record_of(build)
    write = the_write(record)
    assert record.unwritten == 0
    assert write.origin == ("user" if write.call.known() else "unknown")


def test_normal_on_data():
    def build():
        layer = linear()
        layer.weight.data.normal_(0, 0.02)  # at:data-normal
        return layer

    write = ruled(record_of(build, "weight"), "normal_", at="at:data-normal")
    assert write.call.get() == InitCall("normal_", (("mean", 0), ("std", 0.02)))


def test_data_assigned():
    def build():
        layer = linear()
        layer.weight.data = torch.randn(8, 6) * 0.02  # at:data-assigned
        return layer

    write = ruled(record_of(build, "weight"), "randn", at="at:data-assigned")
    assert write.lineage == (InitCall("randn"), InitCall("mul", (("other", 0.02),)))


def test_parameter_from_expression():
    def build():
        return nn.Parameter(torch.randn(8, 6) * 0.02)  # at:expression

    write = ruled(record_of(build), "randn", at="at:expression")
    assert names(write) == ["randn", "mul"]


def test_copy_of_expression():
    def build():
        layer = linear()
        with torch.no_grad():
            layer.weight.copy_(torch.randn(8, 6).mul(0.3))  # at:copy
        return layer

    write = ruled(record_of(build, "weight"), "randn", at="at:copy")
    assert write.lineage == (InitCall("randn"), InitCall("mul", (("other", 0.3),)))
    assert write.extent == "full"


def test_slice_assignment_of_everything_is_full():
    def build():
        layer = linear()
        with torch.no_grad():
            layer.weight[:] = torch.rand(8, 6)  # at:full-slice
        return layer

    record = record_of(build, "weight")
    assert the_write(record).extent == "full"
    ruled(record, "rand", at="at:full-slice")


def test_number_assigned_to_everything():
    def build():
        layer = linear()
        with torch.no_grad():
            layer.weight[:] = 0.5
        return layer

    ruled(record_of(build, "weight"), "fill_", value=0.5)


def test_half_written():
    def build():
        p = nn.Parameter(torch.empty(8, 6))
        with torch.no_grad():
            p[:4] = 0.1  # at:half
        return p

    record = record_of(build)
    assert record.unwritten == 24
    assert record.ruling() is None
    write = the_write(record)
    assert (write.extent, write.origin, write.location.get().line) == ("partial", "user", line("at:half"))


def test_default_then_part_rewritten():
    def build():
        layer = linear()
        with torch.no_grad():
            layer.weight[:4] = 0.1
        return layer

    record = record_of(build, "weight")
    ruled(record, "kaiming_uniform_", origin="framework default")
    assert [write.call.get().name for write in record.later()] == ["fill_"]
    assert record.unwritten == 0


def test_default_then_every_part_rewritten():
    def build():
        layer = linear()
        for block in layer.weight.chunk(4):
            nn.init.orthogonal_(block, gain=2.0)  # at:blocks
        return layer

    record = record_of(build, "weight")
    assert len(record.writes) == 1
    ruled(record, "orthogonal_", gain=2.0, at="at:blocks")


def test_parts_by_different_calls():
    def build():
        p = nn.Parameter(torch.empty(8, 6))
        nn.init.zeros_(p[:, :2])
        nn.init.ones_(p[:, 2:])
        return p

    record = record_of(build)
    assert record.unwritten == 0
    write = the_write(record)
    assert write.extent == "full"
    assert "2 parts" in write.call.reason
    assert names(write) == ["zeros_", "ones_"]


def test_padding_row():
    record = record_of(lambda: nn.Embedding(5, 3, padding_idx=0), "weight")
    ruled(record, "normal_", origin="framework default")
    (later,) = record.later()
    assert (later.extent, later.call.get().name) == ("partial", "fill_")


def test_handwritten_truncated_normal():
    def build():
        layer = linear()
        layer.weight.data.uniform_(-0.9, 0.9).erfinv_().mul_(0.02)
        return layer

    record = record_of(build, "weight")
    ruled(record, "uniform_", **{"from": -0.9, "to": 0.9})
    assert [write.call.get().name for write in record.later()] == ["erfinv_", "mul_"]


def test_symmetric_uniform():
    record = record_of(lambda: nn.Parameter(torch.rand_like(torch.empty(4, 4)) * 2 - 1))
    write = ruled(record, "rand_like")
    assert names(write) == ["rand_like", "mul", "sub"]
    assert record.unwritten == 0


def test_deterministic_values():
    write = ruled(record_of(lambda: nn.Parameter(torch.log(torch.arange(1, 17).float()))), "arange", start=1, end=17)
    assert names(write) == ["arange", "log"]
