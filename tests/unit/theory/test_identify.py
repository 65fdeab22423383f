"""Identification: the true scheme is never rejected, wrong ones are, and doubt is said."""

import math

import pytest
import torch
from torch import nn

from initcheck.measure.parameters.weights import weight_stats
from initcheck.records.stats import WeightStats
from initcheck.theory.fans import torch_fans
from initcheck.theory.identify import identify
from initcheck.theory.sampling import dtype_eps


def stats_of(tensor: torch.Tensor, blocks: int = 0) -> WeightStats:
    return weight_stats({"w": tensor}, {"w": blocks} if blocks else {})[0]


def identified(tensor, blocks=0):
    fans = torch_fans(tensor.shape)
    stats = stats_of(tensor, blocks)
    return identify(stats, fans.fan_in, fans.fan_out, dtype_eps(stats.dtype))


def labels(tensor, blocks=0):
    return {candidate.label for candidate in identified(tensor, blocks).candidates}


SCHEMES = {
    "kaiming_normal(relu)": lambda w: nn.init.kaiming_normal_(w, nonlinearity="relu"),
    "kaiming_uniform(relu)": lambda w: nn.init.kaiming_uniform_(w, nonlinearity="relu"),
    "kaiming_normal(fan_out, relu)": lambda w: nn.init.kaiming_normal_(w, mode="fan_out", nonlinearity="relu"),
    "kaiming_uniform(a=√5)": lambda w: nn.init.kaiming_uniform_(w, a=math.sqrt(5)),
    "kaiming_normal(linear)": lambda w: nn.init.kaiming_normal_(w, nonlinearity="linear"),
    "xavier_uniform": nn.init.xavier_uniform_,
    "xavier_normal": nn.init.xavier_normal_,
    "xavier_normal(gain=5/3)": lambda w: nn.init.xavier_normal_(w, gain=5 / 3),
    "normal(0, 0.02)": lambda w: nn.init.normal_(w, std=0.02),
    "normal(0, 1)": nn.init.normal_,
    "trunc_normal(0, 0.02, -0.04…0.04)": lambda w: nn.init.trunc_normal_(w, std=0.02, a=-0.04, b=0.04),
    "trunc_normal(0, 0.02, -0.06…0.06)": lambda w: nn.init.trunc_normal_(w, std=0.02, a=-0.06, b=0.06),
    "uniform(-0.05, 0.05)": lambda w: nn.init.uniform_(w, -0.05, 0.05),
}
SHAPES = [(4, 4), (8, 8), (10, 64), (32, 48), (16, 8, 3, 3), (128, 96)]


def test_the_true_scheme_is_never_rejected():
    torch.manual_seed(0)
    missed = []
    for label, init in SCHEMES.items():
        for shape in SHAPES:
            missed += [(label, shape) for _ in range(26) if label not in labels(init(torch.empty(shape)))]
    assert missed == []


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
def test_rounding_to_another_dtype_is_no_reason_to_reject(dtype):
    torch.manual_seed(0)
    missed = [label for label, init in SCHEMES.items() for _ in range(3) if label not in labels(init(torch.empty(128, 96)).to(dtype))]
    assert missed == []


@pytest.mark.parametrize("label", ["kaiming_normal(relu)", "kaiming_uniform(relu)", "trunc_normal(0, 0.02, -0.04…0.04)", "xavier_uniform"])
def test_large_tensors_leave_no_doubt(label):
    torch.manual_seed(0)
    found = identified(SCHEMES[label](torch.empty(300, 200)))
    assert [candidate.label for candidate in found.candidates] == [label]
    assert found.family.get() == ("uniform" if "uniform" in label else "truncated" if "trunc" in label else "normal")
    assert found.std_interval[0] < found.candidates[0].std < found.std_interval[1]


def test_twins_are_all_listed():
    torch.manual_seed(0)
    square = nn.init.xavier_normal_(torch.empty(256, 256))
    assert {"xavier_normal", "kaiming_normal(linear)"} <= labels(square)
    assert "kaiming_normal(relu)" not in labels(square)


def test_few_elements_are_not_named():
    torch.manual_seed(0)
    tiny = identified(torch.randn(2, 3))
    assert (tiny.candidates, tiny.std_interval) == ((), (0.0, math.inf))
    assert "too few" in tiny.family.reason
    small = identified(torch.randn(6, 6))
    assert "36 elements" in small.family.reason
    assert "normal(0, 1)" in {candidate.label for candidate in small.candidates}


@pytest.mark.parametrize(("ratio", "count"), [(2.0, 256), (1.137, 8192)])
def test_wrong_scales_are_told_apart(ratio, count):
    torch.manual_seed(0)
    for _ in range(20):
        assert "normal(0, 1)" not in labels(torch.randn(count // 16, 16) * ratio)
        assert "normal(0, 1)" not in labels(torch.randn(count // 16, 16) / ratio)


def test_a_shifted_mean_is_no_scheme():
    torch.manual_seed(0)
    shifted = identified(torch.randn(64, 64) + 1.0)
    assert shifted.candidates == ()
    assert shifted.family.get() == "normal"
    assert identified(torch.rand(64, 64)).family.get() == "uniform"


def test_mixed_scales_fit_nothing():
    torch.manual_seed(0)
    mixed = identified(torch.cat([torch.randn(64, 64), 5 * torch.randn(64, 64)]))
    assert mixed.candidates == ()
    assert mixed.uneven
    assert [part.std for part in mixed.parts] == pytest.approx([1.0, 5.0], rel=0.05)
    scales = torch.rand(128, 1) + 0.5
    trained = identified(torch.randn(128, 64) * scales)
    assert trained.candidates == trained.parts == ()
    assert "rows" in trained.family.reason


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("shape", [(16, 16), (64, 200), (96, 32, 3, 3)])
def test_orthogonal(shape, dtype):
    torch.manual_seed(0)
    found = identified(nn.init.orthogonal_(torch.empty(shape), gain=1.5).to(dtype), blocks=1)
    assert found.family.get() == "orthogonal"
    assert found.candidates[0].call.argument("gain") == pytest.approx(1.5, rel=1e-2)


def test_orthogonal_per_gate():
    torch.manual_seed(0)
    gates = torch.cat([nn.init.orthogonal_(torch.empty(32, 32)) for _ in range(4)])
    assert identified(gates, blocks=4).family.get() == "orthogonal"
    packed = nn.init.orthogonal_(torch.empty(128, 32))
    assert identified(packed, blocks=4).family != identified(gates, blocks=4).family


def test_random_matrices_are_not_orthogonal():
    torch.manual_seed(0)
    for shape in ((2, 64), (3, 512), (64, 64)):
        for _ in range(20):
            family = identified(torch.randn(shape), blocks=1).family
            assert not family.known() or family.get() != "orthogonal"


@pytest.mark.parametrize(
    ("tensor", "family", "name"),
    [
        (torch.zeros(4, 4), "constant", "zeros_"),
        (torch.ones(4), "constant", "ones_"),
        (torch.full((3, 5), 0.25), "constant", "constant_"),
        (torch.eye(16), "identity", "eye_"),
        (nn.init.dirac_(torch.empty(8, 8, 3, 3)), "identity", "dirac_"),
        (nn.init.sparse_(torch.empty(64, 64), 0.5), "sparse", "sparse_"),
    ],
)
def test_exact_starts(tensor, family, name):
    stats = stats_of(tensor.reshape(tensor.shape if tensor.dim() > 1 else (1, -1)))
    found = identify(stats, 1, 1, dtype_eps(stats.dtype))
    assert found.family.get() == family
    assert found.candidates[0].call.name == name


def test_values_that_are_not_finite():
    broken = torch.randn(16, 16)
    broken[0, 0] = math.nan
    found = identified(broken)
    assert found.candidates == ()
    assert "not finite" in found.family.reason


def test_used_fans_join_where_torch_counts_otherwise():
    torch.manual_seed(0)
    stack = torch.randn(4, 48, 64) / math.sqrt(48)
    stats = stats_of(stack)
    found = identify(stats, 48, 64, dtype_eps(stats.dtype))
    assert "normal, std 1/sqrt(fan_in 48)" in {candidate.label for candidate in found.candidates}
