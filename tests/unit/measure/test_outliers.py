"""Elements that lie far away from all others."""

import pytest
import torch

from initcheck.measure.parameters.weights import weight_stats


def stats_of(tensor):
    return weight_stats({"w": tensor}, {})[0]


def draw(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("shape", [(64, 64), (1100, 1000)])
def test_the_rest_is_measured_without_them(shape):
    weight = 0.02 * draw(*shape)
    plain = stats_of(weight)
    weight[:2, :3] = -2.0
    stats = stats_of(weight)
    assert stats.outliers == 6
    assert stats.inner_std == pytest.approx(plain.std, rel=2e-3)
    assert stats.inner_largest == pytest.approx(max(plain.maximum, -plain.minimum), rel=0.1)
    assert stats.std > plain.std


def test_no_light_tailed_sample_has_any():
    for weight in (draw(600, 500), draw(600, 500).bfloat16(), draw(50).clamp(-1, 1), torch.zeros(20, 20)):
        stats = stats_of(weight)
        assert stats.outliers == 0
        assert stats.inner_std == 0.0
