# wild: timm backbone in a Kaggle-style class, timm not installed
# expect: message
# missing: timm
import os
import gc
import pandas as pd
import timm
import torch
import torch.nn as nn
from sklearn.model_selection import StratifiedKFold


class CFG:
    debug = False
    apex = True
    model_name = 'tf_efficientnet_b3_ns'
    size = 512
    target_size = 5
    n_fold = 5
    train = True
    inference = False


if CFG.debug:
    CFG.epochs = 1


class CustomModel(nn.Module):
    def __init__(self, cfg, pretrained=False):
        super().__init__()
        self.cfg = cfg
        self.model = timm.create_model(cfg.model_name, pretrained=pretrained)
        n_features = self.model.classifier.in_features
        self.model.classifier = nn.Linear(n_features, cfg.target_size)

    def forward(self, x):
        return self.model(x)


def main():
    train = pd.read_csv('../input/cassava-leaf-disease-classification/train.csv')
    folds = StratifiedKFold(n_splits=CFG.n_fold, shuffle=True)
    model = CustomModel(CFG, pretrained=True).to('cuda')
    print(model, len(train), folds)
    gc.collect()


if __name__ == '__main__':
    main()
