# wild: argparse at top level, options decide the widths, wandb
# expect: checked
# parameters: 669706
import argparse
import os
import random

import numpy as np
import torch
import torch.nn as nn
import wandb
from torch.utils.data import DataLoader
from tqdm import tqdm

parser = argparse.ArgumentParser(description='MLP baseline')
parser.add_argument('--data-dir', type=str, default='/mnt/data/fashion')
parser.add_argument('--hidden', type=int, default=512)
parser.add_argument('--depth', type=int, default=2, help='number of hidden layers')
parser.add_argument('--dropout', type=float, default=0.1)
parser.add_argument('--lr', type=float, default=3e-4)
parser.add_argument('--seed', type=int, default=1)
parser.add_argument('--no-cuda', action='store_true')
parser.add_argument('--wandb', action='store_true')
args = parser.parse_args()

args.cuda = not args.no_cuda and torch.cuda.is_available()
random.seed(args.seed)
np.random.seed(args.seed)
torch.manual_seed(args.seed)
os.environ['CUDA_VISIBLE_DEVICES'] = '0'

if args.wandb:
    wandb.init(project='mlp-baseline', config=vars(args))

layers = [nn.Flatten(), nn.Linear(28 * 28, args.hidden), nn.ReLU(), nn.Dropout(args.dropout)]
for _ in range(args.depth - 1):
    layers += [nn.Linear(args.hidden, args.hidden), nn.ReLU(), nn.Dropout(args.dropout)]
layers.append(nn.Linear(args.hidden, 10))
model = nn.Sequential(*layers)
if args.cuda:
    model.cuda()
print('%.2fM parameters' % (sum(p.numel() for p in model.parameters()) / 1e6))

if not os.path.isdir(args.data_dir):
    os.makedirs(args.data_dir)
images = np.load(os.path.join(args.data_dir, 'train_images.npy'))
labels = np.load(os.path.join(args.data_dir, 'train_labels.npy'))
loader = DataLoader(list(zip(images, labels)), batch_size=128, shuffle=True)

opt = torch.optim.Adam(model.parameters(), lr=args.lr)
for epoch in range(20):
    bar = tqdm(loader)
    for x, y in bar:
        loss = nn.functional.cross_entropy(model(x.float() / 255), y)
        opt.zero_grad()
        loss.backward()
        opt.step()
        bar.set_description('%.3f' % loss.item())
