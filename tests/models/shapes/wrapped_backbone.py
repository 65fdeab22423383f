import torch
import torchvision
from torch import nn


class Classifier(nn.Module):
    def __init__(self, classes=7):
        super().__init__()
        self.backbone = torchvision.models.resnet18(weights=None)
        self.backbone.fc = nn.Linear(self.backbone.fc.in_features, classes)
        nn.init.normal_(self.backbone.fc.weight)

    def forward(self, x):
        return self.backbone(x)


model = Classifier()
# heals: IC704
