import torch.nn as nn

cfg = {'A': [16, 'M', 32, 'M', 64, 'M']}


class SmallVGG(nn.Module):
    def __init__(self, name):
        super().__init__()
        layers, c = [], 3
        for v in cfg[name]:
            layers += [nn.MaxPool2d(2)] if v == 'M' else [nn.Conv2d(c, v, 3, padding=1), nn.BatchNorm2d(v), nn.ReLU()]
            c = c if v == 'M' else v
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Linear(64 * 16, 10)

    def forward(self, x):
        return self.classifier(self.features(x).flatten(1))


class PlainNet(SmallVGG):
    def __init__(self):
        super().__init__('A')
