"""One test per way of writing a parameter: the record must say who did it, how, and on which line."""

import copy
import math
import pathlib
import threading

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.init import xavier_uniform_

from initcheck.construct.recorder import Recorder
from initcheck.records.recording import InitCall

SOURCE = pathlib.Path(__file__).read_text(encoding="utf-8").splitlines()
KAIMING = InitCall("kaiming_uniform_", (("a", math.sqrt(5)), ("mode", "fan_in"), ("nonlinearity", "leaky_relu")))


class One(nn.Module):
    """A module around one parameter."""

    def __init__(self, p):
        super().__init__()
        self.p = p


def watch(build):
    """The recording of what `build` returns: a module, or a tensor that becomes the parameter `p`."""
    with Recorder() as recorder:
        made = build()
        if not isinstance(made, nn.Module):
            made = One(made if isinstance(made, nn.Parameter) else nn.Parameter(made))
    return recorder.resolve(made)


def record_of(build, name="p"):
    record = watch(build).parameter(name)
    assert record is not None
    return record


def line(marker):
    """The number of the line of this file that ends in `# <marker>`."""
    found = [number for number, text in enumerate(SOURCE, 1) if text.rstrip().endswith(f"# {marker}")]
    assert len(found) == 1, marker
    return found[0]


def names(write):
    return [call.name for call in write.lineage]


def the_write(record):
    assert len(record.writes) == 1
    return record.writes[0]


def ruled(record, name, *, origin="user", at=None, **kwargs):
    """The ruling write, after checking its call, origin and line."""
    write = record.ruling()
    assert write is not None
    call = write.call.get()
    assert call.name == name
    for key, value in kwargs.items():
        assert call.argument(key) == (pytest.approx(value) if isinstance(value, float) else value)
    assert write.origin == origin
    if at:
        assert write.location.get().path == __file__
        assert write.location.get().line == line(at)
    return write


def linear():
    return nn.Linear(6, 8)


# nn.init


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
    text = SOURCE[record.created.line - 1]
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


# Raw operations


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
    assert [(write.call.get().name, write.extent) for write in record.later()] == [("index_put_", "partial"), ("masked_fill_", "partial")]


# Never written


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


# From outside


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


# Copies


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


def test_double():
    def build():
        return linear().double()  # at:double

    record = record_of(build, "weight")
    write = ruled(record, "kaiming_uniform_", origin="framework default")
    assert write.call.get() == KAIMING
    assert record.dtype == "float64"
    assert record.created is not None


def test_half_keeps_the_users_init():
    def build():
        layer = linear()
        nn.init.normal_(layer.weight, std=0.3)  # at:before-half
        return layer.half()

    ruled(record_of(build, "weight"), "normal_", std=0.3, at="at:before-half")


def test_fused_weights():
    def build():
        q, k = nn.Linear(4, 4), nn.Linear(4, 4)
        fused = nn.Parameter(torch.cat([q.weight, k.weight]))  # at:cat
        return nn.ModuleDict({"q": q, "k": k, "fused": One(fused)})

    write = ruled(record_of(build, "fused.p"), "cat", origin="copied", at="at:cat")
    assert write.sources == ("q.weight", "k.weight")
    assert names(write) == ["kaiming_uniform_", "kaiming_uniform_", "cat"]


def test_two_draws_have_no_single_call():
    write = ruled(record_of(lambda: nn.Parameter(torch.randn(3) + torch.rand(3))), "add")
    assert names(write) == ["randn", "rand", "add"]


def test_mask_leaves_the_draw_as_the_call():
    write = ruled(record_of(lambda: nn.Parameter(torch.randn(4, 4) * torch.eye(4))), "randn")
    assert names(write) == ["randn", "eye", "mul"]


def test_vector_to_parameters():
    def build():
        layer = linear()
        nn.utils.vector_to_parameters(torch.randn(56) * 0.1, layer.parameters())
        return layer

    recording = watch(build)
    for name in ("weight", "bias"):
        write = ruled(recording.parameter(name), "randn")
        assert names(write) == ["randn", "mul"]
        assert write.extent == "full"


def test_set():
    def build():
        layer = linear()
        with torch.no_grad():
            layer.weight.set_(torch.rand(8, 6))
        return layer

    ruled(record_of(build, "weight"), "rand")


# Loaded


def test_load_state_dict_from_a_file(tmp_path):
    torch.save(nn.Linear(6, 8).state_dict(), tmp_path / "w.pt")

    def build():
        layer = linear()
        layer.load_state_dict(torch.load(tmp_path / "w.pt"))  # at:load
        return layer

    write = the_write(record_of(build, "weight"))
    assert (write.origin, write.extent, write.location.get().line) == ("loaded", "full", line("at:load"))


def test_load_state_dict_assigned(tmp_path):
    torch.save(nn.Linear(6, 8).state_dict(), tmp_path / "w.pt")

    def build():
        layer = nn.Linear(6, 8, device="meta")
        layer.load_state_dict(torch.load(tmp_path / "w.pt"), assign=True)
        return layer

    assert the_write(record_of(build, "weight")).origin == "loaded"


def test_load_state_dict_of_another_model():
    def build():
        layer = linear()
        layer.load_state_dict(nn.Linear(6, 8).state_dict())
        return layer

    write = ruled(record_of(build, "weight"), "kaiming_uniform_", origin="loaded")
    assert write.sources == ()


def test_load_state_dict_inside_one_model():
    def build():
        student, teacher = nn.Linear(4, 4), nn.Linear(4, 4)
        teacher.load_state_dict(student.state_dict())
        return nn.ModuleDict({"student": student, "teacher": teacher})

    write = ruled(record_of(build, "teacher.weight"), "kaiming_uniform_", origin="copied")
    assert write.sources == ("student.weight",)


def test_loaded_by_hand(tmp_path):
    torch.save({"w": torch.ones(8, 6)}, tmp_path / "w.pt")

    def build():
        layer = linear()
        layer.weight.data.copy_(torch.load(tmp_path / "w.pt")["w"])
        return layer

    assert the_write(record_of(build, "weight")).origin == "loaded"


def test_safetensors(tmp_path):
    safetensors = pytest.importorskip("safetensors.torch")
    safetensors.save_file({"weight": torch.ones(8, 6), "bias": torch.ones(8)}, tmp_path / "w.safetensors")

    def build():
        layer = linear()
        layer.load_state_dict(safetensors.load_file(tmp_path / "w.safetensors"))
        return layer

    assert the_write(record_of(build, "weight")).origin == "loaded"


# Parametrizations


def test_weight_norm():
    def build():
        layer = linear()
        nn.init.kaiming_normal_(layer.weight)
        return nn.utils.parametrizations.weight_norm(layer)

    recording = watch(build)
    scale = ruled(recording.parameter("parametrizations.weight.original0"), "kaiming_normal_")
    assert names(scale) == ["kaiming_normal_", "norm"]
    ruled(recording.parameter("parametrizations.weight.original1"), "kaiming_normal_")
    assert all(record.unwritten == 0 for record in recording.parameters)


@pytest.mark.filterwarnings("ignore")
def test_old_weight_norm():
    recording = watch(lambda: nn.utils.weight_norm(linear()))
    ruled(recording.parameter("weight_v"), "kaiming_uniform_", origin="framework default")
    assert names(ruled(recording.parameter("weight_g"), "kaiming_uniform_", origin="framework default"))[-1] == "norm"


def test_orthogonal_parametrization():
    record = record_of(lambda: nn.utils.parametrizations.orthogonal(nn.Linear(4, 4)), "parametrizations.weight.original")
    assert record.ruling().origin == "framework default"
    assert record.unwritten == 0


def test_spectral_norm():
    record = record_of(lambda: nn.utils.parametrizations.spectral_norm(linear()), "parametrizations.weight.original")
    assert ruled(record, "kaiming_uniform_", origin="framework default").call.get() == KAIMING


# Helpers


def lecun_(tensor, scale=1.0):
    with torch.no_grad():
        tensor.uniform_(-1, 1)
        tensor.erfinv_()
        tensor.mul_(scale * math.sqrt(2))
        tensor.clamp_(-2, 2)
    return tensor


def test_helper_is_named_by_its_function():
    def build():
        layer = linear()
        lecun_(layer.weight, scale=0.5)  # at:helper
        return layer

    record = record_of(build, "weight")
    write = ruled(record, "lecun_", scale=0.5, at="at:helper")
    assert record.writes == (write,)
    assert names(write) == ["uniform_", "erfinv_", "mul_", "clamp_"]


def test_rescaling_helper_does_not_hide_the_scheme():
    def halve_(tensor):
        return tensor.data.mul_(0.5)

    def build():
        layer = linear()
        halve_(layer.weight)
        return layer

    record = record_of(build, "weight")
    ruled(record, "kaiming_uniform_", origin="framework default")
    assert record.later()[0].call.get() == InitCall("mul_", (("other", 0.5),))


def test_function_on_a_module_is_no_helper():
    def reset_(module):
        module.weight.data.normal_(0, 0.1)  # at:module-function

    def build():
        layer = linear()
        layer.apply(reset_)
        return layer

    ruled(record_of(build, "weight"), "normal_", std=0.1, at="at:module-function")


def test_helper_of_another_library():
    timm = pytest.importorskip("timm.layers")

    def build():
        layer = linear()
        timm.lecun_normal_(layer.weight)  # at:timm
        timm.trunc_normal_tf_(layer.bias.data, std=0.5)
        return layer

    recording = watch(build)
    ruled(recording.parameter("weight"), "lecun_normal_", at="at:timm")
    ruled(recording.parameter("bias"), "trunc_normal_tf_", std=0.5)


def test_guarded_init_of_transformers():
    guarded = pytest.importorskip("transformers.initialization")

    def build():
        layer = linear()
        guarded.normal_(layer.weight, mean=0.0, std=0.02)  # at:guarded
        return layer

    ruled(record_of(build, "weight"), "normal_", std=0.02, at="at:guarded")


def test_library_model():
    torchvision = pytest.importorskip("torchvision")

    def build():
        return torchvision.models.squeezenet1_1(num_classes=3)  # at:library

    record = record_of(build, "features.0.weight")
    write = ruled(record, "kaiming_uniform_", origin="library")
    assert write.location.get().path.endswith("squeezenet.py")
    assert (record.created.path, record.created.line) == (__file__, line("at:library"))


# Modules of torch


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


# Shared memory


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


# Out of sight


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
