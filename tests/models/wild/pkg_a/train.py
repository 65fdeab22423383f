import argparse

import torch

from pkg_a.data.constants import DATA_ROOT
from pkg_a.models import build_model

if __name__ == '__main__':
    parser = argparse.ArgumentParser()
    parser.add_argument('--root', default=DATA_ROOT)
    args = parser.parse_args()
    model = torch.nn.DataParallel(build_model()).cuda()
    data = torch.load(args.root + '/train.pt')
    print(model(data[0]).shape)
