"""What the rules about the way over the meta device share."""

from __future__ import annotations

from initcheck.errors import NotKnown
from initcheck.records.evidence import Evidence
from initcheck.records.parity import Parity

NONE = Parity()

NORM = (
    "import torch\nfrom torch import nn\n\n\nclass Norm(nn.Module):\n    def __init__(self, width):\n        super().__init__()\n"
    "        self.weight = nn.Parameter(torch.ones(width))\n\n"
    "    def forward(self, x):\n        return x / (x * x).mean(-1, keepdim=True).sqrt() * self.weight\n\n\n"
    "class Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.first, self.norm, self.head = nn.Linear(16, 16), Norm(16), nn.Linear(16, 4)\n\n"
    "    def forward(self, x):\n        return self.head(torch.relu(self.norm(self.first(x))))\n\n\n"
)
"""A network with a normalization of its own."""

SCALED = (
    "from torch import nn\n\n\ndef init(module):\n    if isinstance(module, nn.Linear):\n        nn.init.kaiming_normal_(module.weight, nonlinearity='relu')\n"
    "        nn.init.zeros_(module.bias)\n\n\n"
    "class Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.body = nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 4))\n"
    "        self.apply(init)\n\n    def forward(self, x):\n        return self.body(x)\n\n"
)
"""A network whose constructor initializes its layers."""


def parity(evidence: Evidence) -> Parity:
    """The comparison with a twin; an empty one where none was asked for.

    Raises:
        NotKnown: when there could be no twin.
    """
    found = evidence.recording.parity
    if found is not None and found.reason:
        raise NotKnown(f"the way over the meta device could not be gone: {found.reason}")
    return found or NONE
