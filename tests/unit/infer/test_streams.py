import math

import pytest
import torch
from torch import nn

from tests.unit.infer.evidence import evidence, seeded
from tests.verdicts.builders import PreNorm, Residual, he_residual, xavier


def x(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


def test_he_branches_double_the_stream():
    found = evidence(seeded(he_residual(6, width=256)), x(64, 64)).streams
    assert [len(stream.sums) for stream in found] == [6]
    assert not found[0].normed and not any(one.bounded for one in found[0].sums)
    assert found[0].sums[0].closing == ("1.branch.2.weight",)
    assert found[0].sums[0].branch == ("1.branch.0.weight", "1.branch.2.weight")
    total = sum(one.net.get() for one in found[0].sums)
    assert 6 * math.log(1.8) < total < 6 * math.log(3.0)


def test_pre_norm_and_post_norm_streams():
    (pre,) = evidence(seeded(lambda: PreNorm(3, 64, xavier())), x(8, 6, 64)).streams
    (post,) = evidence(seeded(lambda: PreNorm(3, 64, xavier(), post=True)), x(8, 6, 64)).streams
    assert len(pre.sums) == len(post.sums) == 6
    assert not pre.normed and post.normed
    assert all(one.bounded for one in pre.sums)
    assert not any(one.bounded for one in post.sums)
    assert not pre.sums[0].growth.known()  # the model's input is not measured
    assert pre.sums[1].growth.get() == pytest.approx(0.2, abs=0.2)


def test_a_rectifier_between_the_sums_does_not_break_the_stream():
    blocks = [part for _ in range(4) for part in (Residual(nn.Linear(32, 32)), nn.ReLU())]
    (stream,) = evidence(seeded(lambda: nn.Sequential(nn.Linear(32, 32), *blocks, nn.Linear(32, 4))), x(16, 32)).streams
    assert len(stream.sums) == 4


def test_a_projection_begins_a_new_stream():
    class Down(nn.Module):
        def __init__(self):
            super().__init__()
            self.skip, self.branch = nn.Linear(32, 32), nn.Sequential(nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 32))

        def forward(self, x):
            return self.skip(x) + self.branch(x)

    def build():
        plain = [Residual(nn.Sequential(nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 32))) for _ in range(6)]
        return nn.Sequential(nn.Linear(32, 32), *plain[:3], Down(), *plain[3:], nn.Linear(32, 4))

    assert [len(stream.sums) for stream in evidence(seeded(build), x(16, 32)).streams] == [3, 4]


def test_branches_side_by_side_and_shared_sources():
    class Parallel(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm, self.a, self.b = nn.LayerNorm(32), nn.Linear(32, 32), nn.Linear(32, 32)

        def forward(self, x):
            y = self.norm(x)
            return x + torch.relu(self.a(y)) + torch.relu(self.b(y))

    (stream,) = evidence(seeded(lambda: nn.Sequential(nn.Linear(32, 32), Parallel(), Parallel(), nn.Linear(32, 4))), x(16, 32)).streams
    assert len(stream.sums) == 4
    assert all(one.bounded for one in stream.sums)
