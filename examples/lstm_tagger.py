"""A part-of-speech tagger: embedding, LSTM, linear head."""

from torch import nn


class Tagger(nn.Module):
    def __init__(self, vocabulary=1000, embedding=64, hidden=128, tags=17):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, embedding, padding_idx=0)
        self.lstm = nn.LSTM(embedding, hidden, batch_first=True)  # expect: IC501
        self.head = nn.Linear(hidden, tags)

    def forward(self, tokens):
        states, _ = self.lstm(self.embedding(tokens))
        return self.head(states)


model = Tagger()
