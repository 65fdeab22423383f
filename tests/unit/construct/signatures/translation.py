"""Translation and language models with encoders, decoders and masks."""

import math
import random

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(50, 16)
        self.rnn = nn.LSTM(16, 24, 2)

    def forward(self, src):
        _, (hidden, cell) = self.rnn(self.embedding(src))
        return hidden, cell


class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.output_dim = 45
        self.embedding = nn.Embedding(45, 16)
        self.rnn = nn.LSTM(16, 24, 2)
        self.fc_out = nn.Linear(24, 45)

    def forward(self, input, hidden, cell):
        input = input.unsqueeze(0)
        output, (hidden, cell) = self.rnn(self.embedding(input), (hidden, cell))
        return self.fc_out(output.squeeze(0)), hidden, cell


class Seq2Seq(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder, self.decoder = Encoder(), Decoder()

    def forward(self, src, trg, teacher_forcing_ratio=0.5):
        batch_size, trg_len = trg.shape[1], trg.shape[0]
        outputs = torch.zeros(trg_len, batch_size, self.decoder.output_dim)
        hidden, cell = self.encoder(src)
        input = trg[0, :]
        for t in range(1, trg_len):
            output, hidden, cell = self.decoder(input, hidden, cell)
            outputs[t] = output
            input = trg[t] if random.random() < teacher_forcing_ratio else output.argmax(1)
        return outputs


class LengthSeq2Seq(nn.Module):
    """Source, its lengths, target."""

    def __init__(self):
        super().__init__()
        self.embed, self.out_embed = nn.Embedding(50, 16), nn.Embedding(40, 16)
        self.rnn, self.dec = nn.GRU(16, 16), nn.GRU(16, 16)
        self.fc = nn.Linear(16, 40)

    def forward(self, src, src_len, trg):
        packed = pack_padded_sequence(self.embed(src), src_len)
        _, hidden = self.rnn(packed)
        output, _ = self.dec(self.out_embed(trg), hidden)
        return self.fc(output)


class HandMadeTransformer(nn.Module):
    """Masks are made inside."""

    def __init__(self):
        super().__init__()
        self.src_pad_idx = 1
        self.src_emb, self.trg_emb = nn.Embedding(30, 16), nn.Embedding(35, 16)
        self.enc = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True)
        self.dec = nn.TransformerDecoderLayer(16, 2, 32, batch_first=True)
        self.fc = nn.Linear(16, 35)

    def make_src_mask(self, src):
        return src == self.src_pad_idx

    def make_trg_mask(self, trg):
        n = trg.shape[1]
        return torch.triu(torch.ones(n, n), 1).bool()

    def forward(self, src, trg):
        memory = self.enc(self.src_emb(src), src_key_padding_mask=self.make_src_mask(src))
        return self.fc(self.dec(self.trg_emb(trg), memory, tgt_mask=self.make_trg_mask(trg)))


class PositionalEncoding(nn.Module):
    def __init__(self, d_model, max_len=500):
        super().__init__()
        pe = torch.zeros(max_len, 1, d_model)
        position = torch.arange(max_len).unsqueeze(1)
        div_term = torch.exp(torch.arange(0, d_model, 2) * (-math.log(10000.0) / d_model))
        pe[:, 0, 0::2] = torch.sin(position * div_term)
        pe[:, 0, 1::2] = torch.cos(position * div_term)
        self.register_buffer("pe", pe)

    def forward(self, x):
        return x + self.pe[: x.size(0)]


class TransformerLM(nn.Module):
    def __init__(self, ntoken=55, d_model=16):
        super().__init__()
        self.d_model = d_model
        self.pos_encoder = PositionalEncoding(d_model)
        self.transformer_encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(d_model, 2, 32), 2)
        self.encoder = nn.Embedding(ntoken, d_model)
        self.decoder = nn.Linear(d_model, ntoken)

    def forward(self, src, src_mask):
        src = self.pos_encoder(self.encoder(src) * math.sqrt(self.d_model))
        return self.decoder(self.transformer_encoder(src, src_mask))


class TorchTranslator(nn.Module):
    """The tutorial on translation with nn.Transformer: six masks."""

    def __init__(self):
        super().__init__()
        self.transformer = nn.Transformer(16, 2, 1, 1, 32)
        self.generator = nn.Linear(16, 35)
        self.src_tok_emb, self.tgt_tok_emb = nn.Embedding(30, 16), nn.Embedding(35, 16)
        self.positional_encoding = PositionalEncoding(16)

    def forward(self, src, trg, src_mask, tgt_mask, src_padding_mask, tgt_padding_mask, memory_key_padding_mask):
        src_emb = self.positional_encoding(self.src_tok_emb(src.long()))
        tgt_emb = self.positional_encoding(self.tgt_tok_emb(trg.long()))
        outs = self.transformer(
            src_emb, tgt_emb, src_mask, tgt_mask, None, src_padding_mask, tgt_padding_mask, memory_key_padding_mask
        )  # fmt: skip
        return self.generator(outs)


MODELS = (Decoder, Seq2Seq, LengthSeq2Seq, HandMadeTransformer, TransformerLM, TorchTranslator)  # fmt: skip
