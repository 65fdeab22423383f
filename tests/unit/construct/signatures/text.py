"""Text, sets and sequences in the second set."""

import math

import torch
import torch.nn.functional as F
from torch import nn


class Tacotronish(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(60, 32)
        self.encoder = nn.LSTM(32, 16, batch_first=True, bidirectional=True)
        self.prenet = nn.Linear(80, 32)
        self.decoder = nn.GRU(64, 32, batch_first=True)
        self.proj = nn.Linear(32, 80)

    def forward(self, text, text_lengths, mels):
        emb = self.embedding(text)
        packed = nn.utils.rnn.pack_padded_sequence(emb, text_lengths.cpu(), batch_first=True, enforce_sorted=False)
        enc, _ = nn.utils.rnn.pad_packed_sequence(self.encoder(packed)[0], batch_first=True)
        context = enc.mean(1, keepdim=True).expand(-1, mels.size(1), -1)
        out, _ = self.decoder(torch.cat([F.relu(self.prenet(mels)), context], dim=-1))
        return self.proj(out)


class PointerNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Linear(2, 16)
        self.enc = nn.LSTM(16, 16, batch_first=True)
        self.w1, self.w2, self.v = nn.Linear(16, 16), nn.Linear(16, 16), nn.Linear(16, 1)

    def forward(self, cities):
        batch, n, _ = cities.size()
        out, (h, _) = self.enc(self.emb(cities))
        return self.v(torch.tanh(self.w1(out) + self.w2(h[-1]).unsqueeze(1))).squeeze(-1).softmax(-1)


class TreeLSTMCell(nn.Module):
    def __init__(self):
        super().__init__()
        self.W = nn.Linear(12, 3 * 10)
        self.U = nn.Linear(2 * 10, 5 * 10)

    def forward(self, hl, hr, cl, cr):
        i, fl, fr, o, u = self.U(torch.cat([hl, hr], dim=1)).chunk(5, 1)
        c = i.sigmoid() * u.tanh() + fl.sigmoid() * cl + fr.sigmoid() * cr
        return o.sigmoid() * c.tanh(), c


class NLI(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(200, 24)
        self.lstm = nn.LSTM(24, 16, batch_first=True, bidirectional=True)
        self.out = nn.Linear(32 * 4, 3)

    def encode(self, s):
        return self.lstm(self.embed(s))[0].max(1)[0]

    def forward(self, premise, hypothesis):
        p, h = self.encode(premise), self.encode(hypothesis)
        return self.out(torch.cat([p, h, (p - h).abs(), p * h], 1))


class QAModel(nn.Module):
    """Words and characters of context and question."""

    def __init__(self):
        super().__init__()
        self.word_emb, self.char_emb = nn.Embedding(120, 20), nn.Embedding(40, 8)
        self.char_conv = nn.Conv2d(8, 12, (1, 3))
        self.enc = nn.GRU(32, 16, batch_first=True)
        self.start = nn.Linear(32, 1)

    def embed(self, w, c):
        chars = self.char_emb(c).permute(0, 3, 1, 2)
        chars = self.char_conv(chars).max(dim=3)[0].permute(0, 2, 1)
        return torch.cat([self.word_emb(w), chars], dim=2)

    def forward(self, cw_idxs, cc_idxs, qw_idxs, qc_idxs):
        c = self.enc(self.embed(cw_idxs, cc_idxs))[0]
        q = self.enc(self.embed(qw_idxs, qc_idxs))[0]
        att = torch.bmm(c, q.transpose(1, 2)).softmax(-1) @ q
        return self.start(torch.cat([c, att], -1)).squeeze(-1)


class HierarchicalAttention(nn.Module):
    """Documents of sentences of words."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(90, 16)
        self.word = nn.GRU(16, 8, batch_first=True, bidirectional=True)
        self.sent = nn.GRU(16, 8, batch_first=True, bidirectional=True)
        self.fc = nn.Linear(16, 5)

    def forward(self, docs):
        b, s, w = docs.shape
        words = self.embedding(docs.view(b * s, w))
        sentences = self.word(words)[0].mean(1).view(b, s, -1)
        return self.fc(self.sent(sentences)[0].mean(1))


class DecoderOnlyBlock(nn.Module):
    def __init__(self, d=24, heads=3):
        super().__init__()
        self.attn = nn.MultiheadAttention(d, heads, batch_first=True)
        self.ff = nn.Sequential(nn.Linear(d, 48), nn.GELU(), nn.Linear(48, d))

    def forward(self, x, attn_mask, key_padding_mask):
        h, _ = self.attn(x, x, x, attn_mask=attn_mask, key_padding_mask=key_padding_mask, need_weights=False)
        return x + self.ff(x + h)


class AnnotatedTransformer(nn.Module):
    def __init__(self):
        super().__init__()
        self.src_embed, self.tgt_embed = nn.Embedding(30, 16), nn.Embedding(30, 16)
        self.enc_q, self.dec_q = nn.Linear(16, 16), nn.Linear(16, 16)
        self.generator = nn.Linear(16, 30)

    @staticmethod
    def attention(q, kv, mask):
        scores = torch.matmul(q, kv.transpose(-2, -1)) / math.sqrt(16)
        return torch.matmul(scores.masked_fill(mask == 0, -1e9).softmax(-1), kv)

    def encode(self, src, src_mask):
        x = self.src_embed(src) * 4
        return self.attention(self.enc_q(x), x, src_mask)

    def decode(self, memory, src_mask, tgt, tgt_mask):
        y = self.tgt_embed(tgt) * 4
        y = self.attention(self.dec_q(y), y, tgt_mask)
        return self.attention(y, memory, src_mask)

    def forward(self, src, tgt, src_mask, tgt_mask):
        return self.generator(self.decode(self.encode(src, src_mask), src_mask, tgt, tgt_mask))


class SASRec(nn.Module):
    def __init__(self, items=70, maxlen=20):
        super().__init__()
        self.item_emb = nn.Embedding(items + 1, 16, padding_idx=0)
        self.pos_emb = nn.Embedding(maxlen, 16)
        self.attn = nn.MultiheadAttention(16, 2)

    def log2feats(self, log_seqs):
        seqs = self.item_emb(log_seqs) + self.pos_emb(torch.arange(log_seqs.shape[1]).unsqueeze(0).expand_as(log_seqs))
        seqs = torch.transpose(seqs, 0, 1)
        return torch.transpose(self.attn(seqs, seqs, seqs)[0], 0, 1)

    def forward(self, user_ids, log_seqs, pos_seqs, neg_seqs):
        feats = self.log2feats(log_seqs)
        return (feats * self.item_emb(pos_seqs)).sum(-1), (feats * self.item_emb(neg_seqs)).sum(-1)


class CLIPish(nn.Module):
    def __init__(self):
        super().__init__()
        self.visual = nn.Sequential(nn.Conv2d(3, 16, 8, 8), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 16))
        self.token_embedding = nn.Embedding(99, 16)
        self.positional_embedding = nn.Parameter(torch.randn(24, 16) * 0.01)
        self.logit_scale = nn.Parameter(torch.ones([]))

    def forward(self, image, text):
        i = F.normalize(self.visual(image), dim=-1)
        t = F.normalize((self.token_embedding(text) + self.positional_embedding).mean(1), dim=-1)
        return self.logit_scale.exp() * i @ t.t()


class Wrapper(nn.Module):
    """Optional everything: nothing is required."""

    def __init__(self):
        super().__init__()
        self.embed, self.fc = nn.Embedding(33, 12), nn.Linear(12, 2)

    def forward(self, input_ids=None, labels=None):
        logits = self.fc(self.embed(input_ids).mean(1))
        return logits if labels is None else (F.cross_entropy(logits, labels), logits)


class TypedOptions(nn.Module):
    def __init__(self):
        super().__init__()
        self.lin = nn.Linear(7, 4)

    def forward(self, x: torch.Tensor, lengths: torch.LongTensor, *, normalize: bool) -> torch.Tensor:
        h = self.lin(x)
        keep = torch.arange(h.size(1)).unsqueeze(0) < lengths.unsqueeze(1)
        h = (h * keep.unsqueeze(-1)).sum(1)
        return F.normalize(h, dim=-1) if normalize else h


class Bottleneck3(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(20, 10)
        self.fusion = nn.Bilinear(10, 6, 8)

    def forward(self, text_feat, audio_feat):
        return self.fusion(torch.relu(self.a(text_feat)), audio_feat)


class TriModal(nn.Module):
    def __init__(self):
        super().__init__()
        self.l, self.a, self.v = nn.LSTM(30, 8, batch_first=True), nn.LSTM(7, 8, batch_first=True), nn.LSTM(5, 8, batch_first=True)
        self.out = nn.Linear(24, 1)

    def forward(self, x):
        text, audio, video = x["text"], x["audio"], x["video"]
        last = [rnn(seq)[0][:, -1] for rnn, seq in ((self.l, text), (self.a, audio), (self.v, video))]
        return self.out(torch.cat(last, dim=-1))


MODELS = (Tacotronish, PointerNet, TreeLSTMCell, NLI, QAModel, HierarchicalAttention, DecoderOnlyBlock, AnnotatedTransformer, SASRec, CLIPish, Wrapper, TypedOptions, Bottleneck3, TriModal)  # fmt: skip
