import math

import pytest
import torch

from initcheck.measure.signal.logits import row_variance


def draw(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


def test_the_variance_of_a_batched_product_is_that_of_its_rows():
    scores = 3.0 * draw(8, 50, 200) + torch.arange(50.0)[:, None]
    assert row_variance("bmm", scores, ()) == pytest.approx(9.0, rel=0.05)


def test_masked_entries_are_left_out():
    scores = 2.0 * draw(4, 4, 64, 64)
    masked = scores.masked_fill(torch.ones(64, 64).triu(1).bool(), -torch.inf)
    soft = masked.softmax(-1)
    assert row_variance("softmax", soft, (masked,)) == pytest.approx(4.0, rel=0.15)
    masked = scores + torch.full((64, 64), torch.finfo(torch.float32).min).triu(1)
    assert row_variance("softmax", soft, (masked,)) == pytest.approx(4.0, rel=0.15)


@pytest.mark.parametrize("groups", [1, 2, 8])
def test_fused_attention_is_its_product_without_scale(groups):
    query, key = draw(2, 8, 40, 16), draw(2, groups, 60, 16)
    exact = (query @ key.repeat_interleave(8 // groups, 1).transpose(-1, -2)).var(-1).mean()
    found = row_variance("scaled_dot_product_attention", query, (query, key, key))
    assert found == pytest.approx(float(exact), rel=0.2)


def test_what_has_no_rows_is_none():
    assert row_variance("bmm", draw(4, 4, 1), ()) is None
    assert row_variance("softmax", draw(4), (draw(4),)) is None
    assert row_variance("scaled_dot_product_attention", draw(2, 3, 4), (draw(2, 3, 4), draw(2, 3, 4), draw(2, 3, 4))) is None
    assert row_variance("bmm", torch.full((2, 2, 2), math.nan), ()) is None
    assert row_variance("softmax", draw(4, 4), (None,)) is None
