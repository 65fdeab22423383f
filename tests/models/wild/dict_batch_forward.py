# wild: forward takes the whole batch as a dict with string keys
# expect: checked
import torch
import torch.nn as nn

CAT_FEATURES = {'weekday': 7, 'hour': 24, 'store': 54, 'promo': 2}
NUM_FEATURES = ['temperature', 'fuel_price', 'cpi', 'unemployment']


class SalesModel(nn.Module):
    """Embeddings for the categorical columns, MLP on everything.

    batch: {'weekday': LongTensor[B], 'hour': ..., 'store': ..., 'promo': ..., 'dense': FloatTensor[B, 4], 'sales': FloatTensor[B]}
    """

    def __init__(self, emb_dim=12, hidden=128):
        super().__init__()
        self.emb = nn.ModuleDict({k: nn.Embedding(n, emb_dim) for k, n in CAT_FEATURES.items()})
        n_in = emb_dim * len(CAT_FEATURES) + len(NUM_FEATURES)
        self.mlp = nn.Sequential(
            nn.Linear(n_in, hidden), nn.ReLU(),
            nn.Linear(hidden, hidden), nn.ReLU(),
            nn.Linear(hidden, 1))

    def forward(self, batch):
        cats = [self.emb[k](batch[k]) for k in CAT_FEATURES]
        x = torch.cat(cats + [batch['dense']], dim=-1)
        return self.mlp(x).squeeze(-1)


def fit(train, epochs=3):
    from torch.utils.tensorboard import SummaryWriter
    writer = SummaryWriter(comment='sales')
    model = SalesModel()
    opt = torch.optim.Adagrad(model.parameters(), lr=0.05)
    for epoch in range(epochs):
        for i, batch in enumerate(train):
            loss = (model(batch) - batch['sales']).abs().mean()
            opt.zero_grad()
            loss.backward()
            opt.step()
            writer.add_scalar('mae', loss.item(), epoch * len(train) + i)
    return model
