# hostile: torch.save and numpy write from C++ while the model is built
# expect: 0 4
import numpy as np
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 2)
        try:
            np.save('weights.npy', self.fc.weight.detach().numpy())
        except Exception as error:
            print(error)
        try:
            torch.save(self.fc.state_dict(), 'initial.pth')
        except Exception as error:
            print(error)

    def forward(self, x):
        return self.fc(x)
