# wild: additive attention seq2seq as three classes, no call in the file
# expect: checked
import random
import torch
import torch.nn as nn
import torch.nn.functional as F


class Encoder(nn.Module):
    def __init__(self, vocab_size, emb_size, enc_hidden, dec_hidden, dropout=0.2):
        super(Encoder, self).__init__()
        self.embed = nn.Embedding(vocab_size, emb_size)
        self.gru = nn.GRU(emb_size, enc_hidden, batch_first=True, bidirectional=True)
        self.fc = nn.Linear(enc_hidden * 2, dec_hidden)
        self.dropout = nn.Dropout(dropout)

    def forward(self, src):
        output, hid = self.gru(self.dropout(self.embed(src)))
        hid = torch.tanh(self.fc(torch.cat([hid[-2], hid[-1]], dim=1)))
        return output, hid


class Attention(nn.Module):
    def __init__(self, enc_hidden, dec_hidden):
        super(Attention, self).__init__()
        self.W = nn.Linear(enc_hidden * 2 + dec_hidden, dec_hidden)
        self.v = nn.Linear(dec_hidden, 1, bias=False)

    def forward(self, dec_state, enc_outputs):
        s = dec_state.unsqueeze(1).repeat(1, enc_outputs.size(1), 1)
        energy = torch.tanh(self.W(torch.cat([s, enc_outputs], dim=2)))
        return F.softmax(self.v(energy).squeeze(2), dim=1)


class Decoder(nn.Module):
    def __init__(self, vocab_size, emb_size, enc_hidden, dec_hidden, attention, dropout=0.2):
        super(Decoder, self).__init__()
        self.attention = attention
        self.embed = nn.Embedding(vocab_size, emb_size)
        self.gru = nn.GRU(enc_hidden * 2 + emb_size, dec_hidden, batch_first=True)
        self.out = nn.Linear(dec_hidden + enc_hidden * 2 + emb_size, vocab_size)
        self.dropout = nn.Dropout(dropout)

    def forward(self, word, state, enc_outputs):
        e = self.dropout(self.embed(word)).unsqueeze(1)
        a = self.attention(state, enc_outputs).unsqueeze(1)
        ctx = torch.bmm(a, enc_outputs)
        o, h = self.gru(torch.cat([e, ctx], 2), state.unsqueeze(0))
        return self.out(torch.cat([o, ctx, e], 2).squeeze(1)), h.squeeze(0)


class Translator(nn.Module):
    def __init__(self, src_vocab, tgt_vocab, emb_size, hidden_size):
        super(Translator, self).__init__()
        self.encoder = Encoder(src_vocab, emb_size, hidden_size, hidden_size)
        self.decoder = Decoder(tgt_vocab, emb_size, hidden_size, hidden_size, Attention(hidden_size, hidden_size))

    def forward(self, src, tgt, teacher_forcing=0.5):
        enc_outputs, state = self.encoder(src)
        word, logits = tgt[:, 0], []
        for t in range(1, tgt.size(1)):
            out, state = self.decoder(word, state, enc_outputs)
            logits.append(out)
            word = tgt[:, t] if random.random() < teacher_forcing else out.argmax(1)
        return torch.stack(logits, 1)
