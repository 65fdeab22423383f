# hostile: ten thousand modules in several nested containers
# expect: 0 1
# options: --timeout 120
from torch import nn


class Block(nn.Module):
    def __init__(self, width, branches):
        super().__init__()
        self.branches = nn.ModuleList(
            [nn.Sequential(nn.LayerNorm(width), nn.Sequential(nn.Linear(width, width), nn.Identity())) for _ in range(branches)]
        )
        self.scale = 1 / branches

    def forward(self, x):
        for branch in self.branches:
            x = x + self.scale * branch(x)
        return x


class Wide(nn.Module):
    def __init__(self):
        super().__init__()
        self.stages = nn.ModuleDict({f'stage{i}': nn.Sequential(*[Block(8, 9) for _ in range(10)]) for i in range(22)})
        self.head = nn.Linear(8, 3)

    def forward(self, x):
        for stage in self.stages.values():
            x = stage(x)
        return self.head(x)


model = Wide()
assert sum(1 for _ in model.modules()) > 10_000
