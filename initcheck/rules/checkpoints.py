"""The small network that the examples of the rules about loaded weights share, and the line that stands for a file."""

from __future__ import annotations

NET = (
    "import io\n\nimport torch\nfrom torch import nn\n\n\nclass Net(nn.Module):\n    def __init__(self, classes=4):\n        super().__init__()\n"
    "        self.body = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU())\n        self.head = nn.Linear(32, classes)\n"
    "        self.apply(init)\n\n    def forward(self, x):\n        return self.head(self.body(x))\n\n\n"
    "def init(module):\n    if isinstance(module, nn.Linear):\n        nn.init.kaiming_normal_(module.weight, nonlinearity='relu')\n"
    "        nn.init.zeros_(module.bias)\n\n\n"
)
"""A classifier whose own initialization is sound."""

FILE = (
    "file = io.BytesIO()  # stands for a file of weights\ntorch.save(Net().state_dict(), file)\nfile.seek(0)\nweights = torch.load(file)\n"
)
"""Makes `weights`, as read from a file that holds all of the network."""
