"""Transformers and attention of one's own: tokens with targets, masks of several kinds, related shapes."""

import math

import torch
import torch.nn.functional as F
from torch import nn


class Config:
    block_size, vocab_size, n_head, n_embd = 24, 65, 4, 32


class CausalSelfAttention(nn.Module):
    def __init__(self, config):
        super().__init__()
        assert config.n_embd % config.n_head == 0
        self.c_attn = nn.Linear(config.n_embd, 3 * config.n_embd)
        self.c_proj = nn.Linear(config.n_embd, config.n_embd)
        self.n_head, self.n_embd = config.n_head, config.n_embd
        self.register_buffer("bias", torch.tril(torch.ones(config.block_size, config.block_size)).view(1, 1, *[config.block_size] * 2))

    def forward(self, x):
        B, T, C = x.size()
        q, k, v = self.c_attn(x).split(self.n_embd, dim=2)
        q, k, v = (y.view(B, T, self.n_head, C // self.n_head).transpose(1, 2) for y in (q, k, v))
        att = (q @ k.transpose(-2, -1)) / math.sqrt(k.size(-1))
        att = F.softmax(att.masked_fill(self.bias[:, :, :T, :T] == 0, float("-inf")), dim=-1)
        return self.c_proj((att @ v).transpose(1, 2).contiguous().view(B, T, C))


class GPT(nn.Module):
    def __init__(self, config=Config):
        super().__init__()
        self.config = config
        self.transformer = nn.ModuleDict(
            {"wte": nn.Embedding(config.vocab_size, config.n_embd), "wpe": nn.Embedding(config.block_size, config.n_embd),
             "h": nn.ModuleList([CausalSelfAttention(config) for _ in range(2)]), "ln_f": nn.LayerNorm(config.n_embd)}
        )  # fmt: skip
        self.lm_head = nn.Linear(config.n_embd, config.vocab_size, bias=False)

    def forward(self, idx, targets=None):
        b, t = idx.size()
        assert t <= self.config.block_size, f"Cannot forward sequence of length {t}, block size is only {self.config.block_size}"
        x = self.transformer.wte(idx) + self.transformer.wpe(torch.arange(t))
        for block in self.transformer.h:
            x = x + block(x)
        logits = self.lm_head(self.transformer.ln_f(x))
        loss = None if targets is None else F.cross_entropy(logits.view(-1, logits.size(-1)), targets.view(-1))
        return logits, loss


class SmallContextLM(nn.Module):
    """Eight positions only; the targets are required."""

    def __init__(self):
        super().__init__()
        self.token_embedding_table = nn.Embedding(65, 16)
        self.position_embedding_table = nn.Embedding(8, 16)
        self.lm_head = nn.Linear(16, 65)

    def forward(self, idx, targets):
        B, T = idx.shape
        x = self.token_embedding_table(idx) + self.position_embedding_table(torch.arange(T))
        logits = self.lm_head(x)
        B, T, C = logits.shape
        loss = F.cross_entropy(logits.view(B * T, C), targets.view(B * T))
        return logits, loss


class BERT(nn.Module):
    def __init__(self):
        super().__init__()
        self.tok = nn.Embedding(100, 16, padding_idx=0)
        self.seg = nn.Embedding(2, 16)
        self.pos = nn.Embedding(32, 16)
        self.encoder = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True)
        self.pooler = nn.Linear(16, 2)

    def forward(self, input_ids, token_type_ids, attention_mask):
        x = self.tok(input_ids) + self.seg(token_type_ids) + self.pos(torch.arange(input_ids.size(1)))
        x = self.encoder(x, src_key_padding_mask=attention_mask == 0)
        return self.pooler(torch.tanh(x[:, 0]))


class MaskedBERT(nn.Module):
    """The one that everybody copied: x and segment_info."""

    def __init__(self):
        super().__init__()
        self.token, self.segment = nn.Embedding(100, 16), nn.Embedding(3, 16)
        self.attn = nn.MultiheadAttention(16, 2, batch_first=True)
        self.out = nn.Linear(16, 100)

    def forward(self, x, segment_info):
        mask = (x > 0).unsqueeze(1).repeat(1, x.size(1), 1).unsqueeze(1)
        x = self.token(x) + self.segment(segment_info)
        scores = (x @ x.transpose(1, 2)).unsqueeze(1).masked_fill(mask == 0, -1e9)
        x = scores.softmax(-1).squeeze(1) @ x
        return self.out(self.attn(x, x, x)[0])


class MultiHeadAttention(nn.Module):
    def __init__(self, heads=4, d_model=32):
        super().__init__()
        self.d_model, self.d_k, self.h = d_model, d_model // heads, heads
        self.q_linear, self.v_linear, self.k_linear = (nn.Linear(d_model, d_model) for _ in range(3))
        self.out = nn.Linear(d_model, d_model)

    def forward(self, q, k, v, mask=None):
        bs = q.size(0)
        k = self.k_linear(k).view(bs, -1, self.h, self.d_k).transpose(1, 2)
        q = self.q_linear(q).view(bs, -1, self.h, self.d_k).transpose(1, 2)
        v = self.v_linear(v).view(bs, -1, self.h, self.d_k).transpose(1, 2)
        scores = torch.matmul(q, k.transpose(-2, -1)) / math.sqrt(self.d_k)
        if mask is not None:
            scores = scores.masked_fill(mask.unsqueeze(1) == 0, -1e9)
        concat = torch.matmul(F.softmax(scores, dim=-1), v).transpose(1, 2).contiguous().view(bs, -1, self.d_model)
        return self.out(concat)


class MaskedEncoder(nn.Module):
    """A mask of (batch, 1, time) that must be given."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(40, 32)
        self.attn = MultiHeadAttention()
        self.norm = nn.LayerNorm(32)

    def forward(self, src, mask):
        x = self.embed(src)
        return self.norm(x + self.attn(x, x, x, mask))


class MaskedPooling(nn.Module):
    """A float mask of the shape of the tokens that is multiplied."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(40, 32)
        self.fc = nn.Linear(32, 3)

    def forward(self, tokens, mask):
        x = self.embed(tokens) * mask.unsqueeze(-1)
        return self.fc(x.sum(1) / mask.sum(1, keepdim=True))


class BoolMasked(nn.Module):
    def __init__(self):
        super().__init__()
        self.proj = nn.Linear(12, 16)
        self.score = nn.Linear(16, 1)

    def forward(self, x, pad_mask):
        h = torch.tanh(self.proj(x))
        weights = self.score(h).squeeze(-1).masked_fill(~pad_mask, -1e9).softmax(-1)
        return (h * weights.unsqueeze(-1)).sum(1)


class CrossAttention(nn.Module):
    """Context of another width than the query."""

    def __init__(self, query_dim=32, context_dim=20, heads=4):
        super().__init__()
        self.heads = heads
        self.to_q = nn.Linear(query_dim, 32, bias=False)
        self.to_k = nn.Linear(context_dim, 32, bias=False)
        self.to_v = nn.Linear(context_dim, 32, bias=False)
        self.to_out = nn.Sequential(nn.Linear(32, query_dim), nn.Dropout(0.0))

    def forward(self, x, context):
        q, k, v = self.to_q(x), self.to_k(context), self.to_v(context)
        b, n, _ = q.shape
        q, k, v = (t.reshape(b, t.shape[1], self.heads, -1).permute(0, 2, 1, 3) for t in (q, k, v))
        sim = torch.einsum("b h i d, b h j d -> b h i j", q, k) * (8**-0.5)
        out = torch.einsum("b h i j, b h j d -> b h i d", sim.softmax(-1), v)
        return self.to_out(out.permute(0, 2, 1, 3).reshape(b, n, -1))


class BahdanauAttention(nn.Module):
    def __init__(self, enc=24, dec=16):
        super().__init__()
        self.attn = nn.Linear(enc + dec, dec)
        self.v = nn.Linear(dec, 1, bias=False)

    def forward(self, hidden, encoder_outputs):
        src_len = encoder_outputs.shape[0]
        hidden = hidden.unsqueeze(1).repeat(1, src_len, 1)
        encoder_outputs = encoder_outputs.permute(1, 0, 2)
        energy = torch.tanh(self.attn(torch.cat((hidden, encoder_outputs), dim=2)))
        return F.softmax(self.v(energy).squeeze(2), dim=1)


class DotProductAttention(nn.Module):
    """No weight tells the widths of the values."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1))

    def forward(self, query, key, value):
        scores = torch.bmm(query, key.transpose(1, 2)) * self.scale
        return torch.bmm(scores.softmax(-1), value)


class EncoderLayer(nn.Module):
    def __init__(self, d_model=32, n_head=4, ffn=64):
        super().__init__()
        self.attention = MultiHeadAttention(n_head, d_model)
        self.norm1 = nn.LayerNorm(d_model)
        self.ffn = nn.Sequential(nn.Linear(d_model, ffn), nn.ReLU(), nn.Linear(ffn, d_model))

    def forward(self, x, src_mask):
        x = self.norm1(x + self.attention(x, x, x, mask=src_mask))
        return x + self.ffn(x)


class RotaryBlock(nn.Module):
    """Positions of the rotation are handed in, as in Llama."""

    def __init__(self, dim=32, heads=4):
        super().__init__()
        self.heads = heads
        self.wq, self.wk, self.wv, self.wo = (nn.Linear(dim, dim, bias=False) for _ in range(4))

    def forward(self, x, start_pos: int, freqs_cis: torch.Tensor, mask=None):
        b, t, _ = x.shape
        q, k, v = (w(x).view(b, t, self.heads, -1) for w in (self.wq, self.wk, self.wv))
        q = torch.view_as_complex(q.float().reshape(*q.shape[:-1], -1, 2))
        q = torch.view_as_real(q * freqs_cis.view(1, t, 1, q.shape[-1])).flatten(3)
        scores = torch.einsum("bthd,bshd->bhts", q, k) / math.sqrt(q.shape[-1])
        return self.wo(torch.einsum("bhts,bshd->bthd", scores.softmax(-1), v).reshape(b, t, -1))


class ListDecoder(nn.Module):
    """Skips of a pyramid as a list of tensors of several channels."""

    def __init__(self):
        super().__init__()
        self.lateral = nn.ModuleList([nn.Conv2d(c, 16, 1) for c in (8, 12, 20)])
        self.out = nn.Conv2d(16, 4, 3, padding=1)

    def forward(self, features):
        maps = [lateral(feature) for lateral, feature in zip(self.lateral, features)]
        for i in range(len(maps) - 1, 0, -1):
            maps[i - 1] = maps[i - 1] + F.interpolate(maps[i], size=maps[i - 1].shape[-2:])
        return self.out(maps[0])


class Timesteps(nn.Module):
    """A list of tensors, one for each step."""

    def __init__(self):
        super().__init__()
        self.cell = nn.LSTMCell(6, 8)
        self.out = nn.Linear(8, 2)

    def forward(self, inputs: list[torch.Tensor]):
        h = c = torch.zeros(inputs[0].shape[0], 8)
        for x in inputs:
            h, c = self.cell(x, (h, c))
        return self.out(h)


MODELS = (
    GPT, SmallContextLM, BERT, MaskedBERT, MultiHeadAttention, MaskedEncoder, MaskedPooling, BoolMasked,
    CrossAttention, BahdanauAttention, DotProductAttention, EncoderLayer, RotaryBlock, ListDecoder, Timesteps,
)  # fmt: skip
