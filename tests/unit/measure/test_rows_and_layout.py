"""Row dispersion, survey of orthogonality, and weights that are mostly zeros by design."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from initcheck.measure.parameters import blocks, rows
from initcheck.measure.parameters.layout import layout
from initcheck.measure.parameters.weights import weight_stats


def draw(*shape, seed=0, dtype=torch.float32):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed)).to(dtype)


def stats_of(tensor):
    return weight_stats({"w": tensor}, {})[0]


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 40), st.integers(2, 40), st.integers(0, 1000))
def test_dispersion_against_float64(height, width, seed):
    tensor = draw(height, width, seed=seed)
    squares = tensor.double().square().mean(1)
    found = rows.dispersion(tensor)
    assert found.relative == pytest.approx(((squares / squares.mean() - 1) ** 2).mean().item(), rel=1e-4)
    assert found.zero_rows == 0
    assert (sum(found.profile) / len(found.profile) if found.profile else squares.mean().item()) == pytest.approx(
        squares.mean().item(), rel=1e-5
    )


@pytest.mark.parametrize(("height", "segments"), [(24, 12), (18, 6), (20, 4), (9, 3), (10, 2), (7, 0)])
def test_profile(height, segments):
    assert len(rows.dispersion(draw(height, 8)).profile) == segments


def test_profile_shows_blocks():
    profile = rows.dispersion(torch.cat([draw(40, 100), 3 * draw(40, 100), 2 * draw(40, 100)])).profile
    assert [sum(profile[start : start + 4]) / 4 for start in (0, 4, 8)] == pytest.approx([1, 9, 4], rel=0.1)


def test_rows_of_zeros_are_counted_and_left_out():
    tensor = draw(50, 30)
    whole = rows.dispersion(tensor[2:])
    tensor[:2] = 0
    found = rows.dispersion(tensor)
    assert (found.zero_rows, found.relative) == (2, pytest.approx(whole.relative))


@pytest.mark.parametrize("tensor", [torch.ones(5), torch.zeros(4, 4), draw(5, 1), draw(6, 6) * 1e-30, torch.ones(3, 3, dtype=torch.int64)])
def test_nothing_is_said_where_nothing_can_be(tensor):
    assert math.isnan(rows.dispersion(tensor).relative)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
def test_other_dtypes_and_layouts(dtype):
    tensor = draw(16, 12, 3, 3).to(dtype)
    expected = rows.dispersion(tensor).relative
    assert rows.dispersion(tensor.to(memory_format=torch.channels_last)).relative == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("shape", [(3, 3), (16, 16), (40, 200), (200, 40), (32, 8, 3, 3), (600, 300), (300, 600)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64])
def test_survey_finds_orthogonal_matrices(shape, dtype):
    tensor = torch.nn.init.orthogonal_(torch.empty(shape), gain=0.7).to(dtype)
    count, (block,) = blocks.survey(tensor)
    assert count == 1
    assert block.orthogonality < 2 * torch.finfo(dtype).eps + 1e-6
    assert block.gain == pytest.approx(0.7, rel=torch.finfo(dtype).eps + 1e-5)


@pytest.mark.parametrize("count", [2, 3, 4])
@pytest.mark.parametrize("width", [24, 30, 40, 100])
def test_survey_finds_blocks(count, width):
    tensor = torch.cat([torch.nn.init.orthogonal_(torch.empty(30, width)) for _ in range(count)])
    found, pieces = blocks.survey(tensor)
    assert found == count
    assert max(piece.orthogonality for piece in pieces) < 1e-5


@pytest.mark.parametrize("shape", [(3, 50), (64, 64), (64, 256), (256, 64), (2000, 20)])
def test_survey_estimates_the_distance_of_random_matrices(shape):
    count, (block,) = blocks.survey(draw(*shape))
    assert (count, math.isnan(block.gain)) == (1, True)
    assert block.orthogonality == pytest.approx(blocks.measure(draw(*shape)).orthogonality, rel=0.6)


def test_survey_says_nothing_of_two_rows():
    assert blocks.survey(draw(2, 60)) == (1, ())
    assert blocks.survey(draw(60)) == (1, ())


def test_orthogonal_but_for_one_row():
    tensor = torch.nn.init.orthogonal_(torch.empty(64, 64))
    tensor[1] = tensor[0]
    assert stats_of(tensor).block_orthogonality[0] > 0.1


def test_a_kernel_whose_centre_alone_acts():
    tensor = torch.zeros(12, 8, 3, 3)
    tensor[:, :, 1, 1] = torch.nn.init.orthogonal_(torch.empty(12, 8))
    stats = stats_of(tensor)
    assert stats.centre_tap
    assert stats.block_orthogonality[0] < 1e-5
    tensor[0, 0, 0, 0] = 1.0
    assert not stats_of(tensor).centre_tap


@pytest.mark.parametrize("groups", [1, 2, 3])
@pytest.mark.parametrize("shape", [(6, 4, 3), (6, 2, 3, 3), (12, 5, 1, 1)])
def test_dirac(shape, groups):
    stats = stats_of(2 * torch.nn.init.dirac_(torch.empty(shape), groups=groups))
    assert (stats.diagonal, stats.diagonal_groups) == (2.0, groups)


@pytest.mark.parametrize("shape", [(5, 5), (5, 9), (9, 5)])
def test_identity(shape):
    stats = stats_of(torch.eye(*shape))
    assert (stats.diagonal, stats.diagonal_groups) == (1.0, 1)
    assert stats_of(torch.eye(*shape).flip(0)).diagonal is None


def test_a_diagonal_of_different_values_is_no_identity():
    assert layout(torch.diag(torch.tensor([1.0, 2.0, 3.0])), 6).diagonal is None


@pytest.mark.parametrize("make", [lambda: torch.nn.init.eye_(torch.empty(40, 30)), lambda: torch.nn.init.dirac_(torch.empty(9, 9, 3))])
def test_exactly_orthogonal_rows_are_at_no_distance(make):
    assert stats_of(make()).block_orthogonality == pytest.approx((0.0,), abs=1e-6)
