# wild: required constructor arguments, the only call stands in main()
# expect: checked
# parameters: 1294820
import os
import pickle

import torch
import torch.nn as nn
import torch.nn.functional as F
from tqdm import tqdm


class TextCNN(nn.Module):
    def __init__(self, vocab_size, embed_dim, kernel_sizes, num_filters, num_classes, dropout=0.5):
        super(TextCNN, self).__init__()
        self.embedding = nn.Embedding(vocab_size, embed_dim, padding_idx=0)
        self.convs = nn.ModuleList([nn.Conv2d(1, num_filters, (k, embed_dim)) for k in kernel_sizes])
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(num_filters * len(kernel_sizes), num_classes)

    def forward(self, x):
        x = self.embedding(x).unsqueeze(1)
        x = [F.relu(conv(x)).squeeze(3) for conv in self.convs]
        x = [F.max_pool1d(i, i.size(2)).squeeze(2) for i in x]
        x = self.dropout(torch.cat(x, 1))
        return self.fc(x)


def load_pickle(name):
    with open(os.path.join('data', name), 'rb') as f:
        return pickle.load(f)


def main():
    print('loading ...')
    train_x, train_y = load_pickle('train.pkl')
    model = TextCNN(
        vocab_size=9800,
        embed_dim=120,
        kernel_sizes=[3, 4, 5],
        num_filters=82,
        num_classes=2,
    )
    model = model.cuda()
    optimizer = torch.optim.Adam(model.parameters())
    for epoch in range(5):
        for i in tqdm(range(0, len(train_x), 50)):
            x = torch.LongTensor(train_x[i:i + 50]).cuda()
            y = torch.LongTensor(train_y[i:i + 50]).cuda()
            loss = F.cross_entropy(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()


if __name__ == '__main__':
    main()
