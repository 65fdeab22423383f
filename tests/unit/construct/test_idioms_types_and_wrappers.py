"""One test per way of writing a parameter: the record must say who did it, how, and on which line."""

import math

import pytest
import torch
from torch import nn

from initcheck.records.recording import InitCall
from tests.unit.construct.idioms import KAIMING, One, line, linear, names, record_of, ruled, the_write, watch


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
