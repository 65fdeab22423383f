# wild: a real fault in a class: hidden layer zeroed by a copied "zero init", argparse in __main__
# expect: checked
# parameters: 38228
# fault: IC301
import argparse
import torch
import torch.nn as nn


class Adapter(nn.Module):
    """Feature adapter. Zero-init as in ControlNet (?)"""

    def __init__(self, c=256, bottleneck=64):
        super().__init__()
        self.down = nn.Linear(c, bottleneck)
        self.up = nn.Linear(bottleneck, c)
        self.cls = nn.Linear(c, 20)
        nn.init.zeros_(self.down.weight)
        nn.init.zeros_(self.down.bias)
        nn.init.zeros_(self.up.weight)
        nn.init.zeros_(self.up.bias)

    def forward(self, feat):
        h = torch.relu(self.down(feat))
        return self.cls(self.up(h))


if __name__ == '__main__':
    parser = argparse.ArgumentParser()
    parser.add_argument('--features', required=True)
    parser.add_argument('--labels', required=True)
    args = parser.parse_args()
    feats, labels = torch.load(args.features), torch.load(args.labels)
    model = Adapter()
    opt = torch.optim.Adam(model.parameters(), lr=1e-3)
    for _ in range(100):
        loss = nn.functional.cross_entropy(model(feats), labels)
        opt.zero_grad(), loss.backward(), opt.step()
    print(loss)
