# hostile: changes torch's default type, threads, gradients and determinism
# expect: 0 1
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        torch.set_default_dtype(torch.float64)
        torch.use_deterministic_algorithms(True)
        torch.set_grad_enabled(False)
        torch.set_num_threads(1)
        self.fc = nn.Linear(4, 2)

    def forward(self, x):
        return self.fc(x)
