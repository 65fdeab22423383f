from torch import nn

model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 4))
model.apply(lambda m: nn.init.normal_(m.weight, std=1.0) if isinstance(m, nn.Linear) else None)
# heals: IC202
