"""Biases, recurrences, norms and gates: what an expert says of each start."""

import pytest
import torch
from torch import nn

from tests.verdicts.builders import PreNorm, Recurrent, default, forget, he, he_residual, mlp, normal, orthogonal_gates
from tests.verdicts.verdict import NOTHING, SILENT, judge, says


def head_bias(value):
    def edit(model):
        bias = model[-1].bias
        bias.normal_(0, 5) if value == "random" else bias.fill_(value)

    return edit


BIAS = [
    *[(f"bias-{value}", mlp(5, init=he(), bias=value, head=default), NOTHING) for value in (0.0, 0.01, 0.1, 1.0)],
    ("bias-normal", mlp(5, init=he(), bias=lambda b: nn.init.normal_(b), head=default), NOTHING),
    ("bias-default", mlp(5, init=he(), bias=None), NOTHING),
    ("bias-minus-1", mlp(5, init=he(), bias=-1.0), says("error", at="0.bias", by="dying-bias")),
    ("bias-minus-1-batchnorm", mlp(5, init=he(), bias=-1.0, norm=nn.BatchNorm1d), NOTHING),
    ("bias-plus-5", mlp(4, init=he(), bias=5.0), says("warning", "error", at="0.bias", by="large-bias")),
    ("head-prior", mlp(4, init=he(), edit=head_bias(-4.6)), NOTHING),
    ("head-all-5", mlp(4, init=he(), edit=head_bias(5.0)), NOTHING),
    ("head-random", mlp(4, init=he(), edit=head_bias("random")), says("info", at="6.bias", by="random-bias")),
]


@pytest.mark.parametrize(("build", "expected"), [row[1:] for row in BIAS], ids=[row[0] for row in BIAS])
def test_bias(build, expected):
    judge(build, expected)


def packed(rnn):
    orthogonal_gates(rnn)
    nn.init.orthogonal_(rnn.weight_hh_l0)


def closed(rnn):
    orthogonal_gates(rnn)
    rnn.bias_ih_l0[rnn.hidden_size : 2 * rnn.hidden_size].fill_(-3.0)


def chrono(rnn):
    orthogonal_gates(rnn)
    h = rnn.hidden_size
    rnn.bias_ih_l0[h : 2 * h].copy_(torch.empty(h).uniform_(1, 30).log())
    rnn.bias_ih_l0[:h].copy_(-rnn.bias_ih_l0[h : 2 * h])


def tripled(rnn):
    rnn.weight_hh_l0.mul_(3.0)


def stretched(gain):
    def apply(rnn):
        orthogonal_gates(rnn)
        nn.init.orthogonal_(rnn.weight_hh_l0, gain)

    return apply


def packed_xavier(rnn):
    forget(1.0)(rnn)
    nn.init.xavier_uniform_(rnn.weight_ih_l0)


RECURRENT = [
    ("lstm-default", nn.LSTM, None, says("warning", at="rnn.weight_hh_l0", by="non-orthogonal-recurrent")),
    ("gru-default", nn.GRU, None, says("info", at="rnn.weight_hh_l0", by="non-orthogonal-recurrent")),
    ("rnn-default", nn.RNN, None, says("warning", at="rnn.weight_hh_l0", by="non-orthogonal-recurrent")),
    ("lstm-orthogonal", nn.LSTM, forget(1.0), NOTHING),
    ("lstm-orthogonal-0", nn.LSTM, orthogonal_gates, NOTHING),
    ("lstm-chrono", nn.LSTM, chrono, NOTHING),
    ("lstm-both-1", nn.LSTM, forget(1.0, both=True), SILENT),
    ("lstm-packed", nn.LSTM, packed, says("info", at="rnn.weight_hh_l0", by="packed-gates")),
    ("lstm-packed-xavier", nn.LSTM, packed_xavier, says("info", at="rnn.weight_ih_l0", by="packed-gates")),
    ("gru-packed", nn.GRU, packed, says("info", at="rnn.weight_hh_l0", by="packed-gates")),
    ("lstm-forget-minus-3", nn.LSTM, closed, says("warning", at="rnn.bias_ih_l0", by="forget-gate-bias")),
    ("rnn-tripled", nn.RNN, tripled, says("error", at="rnn.weight_hh_l0", by="recurrent-spectral-radius")),
    ("rnn-orthogonal-1.4", nn.RNN, stretched(1.4), says("warning", at="rnn.weight_hh_l0", by="recurrent-spectral-radius")),
    ("rnn-orthogonal-1.1", nn.RNN, stretched(1.1), SILENT),
    ("rnn-identity", nn.RNN, lambda rnn: (orthogonal_gates(rnn), nn.init.eye_(rnn.weight_hh_l0)), NOTHING),
    ("gru-tripled", nn.GRU, tripled, SILENT),
]


@pytest.mark.parametrize(("cell", "init", "expected"), [row[1:] for row in RECURRENT], ids=[row[0] for row in RECURRENT])
def test_recurrent(cell, init, expected):
    judge(lambda: Recurrent(cell, init), expected, torch.randn(32, 8, 16, generator=torch.Generator().manual_seed(0)))


class Steps(nn.Module):
    """A plain recurrence, written out."""

    def __init__(self, gain):
        super().__init__()
        self.w, self.u, self.head = nn.Linear(16, 64), nn.Linear(64, 64, bias=False), nn.Linear(64, 10)
        nn.init.orthogonal_(self.u.weight, gain)

    def forward(self, x):
        h = torch.zeros(x.shape[0], 64)
        for t in range(x.shape[1]):
            h = torch.tanh(self.w(x[:, t]) + self.u(h))
        return self.head(h)


@pytest.mark.parametrize(("gain", "expected"), [(1.0, SILENT), (2.0, says("error", at="u.weight", by="recurrent-spectral-radius"))])
def test_recurrence_written_out(gain, expected):
    judge(lambda: Steps(gain), expected, torch.randn(32, 12, 16, generator=torch.Generator().manual_seed(0)))


def test_lstm_default_is_one_finding():
    report = judge(lambda: Recurrent(nn.LSTM), says("warning"), torch.randn(32, 8, 16))
    assert len(report.findings) == 1
    assert report.findings[0].symptoms


class NormedResidual(nn.Module):
    def __init__(self, gamma_last=1.0, gamma_main=1.0):
        super().__init__()
        self.stem = nn.Linear(32, 32)
        self.norm0 = nn.BatchNorm1d(32)
        self.fc1 = nn.Linear(32, 32)
        self.norm1 = nn.BatchNorm1d(32)
        self.fc2 = nn.Linear(32, 32)
        self.norm2 = nn.BatchNorm1d(32)
        self.head = nn.Linear(32, 10)
        nn.init.constant_(self.norm2.weight, gamma_last)
        nn.init.constant_(self.norm0.weight, gamma_main)

    def forward(self, x):
        x = torch.relu(self.norm0(self.stem(x)))
        x = torch.relu(x + self.norm2(self.fc2(torch.relu(self.norm1(self.fc1(x))))))
        return self.head(x)


class FinalNorm(nn.Module):
    def __init__(self, gamma, beta=0.0):
        super().__init__()
        self.fc = nn.Linear(32, 32)
        self.norm = nn.LayerNorm(32)
        self.head = nn.Linear(32, 10)
        nn.init.normal_(self.norm.weight) if gamma == "random" else nn.init.constant_(self.norm.weight, gamma)
        nn.init.constant_(self.norm.bias, beta)

    def forward(self, x):
        return self.head(self.norm(torch.tanh(self.fc(x))))


class ZeroCentred(nn.Module):
    """RMSNorm used as (1 + w)."""

    def __init__(self, value):
        super().__init__()
        self.fc = nn.Linear(32, 32)
        self.weight = nn.Parameter(torch.full((32,), value))
        self.head = nn.Linear(32, 10)

    def forward(self, x):
        z = self.fc(x)
        z = z * torch.rsqrt(z.pow(2).mean(-1, keepdim=True) + 1e-6)
        return self.head(torch.relu(z * (1 + self.weight)))


class Highway(nn.Module):
    def __init__(self, bias):
        super().__init__()
        self.inner = nn.Linear(32, 32)
        self.gate = nn.Linear(32, 32)
        nn.init.constant_(self.gate.bias, bias)
        self.head = nn.Linear(32, 10)

    def forward(self, x):
        t = torch.sigmoid(self.gate(x))
        return self.head(t * torch.tanh(self.inner(x)) + (1 - t) * x)


ROWS = [
    ("gamma-0-last", lambda: NormedResidual(gamma_last=0.0), NOTHING),
    ("gamma-0-main", lambda: NormedResidual(gamma_main=0.0), says("error", at="norm0.weight", by="zero-weight")),
    ("gamma-near-1", lambda: randomised(NormedResidual()), NOTHING),
    ("layernorm-0-final", lambda: FinalNorm(0.0), says("error", at="norm.weight", by="zero-weight")),
    ("one-plus-w-0", lambda: ZeroCentred(0.0), NOTHING),
    ("one-plus-w-1", lambda: ZeroCentred(1.0), says("warning", at="weight", by="norm-weight-not-one")),
    ("layernorm-30-final", lambda: FinalNorm(30.0), says("warning", "error", at="norm.weight", by="norm-weight-not-one")),
    ("layernorm-random-final", lambda: FinalNorm("random"), says("warning", at="norm.weight", by="norm-weight-not-one")),
    ("layernorm-0.5-final", lambda: FinalNorm(0.5), NOTHING),
    ("gamma-small-last", lambda: NormedResidual(gamma_last=1e-5), NOTHING),
    ("norm-bias-0.02", lambda: FinalNorm(1.0, 0.02), NOTHING),
    ("norm-bias-1", lambda: FinalNorm(1.0, 1.0), says("info", at="norm.bias", by="norm-bias-not-zero")),
    ("norm-bias-10", lambda: FinalNorm(1.0, 10.0), says("warning", at="norm.bias", by="norm-bias-not-zero")),
    *[(f"highway-{bias}", lambda bias=bias: Highway(bias), NOTHING) for bias in (0.0, -1.0, -2.0, -3.0, 5.0)],
    ("sigmoid-minus-5", lambda: Highway(-5.0), says("warning", at="gate.bias", by="saturating-gate-bias")),
    ("residual-he-8", he_residual(8), says("warning", "error", at="1.branch.2.weight", by="residual-growth")),
    ("residual-he-20", he_residual(20), says("error", at="1.branch.2.weight", by="residual-growth")),
    ("residual-zero-last", he_residual(20, zero_last=True), SILENT),
]


def randomised(model):
    for module in model.modules():
        if isinstance(module, nn.BatchNorm1d):
            nn.init.normal_(module.weight, 1.0, 0.02)
    return model


@pytest.mark.parametrize(("build", "expected"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_norms_and_gates(build, expected):
    judge(build, expected)


@pytest.mark.parametrize("depth", [12])
def test_gpt_like_stack_without_residual_scaling(depth):
    judge(lambda: PreNorm(depth, 64, normal(0.02)), NOTHING, torch.randn(8, 6, 64))
