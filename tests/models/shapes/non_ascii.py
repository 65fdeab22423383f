import torch
from torch import nn


class Netz(nn.Module):
    """Ein tiefes Netz — 深い網 🧠."""

    def __init__(self):
        super().__init__()
        self.größe = nn.Linear(64, 64); nn.init.xavier_uniform_(self.größe.weight)  # ä → ö
        self.köpfe = nn.ModuleList(nn.Linear(64, 64) for _ in range(2))
        for kopf in self.köpfe:
            nn.init.xavier_uniform_(kopf.weight, gain=1)  # größer?
        self.ausgang = nn.Linear(64, 4)

    def forward(self, x):
        x = torch.relu(self.größe(x))
        for kopf in self.köpfe:
            x = torch.relu(kopf(x))
        return self.ausgang(x)


model = Netz()
# heals: IC201
