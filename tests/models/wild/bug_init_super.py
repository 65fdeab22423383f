# wild: author's bug in __init__, super().__init__() was forgotten
# expect: message
import torch
import torch.nn as nn


class FlowerNet(nn.Module):
    def __init__(self, n_hidden=64):
        self.layer1 = nn.Linear(4, n_hidden)
        self.layer2 = nn.Linear(n_hidden, n_hidden)
        self.layer3 = nn.Linear(n_hidden, 3)

    def forward(self, x):
        x = torch.relu(self.layer1(x))
        x = torch.relu(self.layer2(x))
        return self.layer3(x)


def train():
    from sklearn.datasets import load_iris
    iris = load_iris()
    X, y = torch.FloatTensor(iris.data), torch.LongTensor(iris.target)
    model = FlowerNet()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for i in range(100):
        loss = nn.CrossEntropyLoss()(model(X), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


if __name__ == '__main__':
    train()
