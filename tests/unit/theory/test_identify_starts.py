"""What libraries do to weights, drawn by torch itself: every such start is recognised, or said to be in doubt."""

import math

import pytest
import torch
from torch import nn

from initcheck.measure.parameters.weights import weight_stats
from initcheck.theory.fans import torch_fans
from initcheck.theory.identify import identify
from initcheck.theory.sampling import dtype_eps


def identified(tensor, blocks=0, fans=None):
    torch_fan_in, torch_fan_out = (torch_fans(tensor.shape).fan_in, torch_fans(tensor.shape).fan_out) if tensor.dim() > 1 else (1, 1)
    fan_in, fan_out = fans or (torch_fan_in, torch_fan_out)
    (stats,) = weight_stats({"w": tensor}, {"w": blocks} if blocks else {})
    return identify(stats, fan_in, fan_out, dtype_eps(stats.dtype))


def winner(*args, **kwargs):
    return identified(*args, **kwargs).winner.get().label


def delta_orthogonal(shape):
    kernel = torch.zeros(shape)
    kernel[:, :, shape[2] // 2, shape[3] // 2] = nn.init.orthogonal_(torch.empty(shape[:2]))
    return kernel


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


@pytest.mark.parametrize(
    ("make", "label"),
    [
        (lambda: torch.zeros(6), "zeros"),
        (lambda: torch.full((6, 2), 3.0), "constant(3)"),
        (lambda: torch.eye(5), "identity"),
        (lambda: 0.5 * torch.eye(5, 9), "identity × 0.5"),
        (lambda: nn.init.dirac_(torch.empty(6, 4, 3, 3)), "dirac"),
        (lambda: nn.init.dirac_(torch.empty(6, 4, 3), groups=3), "dirac(groups=3)"),
        (lambda: nn.init.orthogonal_(torch.empty(40, 30)), "orthogonal"),
        (lambda: nn.init.orthogonal_(torch.empty(16, 8, 3, 3), gain=1.5), "orthogonal(gain=1.5)"),
        (lambda: torch.cat([nn.init.orthogonal_(torch.empty(20, 20)) for _ in range(3)]), "orthogonal in each of 3 blocks"),
        (lambda: delta_orthogonal((24, 16, 3, 3)), "delta-orthogonal"),
        (lambda: nn.init.sparse_(torch.empty(50, 40), 0.3, std=0.1), "sparse(0.3, "),
        (lambda: nn.functional.dropout(torch.randn(50, 41), 0.3), "masked or pruned, "),
        (lambda: nn.functional.normalize(torch.randn(32, 64), dim=1), "rows of length 1"),
    ],
)
def test_exact_starts(make, label):
    found = identified(make())
    assert found.winner.get().label.startswith(label)
    assert found.confidence == math.inf


@pytest.mark.parametrize(
    ("layer", "label"),
    [
        (lambda: nn.Linear(300, 200), "kaiming_uniform(a=√5)"),
        (lambda: nn.Conv2d(64, 64, 3), "kaiming_uniform(a=√5)"),
        (lambda: nn.ConvTranspose2d(64, 32, 3), "kaiming_uniform(a=√5)"),
        (lambda: nn.Embedding(100, 64), "normal(0, 1)"),
        (lambda: nn.Embedding(100, 64, padding_idx=0), "normal(0, 1)"),
    ],
)
def test_layers_of_torch(layer, label):
    assert winner(layer().weight) == label


def test_bilinear_and_recurrent_defaults():
    assert winner(nn.Bilinear(50, 30, 20).weight, fans=(1500, 1000)) == "uniform(±1/sqrt(50))"
    assert winner(nn.LSTM(40, 64).weight_ih_l0, fans=(40, 64)) == "uniform(±1/sqrt(hidden size 64))"


@pytest.mark.parametrize(
    ("draw", "label"),
    [
        (lambda: 0.02 * torch.randn(300, 200), "normal(0, 0.02)"),
        (lambda: nn.init.trunc_normal_(torch.empty(300, 200), std=0.02), "normal(0, 0.02)"),
        (lambda: nn.init.trunc_normal_(torch.empty(300, 200), std=0.02, a=-0.04, b=0.04), "trunc_normal(0, 0.02, -0.04…0.04)"),
        (lambda: torch.randn(300, 200) / math.sqrt(200), "kaiming_normal(linear)"),  # T5
        (lambda: (2 * torch.rand(300, 200) - 1) / 200, "uniform(±1/fan_in 200)"),  # the first layer of SIREN
        (lambda: (2 * torch.rand(300, 200) - 1) * math.sqrt(6 / 200) / 30, "uniform(±sqrt(6/fan_in 200)/30)"),
        (lambda: torch.randn(300, 200) / math.sqrt(200) / 0.87962566, "lecun_normal without its truncation"),
        (
            lambda: nn.init.trunc_normal_(torch.empty(300, 200), a=-2, b=2) / 0.87962566 / math.sqrt(200),
            "truncated normal, std 1/sqrt(fan_in 200)",
        ),
    ],
)
def test_libraries(draw, label):
    assert winner(draw()) == label


def test_a_std_that_depth_sets_is_known_by_its_law_alone():
    found = identified(0.02 / math.sqrt(24) * torch.randn(768, 300))
    assert found.candidates == ()
    assert found.family.get() == "normal"
    assert found.std_interval[0] < 0.02 / math.sqrt(24) < found.std_interval[1]


def test_repeated_rows_count_once():
    once = nn.init.kaiming_normal_(torch.empty(64, 16, 3, 3), nonlinearity="relu")
    found = identified(once.repeat_interleave(4, dim=0))
    assert found.repeats == 4
    assert "kaiming_normal(relu)" in {candidate.label for candidate in found.candidates}
    counted_once = identified(once)
    assert found.std_interval == pytest.approx(counted_once.std_interval, rel=1e-5)


def test_gates_with_scales_of_their_own():
    queries, keys, values = torch.randn(128, 128) / math.sqrt(128), 0.02 * torch.randn(128, 128), torch.randn(128, 128)
    found = identified(torch.cat([queries, keys, values]), fans=(128, 128))
    assert [part.candidates[0].label for part in found.parts] == ["kaiming_normal(linear)", "normal(0, 0.02)", "normal(0, 1)"]


def test_one_scheme_for_each_gate():
    gates = torch.cat([nn.init.xavier_uniform_(torch.empty(100, 60)) for _ in range(4)])
    assert winner(gates, blocks=4, fans=(60, 100)) == "xavier_uniform per block"
    assert winner(gates, fans=(60, 100)) == "uniform, std sqrt(2/(fan_in 60 + fan_out 100))"


def test_confidence_grows_with_the_elements_and_is_shared_by_twins():
    few, many = identified(torch.randn(16, 16)), identified(torch.randn(128, 128))
    assert many.confidence > few.confidence
    twins = identified(nn.init.xavier_normal_(torch.empty(256, 256)))
    assert {candidate.label for candidate in twins.winner.get().candidates} >= {"xavier_normal", "kaiming_normal(linear)"}


def test_doubt_is_said():
    assert "too few" in identified(torch.randn(5, 5)).winner.reason
    assert not identified(torch.randn(8, 8) / math.sqrt(8)).winner.known()
    assert not identified(torch.rand(64, 64)).winner.known()
