"""How a state grows under a recurrent matrix, against the spectral radius."""

import pytest
import torch

from tests.unit.measure.test_weights import draw, stats_of


@pytest.mark.parametrize("size", [4, 32, 200])
def test_growth_is_the_spectral_radius(size):
    drawn = draw(size, size, seed=size) / size**0.5
    radius = float(torch.linalg.eigvals(drawn).abs().max())
    assert stats_of(drawn, blocks=1).block_growth[0] == pytest.approx(radius, rel=0.02)
    turning = 1.5 * torch.linalg.qr(drawn).Q
    assert stats_of(turning, blocks=1).block_growth[0] == pytest.approx(1.5, rel=1e-5)


def test_growth_of_special_matrices():
    assert stats_of(torch.tensor([[0.0, 1.0], [0.0, 0.0]]), blocks=1).block_growth == (0.0,)
    assert stats_of(torch.zeros(4, 4), blocks=1).block_growth == (0.0,)
    assert stats_of(draw(4, 6), blocks=1).block_growth == ()
    assert stats_of(draw(12, 3), blocks=4).block_growth == ()
