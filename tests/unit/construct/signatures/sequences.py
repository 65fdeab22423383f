"""Sequences: states of recurrent networks, lengths, encoders and decoders, masks, positions."""

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence


class CharRNN(nn.Module):
    """The tutorial on names: one letter at a time."""

    def __init__(self, input_size=57, hidden_size=128, output_size=18):
        super().__init__()
        self.hidden_size = hidden_size
        self.i2h = nn.Linear(input_size + hidden_size, hidden_size)
        self.i2o = nn.Linear(input_size + hidden_size, output_size)
        self.softmax = nn.LogSoftmax(dim=1)

    def forward(self, input, hidden):
        combined = torch.cat((input, hidden), 1)
        hidden = self.i2h(combined)
        output = self.softmax(self.i2o(combined))
        return output, hidden

    def initHidden(self):
        return torch.zeros(1, self.hidden_size)


class NameGenerator(nn.Module):
    def __init__(self, n_categories=18, input_size=59, hidden_size=64, output_size=59):
        super().__init__()
        self.hidden_size = hidden_size
        self.i2h = nn.Linear(n_categories + input_size + hidden_size, hidden_size)
        self.i2o = nn.Linear(n_categories + input_size + hidden_size, output_size)
        self.o2o = nn.Linear(hidden_size + output_size, output_size)

    def forward(self, category, input, hidden):
        input_combined = torch.cat((category, input, hidden), 1)
        hidden = self.i2h(input_combined)
        output = self.i2o(input_combined)
        output = self.o2o(torch.cat((hidden, output), 1))
        return F.log_softmax(output, dim=1), hidden

    def initHidden(self):
        return torch.zeros(1, self.hidden_size)


class EncoderRNN(nn.Module):
    """The old tutorial on translation: one word, a batch of one."""

    def __init__(self, input_size=40, hidden_size=32):
        super().__init__()
        self.hidden_size = hidden_size
        self.embedding = nn.Embedding(input_size, hidden_size)
        self.gru = nn.GRU(hidden_size, hidden_size)

    def forward(self, input, hidden):
        embedded = self.embedding(input).view(1, 1, -1)
        output, hidden = self.gru(embedded, hidden)
        return output, hidden

    def initHidden(self):
        return torch.zeros(1, 1, self.hidden_size)


class AttnDecoderRNN(nn.Module):
    def __init__(self, hidden_size=32, output_size=40, max_length=10):
        super().__init__()
        self.hidden_size, self.max_length = hidden_size, max_length
        self.embedding = nn.Embedding(output_size, hidden_size)
        self.attn = nn.Linear(hidden_size * 2, max_length)
        self.attn_combine = nn.Linear(hidden_size * 2, hidden_size)
        self.gru = nn.GRU(hidden_size, hidden_size)
        self.out = nn.Linear(hidden_size, output_size)

    def forward(self, input, hidden, encoder_outputs):
        embedded = self.embedding(input).view(1, 1, -1)
        attn_weights = F.softmax(self.attn(torch.cat((embedded[0], hidden[0]), 1)), dim=1)
        attn_applied = torch.bmm(attn_weights.unsqueeze(0), encoder_outputs.unsqueeze(0))
        output = F.relu(self.attn_combine(torch.cat((embedded[0], attn_applied[0]), 1)).unsqueeze(0))
        output, hidden = self.gru(output, hidden)
        return F.log_softmax(self.out(output[0]), dim=1), hidden, attn_weights

    def initHidden(self):
        return torch.zeros(1, 1, self.hidden_size)


class WordLM(nn.Module):
    """The language model of pytorch/examples."""

    def __init__(self, ntoken=60, ninp=24, nhid=24, nlayers=2):
        super().__init__()
        self.nhid, self.nlayers = nhid, nlayers
        self.drop = nn.Dropout(0.5)
        self.encoder = nn.Embedding(ntoken, ninp)
        self.rnn = nn.LSTM(ninp, nhid, nlayers, dropout=0.5)
        self.decoder = nn.Linear(nhid, ntoken)

    def forward(self, input, hidden):
        emb = self.drop(self.encoder(input))
        output, hidden = self.rnn(emb, hidden)
        decoded = self.decoder(self.drop(output)).view(-1, 60)
        return F.log_softmax(decoded, dim=1), hidden

    def init_hidden(self, bsz):
        weight = next(self.parameters())
        return (weight.new_zeros(self.nlayers, bsz, self.nhid), weight.new_zeros(self.nlayers, bsz, self.nhid))


class SentimentLSTM(nn.Module):
    def __init__(self):
        super().__init__()
        self.n_layers, self.hidden_dim = 2, 16
        self.embedding = nn.Embedding(80, 12)
        self.lstm = nn.LSTM(12, 16, 2, dropout=0.5, batch_first=True)
        self.fc = nn.Linear(16, 1)

    def forward(self, x, hidden):
        batch_size = x.size(0)
        lstm_out, hidden = self.lstm(self.embedding(x.long()), hidden)
        out = torch.sigmoid(self.fc(lstm_out.contiguous().view(-1, self.hidden_dim)))
        out = out.view(batch_size, -1)[:, -1]
        return out, hidden

    def init_hidden(self, batch_size):
        return tuple(torch.zeros(self.n_layers, batch_size, self.hidden_dim) for _ in range(2))


class StatefulLSTM(nn.Module):
    """Keeps its state as an attribute that a method makes."""

    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(5, 12, batch_first=True)
        self.fc = nn.Linear(12, 1)

    def init_hidden(self, batch_size):
        self.hidden = (torch.zeros(1, batch_size, 12), torch.zeros(1, batch_size, 12))

    def forward(self, x):
        out, self.hidden = self.lstm(x, self.hidden)
        return self.fc(out[:, -1])


class POSTagger(nn.Module):
    """One sentence at a time, without a batch."""

    def __init__(self):
        super().__init__()
        self.word_embeddings = nn.Embedding(30, 12)
        self.lstm = nn.LSTM(12, 16)
        self.hidden2tag = nn.Linear(16, 5)

    def forward(self, sentence):
        embeds = self.word_embeddings(sentence)
        lstm_out, _ = self.lstm(embeds.view(len(sentence), 1, -1))
        return F.log_softmax(self.hidden2tag(lstm_out.view(len(sentence), -1)), dim=1)


class StockGRU(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(7, 16, 2, batch_first=True)
        self.fc = nn.Linear(16, 1)

    def forward(self, x):
        h0 = torch.zeros(2, x.size(0), 16).requires_grad_()
        out, _ = self.gru(x, h0.detach())
        return self.fc(out[:, -1, :])


class RowLSTM(nn.Module):
    """Reads the rows of an MNIST image."""

    def __init__(self):
        super().__init__()
        self.rnn = nn.LSTM(28, 16, batch_first=True)
        self.out = nn.Linear(16, 10)

    def forward(self, x):
        x = x.reshape(-1, 28, 28)
        return self.out(self.rnn(x, None)[0][:, -1, :])


class PackedClassifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(90, 16, padding_idx=1)
        self.rnn = nn.LSTM(16, 16, 2, bidirectional=True, dropout=0.5)
        self.fc = nn.Linear(32, 1)

    def forward(self, text, text_lengths):
        embedded = self.embedding(text)
        packed = pack_padded_sequence(embedded, text_lengths.to("cpu"))
        packed_output, (hidden, cell) = self.rnn(packed)
        output, output_lengths = pad_packed_sequence(packed_output)
        hidden = torch.cat((hidden[-2, :, :], hidden[-1, :, :]), dim=1)
        return self.fc(hidden)


MODELS = (CharRNN, NameGenerator, EncoderRNN, AttnDecoderRNN, WordLM, SentimentLSTM, StatefulLSTM, POSTagger, StockGRU, RowLSTM, PackedClassifier)  # fmt: skip
