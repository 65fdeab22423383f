# wild: sizes come from a yaml file that is not there, model built at top level
# expect: checked
import sys
import yaml
import torch
import torch.nn as nn

with open(sys.argv[1] if len(sys.argv) > 1 else 'configs/default.yaml') as f:
    config = yaml.safe_load(f)

torch.manual_seed(config['seed'])


class ForecastNet(nn.Module):
    def __init__(self, n_features, hidden_size, num_layers, horizon, dropout):
        super().__init__()
        self.encoder = nn.GRU(n_features, hidden_size, num_layers, batch_first=True, dropout=dropout)
        self.head = nn.Sequential(nn.Linear(hidden_size, hidden_size), nn.ELU(), nn.Linear(hidden_size, horizon))

    def forward(self, history):
        _, h = self.encoder(history)
        return self.head(h[-1])


model = ForecastNet(
    n_features=len(config['data']['features']),
    hidden_size=config['model']['hidden_size'],
    num_layers=config['model']['num_layers'],
    horizon=config['data']['horizon'],
    dropout=config['model']['dropout'],
)
device = torch.device(config['device'])
model.to(device)
optimizer = torch.optim.Adam(model.parameters(), **config['optimizer'])
series = torch.load(config['data']['path'])
for epoch in range(config['epochs']):
    for x, y in series:
        loss = nn.functional.l1_loss(model(x.to(device)), y.to(device))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
