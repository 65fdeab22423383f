# wild: wandb, cv2, albumentations and tensorboardX imported, data paths hard-coded
# expect: checked
# parameters: 38177
import glob
import os
import sys

import albumentations as A
import cv2
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
import wandb
from albumentations.pytorch import ToTensorV2
from tensorboardX import SummaryWriter
from torch.utils.data import DataLoader, Dataset

ROOT = '/home/liu/projects/crack_seg/data'
IMG = 256

train_tf = A.Compose([A.Resize(IMG, IMG), A.HorizontalFlip(p=0.5), A.Normalize(), ToTensorV2()])


class CrackDataset(Dataset):
    def __init__(self, root, tf):
        self.files = sorted(glob.glob(os.path.join(root, 'images', '*.jpg')))
        self.tf = tf

    def __len__(self):
        return len(self.files)

    def __getitem__(self, i):
        img = cv2.cvtColor(cv2.imread(self.files[i]), cv2.COLOR_BGR2RGB)
        mask = cv2.imread(self.files[i].replace('images', 'masks').replace('jpg', 'png'), 0)
        out = self.tf(image=img, mask=mask)
        return out['image'], (out['mask'] > 127).float().unsqueeze(0)


class CrackNet(nn.Module):
    def __init__(self, n_filters=32):
        super().__init__()
        self.enc1 = nn.Sequential(nn.Conv2d(3, n_filters, 3, padding=1), nn.BatchNorm2d(n_filters), nn.ReLU())
        self.enc2 = nn.Sequential(nn.Conv2d(n_filters, n_filters * 2, 3, padding=1), nn.BatchNorm2d(n_filters * 2), nn.ReLU())
        self.dec1 = nn.Sequential(nn.Conv2d(n_filters * 2, n_filters, 3, padding=1), nn.BatchNorm2d(n_filters), nn.ReLU())
        self.final = nn.Conv2d(n_filters * 2, 1, 1)

    def forward(self, x):
        a = self.enc1(x)
        b = self.enc2(F.max_pool2d(a, 2))
        c = self.dec1(F.interpolate(b, scale_factor=2, mode='bilinear', align_corners=False))
        return self.final(torch.cat([a, c], 1))


wandb.init(project='crack-seg', name=sys.argv[0])
writer = SummaryWriter('runs/crack')
model = CrackNet().cuda()
wandb.watch(model)
loader = DataLoader(CrackDataset(ROOT, train_tf), batch_size=8, shuffle=True, num_workers=4)
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
step = 0
for epoch in range(50):
    for img, mask in loader:
        loss = F.binary_cross_entropy_with_logits(model(img.cuda()), mask.cuda())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        writer.add_scalar('loss', loss.item(), step)
        step += 1
    wandb.log({'epoch': epoch, 'loss': loss.item()})
    torch.save(model.state_dict(), f'ckpt_{epoch:03d}.pth')
