"""What was loaded, or is frozen, is no start of this model's: special parameters and recurrences are not judged then."""

import pytest
import torch
from torch import nn

import initcheck


class Odd(nn.Module):
    """Everything that the special and recurrent rules look at, far from where it should start."""

    def __init__(self):
        super().__init__()
        self.tokens, self.positions = nn.Embedding(50, 32), nn.Parameter(torch.randn(8, 32))
        self.norm, self.rnn = nn.LayerNorm(32), nn.RNN(32, 32, batch_first=True)
        self.table, self.head = nn.Parameter(torch.randn(8, 8) * 20), nn.Linear(32, 4)
        nn.init.normal_(self.tokens.weight, std=0.02)
        nn.init.normal_(self.norm.weight)
        nn.init.constant_(self.norm.bias, 5.0)
        nn.init.normal_(self.rnn.weight_hh_l0, std=0.5)

    def forward(self, ids):
        x = self.rnn(self.norm(self.tokens(ids) + self.positions))[0]
        return self.head(torch.softmax(x @ x.transpose(1, 2) / 32 + self.table, -1) @ x)


IDS = torch.randint(0, 50, (16, 8), generator=torch.Generator().manual_seed(0))
RULES = {"norm-weight-not-one", "norm-bias-not-zero", "position-scale", "relative-position-not-small", "recurrent-spectral-radius"}


def fired(build):
    report = initcheck.check(build, IDS, select=("IC5", "IC6"))
    assert not report.all_failures
    return {finding.name for finding in report.findings}


def test_drawn_here():
    assert fired(Odd) == RULES


def test_frozen():
    assert fired(lambda: Odd().requires_grad_(False)) == set()


def test_loaded(tmp_path):
    torch.save(Odd().state_dict(), tmp_path / "odd.pt")

    def build():
        model = Odd()
        model.load_state_dict(torch.load(tmp_path / "odd.pt"))
        return model

    assert fired(build) == set()


@pytest.mark.parametrize("cell", [nn.LSTM, nn.GRU])
def test_one_orthogonal_draw_is_known_by_its_numbers(cell):
    model = nn.Sequential(cell(8, 16, batch_first=True))
    nn.init.orthogonal_(model[0].weight_hh_l0)
    report = initcheck.check(model, torch.randn(4, 5, 8), select=("IC501", "IC504"))
    assert {finding.name for finding in report.findings} == {"packed-gates"}
