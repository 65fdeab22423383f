"""Each kind of parameter is written as it should be, or refused with the reason."""

import hashlib

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations, parametrize

from initcheck.fix.module.applying import apply, raw, untouched
from initcheck.records.finding import Step
from initcheck.records.recording import InitCall

ORTHOGONAL = InitCall("orthogonal_", (("gain", 1.0),))
NORMAL = InitCall("normal_", (("mean", 0.0), ("std", 0.5)))
ONES = InitCall("ones_")


def step(name, call=NORMAL, blocks=1, block=None):
    return Step((name,), call, blocks, block)


def reason(model, name, call=NORMAL):
    before = [raw(tensor) for tensor in model.parameters() if not (tensor.is_meta or torch.nn.parameter.is_lazy(tensor))]
    done = apply(model, [step(name, call)], 0)
    assert not done.written
    assert [raw(tensor) for tensor in model.parameters() if not (tensor.is_meta or torch.nn.parameter.is_lazy(tensor))] == before
    return done.refused[0].reason


def test_a_plain_weight_is_drawn_from_seed_and_name_alone():
    models = [nn.Sequential(nn.Linear(8, 8), nn.Linear(8, 8)) for _ in range(3)]
    state = torch.get_rng_state()
    apply(models[0], [step("0.weight"), step("1.weight")], 3)
    apply(models[1], [step("1.weight")], 3)
    apply(models[2], [step("1.weight")], 4)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(models[0][1].weight, models[1][1].weight)
    assert not torch.equal(models[1][1].weight, models[2][1].weight)
    assert not torch.equal(models[0][0].weight, models[0][1].weight)


def test_restoring_puts_every_byte_back():
    model = nn.Sequential(nn.Linear(8, 8), nn.BatchNorm1d(8))
    before = {name: raw(tensor) for name, tensor in model.state_dict().items()}
    done = apply(model, [step("0.weight"), step("1.weight", ONES), step("0.bias", ONES)], 0)
    assert set(done.written) == {"0.weight", "1.weight", "0.bias"}
    done.restore()
    assert {name: raw(tensor) for name, tensor in model.state_dict().items()} == before


def test_untouched_counts_and_hashes_the_rest():
    model = nn.Sequential(nn.Linear(8, 8), nn.BatchNorm1d(8))
    done = apply(model, [step("0.weight")], 0)
    count, digest = untouched(model, done.slots.values())
    assert count == 6
    model[0].weight.data.zero_()
    assert untouched(model, done.slots.values()) == (6, digest)
    model[1].running_mean.add_(1)
    assert untouched(model, done.slots.values())[1] != digest


def test_gates_are_drawn_block_by_block():
    model = nn.LSTM(4, 6)
    forget = Step(("bias_ih_l0",), InitCall("constant_", (("val", 1.0),)), 4, 1)
    before = model.bias_ih_l0.detach().clone()
    apply(model, [step("weight_hh_l0", ORTHOGONAL, 4), forget], 0)
    for gate in model.weight_hh_l0.detach().chunk(4):
        assert torch.allclose(gate @ gate.T, torch.eye(6), atol=1e-5)
    assert torch.equal(model.bias_ih_l0[6:12], torch.ones(6))
    assert torch.equal(model.bias_ih_l0[:6], before[:6]) and torch.equal(model.bias_ih_l0[12:], before[12:])


def test_packed_projections_are_drawn_block_by_block():
    model = nn.MultiheadAttention(16, 4)
    apply(model, [step("in_proj_weight", InitCall("xavier_uniform_", (("gain", 1.0),)), 3)], 0)
    assert abs(model.in_proj_weight.std() - (2 / 32) ** 0.5) < 0.02


def test_blocks_that_do_not_divide_are_refused():
    assert "4 equal blocks" in reason_of_blocks(nn.Linear(8, 6), 4)


def reason_of_blocks(model, blocks):
    return apply(model, [step("weight", NORMAL, blocks)], 0).refused[0].reason


def test_two_names_of_one_weight_are_written_once():
    model = nn.Sequential(nn.Linear(8, 8), nn.Linear(8, 8))
    model[1].weight = model[0].weight
    done = apply(model, [Step(("0.weight", "1.weight"), InitCall("mul_", (("factor", 2.0),)))], 0)
    assert done.written == ("0.weight",)
    assert model[1].weight is model[0].weight


@pytest.mark.parametrize("wrap", [parametrizations.weight_norm, nn.utils.weight_norm], ids=["parametrization", "hook"])
@pytest.mark.filterwarnings("ignore:.*weight_norm.*deprecated")
def test_weight_norm_reaches_the_effective_weight(wrap):
    model = nn.Sequential(wrap(nn.Linear(8, 6)))
    name = next(name for name, tensor in model.named_parameters() if tensor.shape == (6, 8))
    plain = nn.Sequential(nn.Linear(8, 6))
    done = apply(model, [step(name)], 0)
    assert done.written == (name,)
    x = torch.randn(3, 8)
    model(x)
    before = model[0].weight.detach().clone()
    assert abs(before.std() - 0.5) < 0.15
    done.restore()
    model(x)
    assert not torch.allclose(model[0].weight, before)
    assert plain[0].weight.shape == before.shape


def test_an_orthogonal_parametrization_takes_orthogonal_values_only():
    model = nn.Sequential(parametrizations.orthogonal(nn.Linear(8, 8)))
    names = [name for name, _ in model.named_parameters() if "original" in name]
    assert apply(model, [step(names[0], ORTHOGONAL)], 0).written == (names[0],)
    weight = model[0].weight.detach()
    assert torch.allclose(weight @ weight.T, torch.eye(8), atol=1e-5)
    assert "parametrization" in reason(model, names[0])


def test_spectral_norm_keeps_its_own_scale():
    model = nn.Sequential(parametrizations.spectral_norm(nn.Linear(8, 8)))
    name = next(name for name, _ in model.named_parameters() if "original" in name)
    assert apply(model, [step(name)], 0).written == (name,)
    assert abs(float(model[0].parametrizations.weight.original.detach().std()) - 0.5) < 0.15


class Squared(nn.Module):
    def forward(self, x):
        return x * x


def test_a_parametrization_without_an_inverse_is_refused():
    model = nn.Linear(4, 4)
    parametrize.register_parametrization(model, "weight", Squared())
    assert "cannot be inverted" in reason(model, "parametrizations.weight.original")


def test_what_holds_no_values_is_refused():
    with torch.device("meta"):
        meta = nn.Linear(4, 4)
    assert "meta" in reason(meta, "weight")
    assert "lazy" in reason(nn.LazyLinear(4), "weight")


def test_quantized_and_complex_weights_are_refused():
    packed = nn.Module()
    packed.weight = nn.Parameter(torch.zeros(4, 4, dtype=torch.uint8), requires_grad=False)
    assert "quantized" in reason(packed, "weight")
    waves = nn.Module()
    waves.weight = nn.Parameter(torch.zeros(4, 4, dtype=torch.complex64))
    assert "complex" in reason(waves, "weight")


def test_inference_tensors_and_unknown_names_are_refused():
    with torch.inference_mode():
        frozen = nn.Linear(4, 4)
    assert "inference" in reason(frozen, "weight")
    assert "no parameter `other`" in reason(nn.Linear(4, 4), "other")
    assert "no parameter `a.weight`" in reason(nn.Linear(4, 4), "a.weight")


def test_a_flat_parameter_is_refused():
    class FlatParameter(nn.Parameter):
        pass

    model = nn.Module()
    model.weight = FlatParameter(torch.zeros(16))
    assert "FSDP" in reason(model, "weight")


def test_a_call_that_does_not_fit_is_refused():
    assert "does not fit" in reason(nn.Linear(4, 4), "bias", InitCall("xavier_normal_", (("gain", 1.0),)))
    assert "no function of torch.nn.init" in reason(nn.Linear(4, 4), "weight", InitCall("my_init"))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_precisions_are_drawn_in_float_and_converted(dtype):
    model = nn.Linear(64, 64, dtype=dtype)
    apply(model, [step("weight")], 0)
    assert model.weight.dtype == dtype
    assert abs(float(model.weight.detach().float().std()) - 0.5) < 0.02


def test_a_padding_row_is_blanked_alone():
    model = nn.Embedding(10, 4, padding_idx=3)
    apply(model, [step("weight"), step("weight", InitCall("zero_row_", (("row", 3),)))], 0)
    assert not model.weight[3].any()
    assert model.weight.detach()[[0, 1, 2, 4]].all()


def test_a_non_contiguous_weight_keeps_its_layout():
    model = nn.Conv2d(3, 8, 3).to(memory_format=torch.channels_last)
    strides = model.weight.stride()
    apply(model, [step("weight", ORTHOGONAL)], 0)
    assert model.weight.stride() == strides
    flat = model.weight.detach().flatten(1)
    assert torch.allclose(flat @ flat.T, torch.eye(8), atol=1e-5)


def test_a_distributed_tensor_is_written_shard_by_shard(tmp_path):
    import torch.distributed as dist
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.tensor import Shard, distribute_tensor

    dist.init_process_group("gloo", init_method=f"file://{tmp_path}/store", rank=0, world_size=1)
    try:
        mesh = init_device_mesh("cpu", (1,))
        model, plain = nn.Linear(8, 8), nn.Linear(8, 8)
        model.weight = nn.Parameter(distribute_tensor(model.weight.detach(), mesh, [Shard(0)]))
        before = hashlib.sha256(raw(model.weight.full_tensor())).hexdigest()
        done = apply(model, [step("weight")], 0)
        apply(plain, [step("weight")], 0)
        assert done.written == ("weight",)
        assert torch.equal(model.weight.full_tensor(), plain.weight)
        done.restore()
        assert hashlib.sha256(raw(model.weight.full_tensor())).hexdigest() == before
    finally:
        dist.destroy_process_group()
