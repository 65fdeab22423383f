import torch as th
import torch.nn as tnn
import torch.nn.init as I


class Net(tnn.Module):
    def __init__(self):
        super().__init__()
        self.first = tnn.Linear(64, 64)
        I.xavier_uniform_(self.first.weight, gain=1.0)
        self.second = tnn.Linear(64, 64)
        with th.no_grad():
            self.second.weight.uniform_(-1, 1)
        self.head = tnn.Linear(64, 4)

    def forward(self, x):
        return self.head(th.relu(self.second(th.relu(self.first(x)))))


model = Net()
# heals: IC201
