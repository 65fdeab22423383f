"""Numbers of weights against plain float64 oracles."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from initcheck.measure.parameters import rows, weights
from initcheck.measure.parameters.weights import unmeasurable, weight_stats
from initcheck.records.serial import from_plain, to_plain
from initcheck.records.stats import WeightStats


def draw(*shape, seed=0, dtype=torch.float32):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed)).to(dtype)


def stats_of(tensor, blocks=0):
    return weight_stats({"w": tensor}, {"w": blocks} if blocks else {})[0]


def agrees(tensor, rel=1e-6):
    stats = stats_of(tensor)
    exact = tensor.detach().double().flatten()
    mean, variance = exact.mean().item(), exact.var(unbiased=False).item()
    std = math.sqrt(variance)
    assert stats.numel == tensor.numel()
    assert stats.mean == pytest.approx(mean, rel=rel, abs=rel * std)
    assert stats.second_moment == pytest.approx(exact.square().mean().item(), rel=rel)
    assert stats.std == pytest.approx(std, rel=10 * rel)
    assert (stats.minimum, stats.maximum) == (exact.min().item(), exact.max().item())
    assert stats.zeros == int((exact == 0).sum())
    if tensor.numel() >= 8 and variance > 0:
        assert stats.kurtosis == pytest.approx(((exact - mean) ** 4).mean().item() / variance**2, rel=1e-4, abs=1e-3)
    else:
        assert math.isnan(stats.kurtosis)
    return stats


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("shape", [(1,), (7,), (8,), (3, 5), (64, 64), (600, 500), (16, 3, 3, 3), (700_001,)])
def test_moments(dtype, shape):
    agrees(draw(*shape, dtype=dtype))


@pytest.mark.parametrize("scale", [1e-12, 1e-8, 1.0, 1e8, 1e15])
def test_every_scale(scale):
    agrees(draw(100, 100) * scale)


@pytest.mark.parametrize("offset", [0.05, 1.0, 30.0, 1000.0])
def test_mean_far_from_zero(offset):
    agrees(draw(300, 300) * 0.1 + offset)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(-1000, 1000, width=32), min_size=1, max_size=60))
def test_any_values(values):
    tensor = torch.tensor(values)
    exact = np.array(values, dtype=np.float64)
    stats = stats_of(tensor)
    assert stats.mean == pytest.approx(exact.mean(), rel=1e-5, abs=1e-5 * (1e-30 + np.abs(exact).max()))
    assert stats.second_moment == pytest.approx((exact**2).mean(), rel=1e-5, abs=1e-37)
    assert stats.zeros == int((exact == 0).sum())
    assert stats.distinct_rows == len({np.float32(value).tobytes() for value in values}) or stats.constant


def test_constant_is_exact():
    stats = stats_of(torch.full((300, 300), 0.3))
    value = float(torch.tensor(0.3))
    assert stats.constant
    assert (stats.mean, stats.second_moment, stats.std, stats.fingerprint) == (value, value**2, 0.0, "")
    assert (stats.distinct_rows, stats.distinct_columns, stats.rank_one) == (1, 1, True)


def test_zeros():
    stats = stats_of(torch.zeros(4, 3))
    assert (stats.zeros, stats.second_moment, stats.constant) == (12, 0.0, True)


def test_non_finite():
    tensor = draw(600, 600)
    tensor[3, 4] = math.inf
    tensor[5] = math.nan
    stats = stats_of(tensor)
    finite = tensor[torch.isfinite(tensor)].double()
    assert stats.nonfinite == 601
    assert stats.mean == pytest.approx(finite.mean().item(), rel=1e-6)
    assert stats.second_moment == pytest.approx(finite.square().mean().item(), rel=1e-6)
    assert not stats.constant
    assert not stats.rank_one


def test_nothing_finite():
    stats = stats_of(torch.full((3, 3), math.nan))
    assert stats.nonfinite == 9
    assert math.isnan(stats.mean)
    assert math.isnan(stats.second_moment)


def test_overflow_of_squares_is_not_non_finite():
    stats = stats_of(draw(50, 50) * 1e25)
    assert stats.nonfinite == 0
    assert stats.std == pytest.approx(1e25, rel=0.1)


@pytest.mark.parametrize(
    "view",
    [
        lambda t: t.t(),
        lambda t: t[:, ::2],
        lambda t: t[:, :1].expand(-1, 7),
        lambda t: t.view(20, 5, 2, 3).contiguous(memory_format=torch.channels_last),
        lambda t: t[3:7],
    ],
)
def test_layouts(view):
    tensor = view(draw(20, 30))
    stats = agrees(tensor)
    assert stats.distinct_rows == len(tensor.flatten(1).unique(dim=0))
    assert stats.distinct_columns == len(tensor.transpose(0, 1).flatten(1).unique(dim=0))


def test_no_elements_and_no_axes():
    empty = stats_of(torch.empty(0, 4))
    assert (empty.numel, empty.distinct_rows, empty.zeros, empty.fingerprint) == (0, 0, 0, "")
    one = stats_of(torch.tensor(2.5, requires_grad=True))
    assert (one.mean, one.second_moment, one.shape, one.distinct_rows, one.constant) == (2.5, 6.25, (), 1, True)


def test_complex_as_pairs():
    tensor = torch.view_as_complex(draw(40, 30, 2))
    stats = stats_of(tensor.conj())
    assert (stats.shape, stats.numel, stats.dtype) == ((40, 30), 2400, "complex64")
    assert stats.second_moment == pytest.approx(torch.view_as_real(tensor).double().square().mean().item(), rel=1e-6)


def test_whole_numbers():
    stats = stats_of(torch.arange(10))
    assert (stats.mean, stats.minimum, stats.maximum, stats.zeros) == (4.5, 0.0, 9.0, 1)
    assert stats_of(torch.tensor([True, False])).mean == 0.5


def test_what_has_no_values_is_left_out():
    lazy = torch.nn.LazyLinear(3).weight
    given = {"meta": torch.empty(3, device="meta"), "lazy": lazy, "sparse": torch.eye(3).to_sparse(), "real": torch.ones(2)}
    assert [stats.parameter for stats in weight_stats(given, {})] == ["real"]
    assert [bool(unmeasurable(tensor)) for tensor in given.values()] == [True, True, True, False]
    assert "meta" in unmeasurable(given["meta"])


def test_survives_json():
    stats = stats_of(draw(6, 8), blocks=2)
    assert from_plain(WeightStats, to_plain(stats)) == stats


# Rows and columns


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16, torch.float8_e4m3fn])
@pytest.mark.parametrize("shape", [(40, 30), (40, 6, 3, 3), (41, 7), (200, 2), (64, 1)])
def test_planted_copies(dtype, shape):
    tensor = torch.arange(math.prod(shape)).reshape(shape).float()
    raw = (tensor % 251).to(torch.uint8) if dtype is torch.float8_e4m3fn else draw(*shape).to(dtype)
    raw[7] = raw[3]
    if shape[1] > 5:
        raw[:, 5] = raw[:, 1]
    table = raw.contiguous().view(torch.uint8).numpy().reshape(shape[0], -1)
    expected = len({row.tobytes() for row in table})
    assert rows.distinct_rows(raw) == expected
    expected = len({raw[:, index].contiguous().view(torch.uint8).numpy().tobytes() for index in range(shape[1])})
    assert rows.distinct_columns(raw) == expected


def test_rows_that_differ_in_one_late_element():
    tensor = torch.ones(5, 100)
    tensor[2, 50] = 2
    assert rows.distinct_rows(tensor) == 2
    assert rows.distinct_columns(tensor) == 2


def test_identity():
    stats = stats_of(torch.eye(50))
    assert (stats.distinct_rows, stats.distinct_columns, stats.rank_one) == (50, 50, False)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16, torch.bfloat16])
def test_rank_one(dtype):
    outer = torch.outer(draw(40), draw(30, seed=1)).to(dtype)
    assert rows.rank_one(outer)
    assert rows.rank_one(outer.view(40, 5, 6))
    outer[17, 4] += 0.5
    assert not rows.rank_one(outer)


def test_rank_one_with_rows_of_zeros():
    tensor = torch.zeros(40, 30)
    tensor[13] = draw(30)
    tensor[29] = -2 * tensor[13]
    assert rows.rank_one(tensor)


@pytest.mark.parametrize("shape", [(1, 9), (9, 1), (9,), (0, 4)])
def test_one_row_or_column_is_never_rank_one(shape):
    assert not rows.rank_one(torch.ones(shape))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_random_small_matrices_are_not_rank_one(dtype):
    assert not any(rows.rank_one(draw(2, 2, seed=seed, dtype=dtype)) for seed in range(300))


# Fingerprints


def test_equal_tensors_share_a_fingerprint():
    first = draw(200, 100)
    other = first.clone()
    other[100, 50], other[100, 51] = first[100, 51], first[100, 50]
    found = weight_stats({"a": first, "b": first.clone(), "c": draw(200, 100, seed=1), "d": other, "e": first.double()}, {})
    a, b, c, d, e = (stats.fingerprint for stats in found)
    assert a == b
    assert len({a, c, d, e}) == 4
    assert stats_of(first).fingerprint == a


def test_swapped_elements_in_the_middle_are_told_apart(monkeypatch):
    monkeypatch.setattr(weights, "_edges", lambda *_: "same")
    first = draw(60)
    found = weight_stats({"a": first, "b": first.clone(), "c": first.flip(0), "d": first.flip(0)}, {})
    a, b, c, d = (stats.fingerprint for stats in found)
    assert a == b != c == d


# Blocks


@pytest.mark.parametrize("shape", [(64, 64), (32, 64), (64, 32), (16, 4, 3, 3)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_orthogonal(shape, dtype):
    tensor = torch.nn.init.orthogonal_(torch.empty(shape, dtype=dtype), gain=1.7)
    stats = stats_of(tensor, blocks=1)
    assert stats.block_orthogonality[0] < 2e-6
    assert stats.block_gain == (pytest.approx(1.7, rel=1e-5),)


def test_four_gates():
    tensor = torch.cat([torch.nn.init.orthogonal_(torch.empty(32, 32), gain=gain) for gain in (1.0, 2.0, 3.0)] + [draw(32, 32) + 5])
    stats = stats_of(tensor, blocks=4)
    assert stats.blocks == 4
    assert max(stats.block_orthogonality[:3]) < 2e-6
    assert stats.block_orthogonality[3] > 0.5
    assert stats.block_gain[:3] == pytest.approx((1.0, 2.0, 3.0), rel=1e-5)
    assert stats.block_mean[3] == pytest.approx(5.0, abs=0.2)


def test_distance_of_random_matrices():
    tensor = draw(48, 200)
    gram = tensor.double() @ tensor.double().T
    gram = gram * 48 / gram.trace()
    exact = (gram - torch.eye(48)).norm().item() / math.sqrt(48)
    assert stats_of(tensor, blocks=1).block_orthogonality[0] == pytest.approx(exact, rel=1e-4)


def test_probe_beyond_the_exact_side(monkeypatch):
    monkeypatch.setattr(weights.block_wise, "EXACT_SIDE", 16)
    orthogonal = torch.nn.init.orthogonal_(torch.empty(128, 128))
    assert stats_of(orthogonal, blocks=1).block_orthogonality[0] < 1e-5
    random = draw(128, 256)
    monkeypatch.undo()
    exact = stats_of(random, blocks=1).block_orthogonality[0]
    monkeypatch.setattr(weights.block_wise, "EXACT_SIDE", 16)
    assert stats_of(random, blocks=1).block_orthogonality[0] == pytest.approx(exact, rel=0.35)


def test_biases_have_block_means_only():
    bias = torch.cat([torch.zeros(5), torch.ones(5), torch.zeros(10)])
    stats = stats_of(bias, blocks=4)
    assert stats.block_mean == (0.0, 1.0, 0.0, 0.0)
    assert stats.block_gain == stats.block_orthogonality == ()


def test_zero_block_is_infinitely_far():
    assert stats_of(torch.zeros(8, 4), blocks=2).block_orthogonality == (math.inf, math.inf)


def test_blocks_that_do_not_fit_are_not_measured():
    assert stats_of(draw(9, 4), blocks=4).block_gain == ()


def test_the_random_stream_and_the_tensor_are_left_alone():
    tensor = draw(1500, 1100).requires_grad_()
    state, before = torch.get_rng_state(), tensor.detach().clone()
    stats_of(tensor, blocks=1)
    assert torch.equal(state, torch.get_rng_state())
    assert torch.equal(tensor, before)
    assert tensor.grad is None
