import numpy as np
import torch


def load_config():
    return {'n_mfcc': 39, 'hidden': 100, 'lr': 1e-3, 'epochs': 40}


def to_device(x):
    return x.cuda() if torch.cuda.is_available() else x


def load_features(path):
    data = np.load(path)
    return torch.tensor(data['x']).float(), torch.tensor(data['y'])
