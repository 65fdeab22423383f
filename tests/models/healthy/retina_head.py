"""A one-stage detector: heads N(0, 0.01), class bias at the prior of one in a hundred."""

import math

import torch
from torch import nn


class Detector(nn.Module):
    def __init__(self, width=64, classes=20, anchors=3, prior=0.01):
        super().__init__()
        self.backbone = nn.Sequential(
            nn.Conv2d(3, 32, 3, 2, 1, bias=False),
            nn.BatchNorm2d(32),
            nn.ReLU(),
            nn.Conv2d(32, width, 3, 2, 1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
        )
        self.tower = nn.Sequential(nn.Conv2d(width, width, 3, padding=1), nn.ReLU(), nn.Conv2d(width, width, 3, padding=1), nn.ReLU())
        self.scores = nn.Conv2d(width, anchors * classes, 3, padding=1)
        self.boxes = nn.Conv2d(width, anchors * 4, 3, padding=1)
        for layer in self.tower:
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
                nn.init.zeros_(layer.bias)
        for layer in (self.scores, self.boxes):
            nn.init.normal_(layer.weight, std=0.01)
            nn.init.zeros_(layer.bias)
        nn.init.constant_(self.scores.bias, -math.log((1 - prior) / prior))

    def forward(self, images):
        features = self.tower(self.backbone(images))
        return self.scores(features), self.boxes(features)


model = Detector()


def initcheck_input():
    return torch.randn(4, 3, 64, 64)
