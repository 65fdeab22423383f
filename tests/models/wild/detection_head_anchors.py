# wild: one-stage detector with anchors, FPN and prior bias, dict of settings at top
# expect: checked
import math
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

VOC_CLASSES = ['aeroplane', 'bicycle', 'bird', 'boat', 'bottle', 'bus', 'car', 'cat', 'chair', 'cow', 'diningtable', 'dog',
               'horse', 'motorbike', 'person', 'pottedplant', 'sheep', 'sofa', 'train', 'tvmonitor']
ANCHOR_SIZES = [[32, 64], [128, 160], [224, 256]]
RATIOS = (0.5, 1, 2)


class Anchors(nn.Module):
    def __init__(self, strides=(8, 16, 32)):
        super(Anchors, self).__init__()
        self.strides = strides

    def forward(self, image):
        h, w = image.shape[2:]
        boxes = []
        for stride, sizes in zip(self.strides, ANCHOR_SIZES):
            ys, xs = np.mgrid[0:h // stride, 0:w // stride]
            for s in sizes:
                for r in RATIOS:
                    bw, bh = s * math.sqrt(r), s / math.sqrt(r)
                    cx, cy = (xs.ravel() + 0.5) * stride, (ys.ravel() + 0.5) * stride
                    boxes.append(np.stack([cx - bw / 2, cy - bh / 2, cx + bw / 2, cy + bh / 2], 1))
        return torch.from_numpy(np.concatenate(boxes).astype(np.float32)).to(image.device)


class Head(nn.Module):
    def __init__(self, channels, num_anchors, outputs, prior=None):
        super(Head, self).__init__()
        self.tower = nn.Sequential(*[m for _ in range(2) for m in (nn.Conv2d(channels, channels, 3, padding=1), nn.ReLU())])
        self.output = nn.Conv2d(channels, num_anchors * outputs, 3, padding=1)
        self.outputs = outputs
        self.output.weight.data.normal_(0, 0.01)
        self.output.bias.data.fill_(0 if prior is None else -math.log((1.0 - prior) / prior))

    def forward(self, x):
        out = self.output(self.tower(x)).permute(0, 2, 3, 1)
        return out.contiguous().view(out.shape[0], -1, self.outputs)


class TinyRetina(nn.Module):
    def __init__(self, num_classes=len(VOC_CLASSES), width=32):
        super(TinyRetina, self).__init__()
        def block(i, o):
            return nn.Sequential(nn.Conv2d(i, o, 3, 2, 1, bias=False), nn.BatchNorm2d(o), nn.ReLU(inplace=True))
        self.stem = nn.Sequential(block(3, width), block(width, width))
        self.c3, self.c4, self.c5 = block(width, 2 * width), block(2 * width, 4 * width), block(4 * width, 8 * width)
        self.lat = nn.ModuleList([nn.Conv2d(c * width, 64, 1) for c in (2, 4, 8)])
        n = len(ANCHOR_SIZES[0]) * len(RATIOS)
        self.regression = Head(64, n, 4)
        self.classification = Head(64, n, num_classes, prior=0.01)
        self.anchors = Anchors()

    def forward(self, images):
        c3 = self.c3(self.stem(images))
        c4 = self.c4(c3)
        c5 = self.c5(c4)
        p5 = self.lat[2](c5)
        p4 = self.lat[1](c4) + F.interpolate(p5, size=c4.shape[-2:])
        p3 = self.lat[0](c3) + F.interpolate(p4, size=c3.shape[-2:])
        reg = torch.cat([self.regression(p) for p in (p3, p4, p5)], 1)
        cls = torch.cat([self.classification(p) for p in (p3, p4, p5)], 1)
        return cls, reg, self.anchors(images)


def main():
    from dataset import VOCDetection
    model = torch.nn.DataParallel(TinyRetina()).cuda()
    loader = torch.utils.data.DataLoader(VOCDetection('/data/VOCdevkit', VOC_CLASSES), batch_size=8, collate_fn=lambda b: b)
    for batch in loader:
        print(model(batch['img'].cuda())[0].shape)


if __name__ == '__main__':
    main()
