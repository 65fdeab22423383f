"""Programs to run, written into a folder, and what comes of them."""

import json

from initcheck import engine
from initcheck.records.settings import Settings
from initcheck.records.target import Target

NET = """\
import torch
from torch import nn
from torch.nn import functional as F

class Net(nn.Module):
    def __init__(self, hidden=16):
        super().__init__()
        self.first = nn.Linear(6, hidden)
        self.norm = nn.BatchNorm1d(hidden)
        self.last = nn.Linear(hidden, 3)

    def forward(self, x):
        return self.last(F.relu(self.norm(self.first(x))))

def batch(size=8):
    return torch.randn(size, 6), torch.randint(3, (size,))
"""

LOOP = """
for epoch in range(3):
    x, y = batch()
    optimizer.zero_grad()
    loss = F.cross_entropy(model(x), y)
    loss.backward()
    optimizer.step()
    print("a step was made")
"""
PLAIN = f"""
model = Net(24)
optimizer = torch.optim.Adam(model.parameters())
{LOOP}"""


def program(folder, text, name="train.py", before=NET):
    path = folder / name
    path.write_text(before + text)
    return path


def target(path, *arguments, module=False, inputs=()):
    return Target(str(path), str(path), "-m" if module else "", "program", json.dumps(arguments), inputs)


def run(path, *arguments, module=False, inputs=(), **settings):
    return engine.check_target(target(path, *arguments, module=module, inputs=inputs), Settings(**settings))


def names(reports):
    return [report.target.spec.partition("::")[2] for report in reports]
