# wild: SimpleNamespace config at top level, model called in a function
# expect: checked
# parameters: 1059418
from types import SimpleNamespace
import torch
import torch.nn as nn

cfg = SimpleNamespace(**{})
cfg.seed = 42
cfg.backbone_dim = 512
cfg.hidden = [1024, 512]
cfg.dropout = 0.3
cfg.target_cols = ["cohesion", "syntax", "vocabulary", "phraseology", "grammar", "conventions"]
cfg.train_csv = "../input/train.csv"


class Head(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        dims = [cfg.backbone_dim] + cfg.hidden
        mlp = []
        for a, b in zip(dims[:-1], dims[1:]):
            mlp += [nn.Linear(a, b), nn.BatchNorm1d(b), nn.ReLU(), nn.Dropout(cfg.dropout)]
        self.mlp = nn.Sequential(*mlp)
        self.proj = nn.Linear(dims[-1], len(cfg.target_cols))
        self.res = nn.Linear(cfg.backbone_dim, len(cfg.target_cols))
        self.mix = nn.Linear(2 * len(cfg.target_cols), len(cfg.target_cols))
        self._reset()

    def _reset(self):
        for m in self.modules():
            if isinstance(m, nn.Linear):
                m.weight.data.normal_(mean=0.0, std=0.02)
                if m.bias is not None:
                    m.bias.data.zero_()

    def forward(self, feats):
        out = self.proj(self.mlp(feats))
        return self.mix(torch.cat([out, self.res(feats)], 1))


def train_fold(fold):
    import pandas as pd
    frame = pd.read_csv(cfg.train_csv)
    model = Head(cfg)
    model.to('cuda')
    return frame[frame.fold != fold], model
