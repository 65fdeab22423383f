from torch import nn

# heals: IC209
model = nn.Sequential(*[part for _ in range(10) for part in (nn.Linear(64, 64), nn.ReLU())], nn.Linear(64, 4))