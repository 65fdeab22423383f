"""Words: tags, bags, contexts; and heads on features."""

import torch
import torch.nn.functional as F
from torch import nn


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


MODELS = (CRFTagger, BagClassifier, TextCNN, SkipGram, CBOW, MLP, HiddenBehindMethods, Unpacked, CosineHead)  # fmt: skip
