"""Sound and other signals, series, bags of words, tags, complex numbers, physics, wrappers."""

import torch
import torch.nn.functional as F
from torch import nn


class M5(nn.Module):
    """Raw waveforms of 16000 samples."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv1d(1, 8, kernel_size=80, stride=16)
        self.bn1 = nn.BatchNorm1d(8)
        self.pool1 = nn.MaxPool1d(4)
        self.conv2 = nn.Conv1d(8, 16, kernel_size=3)
        self.pool2 = nn.MaxPool1d(4)
        self.conv3 = nn.Conv1d(16, 16, kernel_size=3)
        self.pool3 = nn.MaxPool1d(4)
        self.fc1 = nn.Linear(16, 35)

    def forward(self, x):
        x = self.pool1(F.relu(self.bn1(self.conv1(x))))
        x = self.pool2(F.relu(self.conv2(x)))
        x = self.pool3(F.relu(self.conv3(x)))
        x = F.avg_pool1d(x, x.shape[-1]).permute(0, 2, 1)
        return F.log_softmax(self.fc1(x), dim=2)


class FixedWave(nn.Module):
    """A flattened signal: only one length fits."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv1d(1, 4, 5, stride=2)
        self.conv2 = nn.Conv1d(4, 8, 5, stride=2)
        self.fc = nn.Linear(8 * 44, 5)

    def forward(self, x):
        x = F.relu(self.conv2(F.relu(self.conv1(x))))
        return self.fc(x.view(x.size(0), -1))


class Spectrogram(nn.Module):
    """128 mel bands, which a recurrent layer reads after the convolutions."""

    def __init__(self, n_feats=128):
        super().__init__()
        self.cnn = nn.Conv2d(1, 8, 3, stride=2, padding=1)
        self.fully_connected = nn.Linear(n_feats // 2 * 8, 24)
        self.rnn = nn.GRU(24, 16, batch_first=True, bidirectional=True)
        self.classifier = nn.Linear(32, 29)

    def forward(self, x):
        x = self.cnn(x)
        sizes = x.size()
        x = x.view(sizes[0], sizes[1] * sizes[2], sizes[3])
        x = self.fully_connected(x.transpose(1, 2))
        return self.classifier(self.rnn(x)[0])


class CTCModel(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(40, 32, 3, 2, 1)
        self.lstm = nn.LSTM(32, 16, bidirectional=True, batch_first=True)
        self.fc = nn.Linear(32, 28)

    def forward(self, features, feature_lengths, targets, target_lengths):
        x = self.conv(features.transpose(1, 2)).transpose(1, 2)
        log_probs = self.fc(self.lstm(x)[0]).log_softmax(-1).transpose(0, 1)
        input_lengths = (feature_lengths + 1) // 2
        return F.ctc_loss(log_probs, targets, input_lengths, target_lengths, zero_infinity=True)


class SpectralConv(nn.Module):
    """Fourier neural operator in one dimension."""

    def __init__(self, width=8, modes=6):
        super().__init__()
        self.modes = modes
        self.fc0 = nn.Linear(2, width)
        self.weights = nn.Parameter(torch.randn(width, width, modes, dtype=torch.cfloat) * 0.1)
        self.w = nn.Conv1d(width, width, 1)
        self.fc1 = nn.Linear(width, 1)

    def forward(self, x):
        x = self.fc0(x).permute(0, 2, 1)
        ft = torch.fft.rfft(x)
        out = torch.zeros(x.shape[0], 8, x.size(-1) // 2 + 1, dtype=torch.cfloat)
        out[:, :, : self.modes] = torch.einsum("bix,iox->box", ft[:, :, : self.modes], self.weights)
        x = torch.fft.irfft(out, n=x.size(-1)) + self.w(x)
        return self.fc1(F.gelu(x).permute(0, 2, 1))


class ComplexLinear(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc_r, self.fc_i = nn.Linear(16, 8), nn.Linear(16, 8)

    def forward(self, x):
        return torch.complex(self.fc_r(x.real) - self.fc_i(x.imag), self.fc_r(x.imag) + self.fc_i(x.real))


class ComplexWeights(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(12, 6, dtype=torch.cfloat)

    def forward(self, signal):
        return self.fc(signal).abs()


class PINN(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(2, 20), nn.Tanh(), nn.Linear(20, 20), nn.Tanh(), nn.Linear(20, 1))

    def forward(self, x, t):
        return self.net(torch.cat([x, t], dim=1))


class NeuralODEFunc(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(2, 50), nn.Tanh(), nn.Linear(50, 2))

    def forward(self, t, y):
        return self.net(y**3)


class DeepONet(nn.Module):
    """Branch and trunk networks whose inputs have different widths."""

    def __init__(self):
        super().__init__()
        self.branch = nn.Sequential(nn.Linear(100, 20), nn.Tanh(), nn.Linear(20, 20))
        self.trunk = nn.Sequential(nn.Linear(2, 20), nn.Tanh(), nn.Linear(20, 20))

    def forward(self, u, y):
        return (self.branch(u) * self.trunk(y)).sum(-1, keepdim=True)


class TCN(nn.Module):
    def __init__(self):
        super().__init__()
        self.tcn = nn.Sequential(nn.ConstantPad1d((4, 0), 0.0), nn.Conv1d(6, 8, 3, dilation=2), nn.ReLU(), nn.Conv1d(8, 8, 1))
        self.linear = nn.Linear(8, 3)

    def forward(self, inputs):
        """Inputs have to have dimension (N, C_in, L_in)"""
        return self.linear(self.tcn(inputs)[:, :, -1])


class DLinear(nn.Module):
    """Forecasting: (batch, 96 steps, channels)."""

    def __init__(self, seq_len=96, pred_len=24):
        super().__init__()
        self.seq_len = seq_len
        self.avg = nn.AvgPool1d(25, 1, 0)
        self.Linear_Seasonal = nn.Linear(seq_len, pred_len)
        self.Linear_Trend = nn.Linear(seq_len, pred_len)

    def forward(self, x):
        # x: [Batch, Input length, Channel]
        front, end = x[:, 0:1, :].repeat(1, 12, 1), x[:, -1:, :].repeat(1, 12, 1)
        trend = self.avg(torch.cat([front, x, end], dim=1).permute(0, 2, 1)).permute(0, 2, 1)
        seasonal = x - trend
        out = self.Linear_Seasonal(seasonal.permute(0, 2, 1)) + self.Linear_Trend(trend.permute(0, 2, 1))
        return out.permute(0, 2, 1)


class Informer(nn.Module):
    """Values with marks of the calendar, for encoder and decoder."""

    def __init__(self):
        super().__init__()
        self.value, self.mark = nn.Linear(7, 16), nn.Linear(4, 16)
        self.dec_value, self.dec_mark = nn.Linear(7, 16), nn.Linear(4, 16)
        self.enc = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True)
        self.dec = nn.TransformerDecoderLayer(16, 2, 32, batch_first=True)
        self.proj = nn.Linear(16, 7)

    def forward(self, x_enc, x_mark_enc, x_dec, x_mark_dec):
        memory = self.enc(self.value(x_enc) + self.mark(x_mark_enc))
        return self.proj(self.dec(self.dec_value(x_dec) + self.dec_mark(x_mark_dec), memory))


MODELS = (M5, FixedWave, Spectrogram, CTCModel, SpectralConv, ComplexLinear, ComplexWeights, PINN, NeuralODEFunc, DeepONet, TCN, DLinear, Informer)  # fmt: skip
