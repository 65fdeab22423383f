# wild: transformer from scratch, masks from pad indices, xavier loop in main
# expect: checked
import math
import torch
import torch.nn as nn


class MultiHeadAttention(nn.Module):
    def __init__(self, d_model, n_heads):
        super().__init__()
        assert d_model % n_heads == 0, "d_model must be divisible by n_heads"
        self.d_k = d_model // n_heads
        self.h = n_heads
        self.w_q = nn.Linear(d_model, d_model)
        self.w_k = nn.Linear(d_model, d_model)
        self.w_v = nn.Linear(d_model, d_model)
        self.w_o = nn.Linear(d_model, d_model)

    def forward(self, q, k, v, mask):
        b = q.size(0)
        q, k, v = [w(t).view(b, -1, self.h, self.d_k).transpose(1, 2) for w, t in ((self.w_q, q), (self.w_k, k), (self.w_v, v))]
        scores = q @ k.transpose(2, 3) / math.sqrt(self.d_k)
        scores = scores.masked_fill(mask == 0, -1e9)
        out = torch.softmax(scores, -1) @ v
        return self.w_o(out.transpose(1, 2).reshape(b, -1, self.h * self.d_k))


class EncoderLayer(nn.Module):
    def __init__(self, d_model, n_heads, d_ff, drop):
        super().__init__()
        self.attn, self.ff = MultiHeadAttention(d_model, n_heads), nn.Sequential(nn.Linear(d_model, d_ff), nn.ReLU(), nn.Linear(d_ff, d_model))
        self.n1, self.n2, self.drop = nn.LayerNorm(d_model), nn.LayerNorm(d_model), nn.Dropout(drop)

    def forward(self, x, mask):
        x = self.n1(x + self.drop(self.attn(x, x, x, mask)))
        return self.n2(x + self.drop(self.ff(x)))


class DecoderLayer(nn.Module):
    def __init__(self, d_model, n_heads, d_ff, drop):
        super().__init__()
        self.self_attn, self.cross = MultiHeadAttention(d_model, n_heads), MultiHeadAttention(d_model, n_heads)
        self.ff = nn.Sequential(nn.Linear(d_model, d_ff), nn.ReLU(), nn.Linear(d_ff, d_model))
        self.n1, self.n2, self.n3, self.drop = nn.LayerNorm(d_model), nn.LayerNorm(d_model), nn.LayerNorm(d_model), nn.Dropout(drop)

    def forward(self, y, mem, src_mask, tgt_mask):
        y = self.n1(y + self.drop(self.self_attn(y, y, y, tgt_mask)))
        y = self.n2(y + self.drop(self.cross(y, mem, mem, src_mask)))
        return self.n3(y + self.drop(self.ff(y)))


class Transformer(nn.Module):
    def __init__(self, src_vocab_size, tgt_vocab_size, src_pad_idx, tgt_pad_idx, d_model, n_heads, n_layers, d_ff, max_len, dropout):
        super().__init__()
        self.src_pad_idx, self.tgt_pad_idx, self.d_model = src_pad_idx, tgt_pad_idx, d_model
        self.src_emb, self.tgt_emb = nn.Embedding(src_vocab_size, d_model), nn.Embedding(tgt_vocab_size, d_model)
        pe = torch.zeros(max_len, d_model)
        pos = torch.arange(max_len).unsqueeze(1).float()
        div = torch.exp(torch.arange(0, d_model, 2).float() * -(math.log(10000.0) / d_model))
        pe[:, 0::2], pe[:, 1::2] = torch.sin(pos * div), torch.cos(pos * div)
        self.register_buffer('pe', pe.unsqueeze(0))
        self.encoder = nn.ModuleList([EncoderLayer(d_model, n_heads, d_ff, dropout) for _ in range(n_layers)])
        self.decoder = nn.ModuleList([DecoderLayer(d_model, n_heads, d_ff, dropout) for _ in range(n_layers)])
        self.out = nn.Linear(d_model, tgt_vocab_size)

    def forward(self, src, tgt):
        src_mask = (src != self.src_pad_idx).unsqueeze(1).unsqueeze(2)
        tgt_mask = (tgt != self.tgt_pad_idx).unsqueeze(1).unsqueeze(3)
        tgt_mask = tgt_mask & torch.ones(tgt.size(1), tgt.size(1), device=tgt.device).tril().bool()
        x = self.src_emb(src) * math.sqrt(self.d_model) + self.pe[:, :src.size(1)]
        y = self.tgt_emb(tgt) * math.sqrt(self.d_model) + self.pe[:, :tgt.size(1)]
        for layer in self.encoder:
            x = layer(x, src_mask)
        for layer in self.decoder:
            y = layer(y, x, src_mask, tgt_mask)
        return self.out(y)


def build(args, src_vocab, tgt_vocab):
    model = Transformer(len(src_vocab), len(tgt_vocab), src_vocab['<pad>'], tgt_vocab['<pad>'], args.d_model, args.heads,
                        args.layers, args.d_ff, args.max_len, args.dropout)
    for p in model.parameters():
        if p.dim() > 1:
            nn.init.xavier_uniform_(p)
    return model
