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


class CRFTagger(nn.Module):
    def __init__(self, vocab=60, tags=7):
        super().__init__()
        self.emb = nn.Embedding(vocab, 16)
        self.lstm = nn.LSTM(16, 8, bidirectional=True, batch_first=True)
        self.fc = nn.Linear(16, tags)
        self.trans = nn.Parameter(torch.randn(tags, tags) * 0.1)

    def forward(self, x, tags, mask):
        emissions = self.fc(self.lstm(self.emb(x))[0])
        score = emissions.gather(2, tags.unsqueeze(2)).squeeze(2)
        score = (score * mask).sum(1) + (self.trans[tags[:, :-1], tags[:, 1:]] * mask[:, 1:]).sum(1)
        alpha = emissions[:, 0]
        for t in range(1, emissions.size(1)):
            alpha = torch.logsumexp(alpha.unsqueeze(2) + self.trans, 1) + emissions[:, t]
        return (torch.logsumexp(alpha, 1) - score).mean()


class BagClassifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.EmbeddingBag(95, 16, sparse=False)
        self.fc = nn.Linear(16, 4)

    def forward(self, text, offsets):
        return self.fc(self.embedding(text, offsets))


class TextCNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(70, 20)
        self.convs = nn.ModuleList([nn.Conv2d(1, 10, (k, 20)) for k in (3, 4, 5)])
        self.fc1 = nn.Linear(30, 2)

    def forward(self, x):
        x = self.embed(x).unsqueeze(1)
        x = [F.relu(conv(x)).squeeze(3) for conv in self.convs]
        x = [F.max_pool1d(i, i.size(2)).squeeze(2) for i in x]
        return self.fc1(torch.cat(x, 1))


class SkipGram(nn.Module):
    def __init__(self):
        super().__init__()
        self.u, self.v = nn.Embedding(60, 12), nn.Embedding(60, 12)

    def forward(self, pos_u, pos_v, neg_v):
        emb_u, emb_v, emb_neg = self.u(pos_u), self.v(pos_v), self.v(neg_v)
        score = F.logsigmoid((emb_u * emb_v).sum(1))
        neg = F.logsigmoid(-torch.bmm(emb_neg, emb_u.unsqueeze(2)).squeeze(2)).sum(1)
        return -(score + neg).mean()


class CBOW(nn.Module):
    """A context of four words."""

    def __init__(self):
        super().__init__()
        self.embeddings = nn.Embedding(49, 10)
        self.linear1 = nn.Linear(4 * 10, 32)
        self.linear2 = nn.Linear(32, 49)

    def forward(self, inputs):
        embeds = self.embeddings(inputs).view(inputs.shape[0], -1)
        return F.log_softmax(self.linear2(F.relu(self.linear1(embeds))), dim=1)


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


class MLP(nn.Module):
    """The first layer that is registered is the last to run."""

    def __init__(self):
        super().__init__()
        self.head = nn.Linear(32, 10)
        self.body = nn.Sequential(nn.Linear(784, 32), nn.ReLU())
        self.norm = nn.LayerNorm(784)

    def forward(self, x):
        return self.head(self.body(self.norm(x.flatten(1))))


class HiddenBehindMethods(nn.Module):
    def __init__(self):
        super().__init__()
        self.decoder = nn.Linear(4, 11)
        self.encoder = nn.Linear(11, 4)

    def encode(self, x):
        return torch.relu(self.encoder(x))

    def decode(self, z):
        return self.decoder(z)

    def forward(self, x):
        return self.decode(self.encode(x))


class Unpacked(nn.Module):
    """Three values come out of one sequence of states."""

    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(9, 8, batch_first=True)
        self.out = nn.Linear(8, 2)

    def forward(self, state_sequence):
        batch, time, features = state_sequence.shape
        return self.out(self.rnn(state_sequence)[0].reshape(batch * time, -1)).view(batch, time, -1)


class CosineHead(nn.Module):
    """ArcFace: the label picks the logit that gets a margin."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(20, 16) * 0.1)

    def forward(self, input, label):
        cosine = F.linear(F.normalize(input), F.normalize(self.weight))
        one_hot = torch.zeros(cosine.size())
        one_hot.scatter_(1, label.view(-1, 1).long(), 1)
        return (one_hot * (cosine - 0.5) + (1.0 - one_hot) * cosine) * 30


MODELS = (
    M5, FixedWave, Spectrogram, CTCModel, CRFTagger, BagClassifier, TextCNN, SkipGram, CBOW, SpectralConv, ComplexLinear, ComplexWeights,
    PINN, NeuralODEFunc, DeepONet, TCN, DLinear, Informer, MLP, HiddenBehindMethods, Unpacked, CosineHead,
)  # fmt: skip
