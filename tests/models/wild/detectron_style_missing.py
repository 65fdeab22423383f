# wild: fvcore and detectron2 missing: registry, weight_init, configurable, logger
# expect: checked
# parameters: 6545
import logging

import fvcore.nn.weight_init as weight_init
import torch
import torch.nn.functional as F
from detectron2.config import configurable
from detectron2.modeling import META_ARCH_REGISTRY
from detectron2.utils.logger import setup_logger
from torch import nn

logger = setup_logger(name=__name__)
logging.getLogger("fvcore").setLevel(logging.ERROR)


class PixelDecoder(nn.Module):
    def __init__(self, in_channels=(256, 512, 1024), conv_dim=128, mask_dim=64):
        super().__init__()
        lateral, output = [], []
        for c in in_channels:
            lat = nn.Conv2d(c, conv_dim, kernel_size=1)
            out = nn.Conv2d(conv_dim, conv_dim, kernel_size=3, padding=1)
            nn.init.kaiming_uniform_(lat.weight, a=1)
            nn.init.constant_(lat.bias, 0)
            nn.init.kaiming_uniform_(out.weight, a=1)
            nn.init.constant_(out.bias, 0)
            lateral.append(lat)
            output.append(out)
        self.lateral_convs = nn.ModuleList(lateral[::-1])
        self.output_convs = nn.ModuleList(output[::-1])
        self.mask_features = nn.Conv2d(conv_dim, mask_dim, 1)

    def forward(self, res3, res4, res5):
        y = None
        for feature, lat, out in zip((res5, res4, res3), self.lateral_convs, self.output_convs):
            cur = lat(feature)
            if y is not None:
                cur = cur + F.interpolate(y, size=cur.shape[-2:], mode="nearest")
            y = F.relu(out(cur))
        return self.mask_features(y)


def init_like_detectron(module):
    for m in module.modules():
        if isinstance(m, nn.Conv2d):
            weight_init.c2_xavier_fill(m)


@META_ARCH_REGISTRY.register()
class MaskHead(nn.Module):
    @configurable
    def __init__(self, *, mask_dim=64, num_queries=20, num_classes=80):
        super().__init__()
        self.query = nn.Embedding(num_queries, mask_dim)
        self.cls = nn.Linear(mask_dim, num_classes + 1)

    @classmethod
    def from_config(cls, cfg):
        return {"mask_dim": cfg.MODEL.MASK_DIM, "num_queries": cfg.MODEL.NUM_QUERIES}

    def forward(self, mask_features):
        # (B, mask_dim, H, W)
        masks = torch.einsum("qc,bchw->bqhw", self.query.weight, mask_features)
        return self.cls(self.query.weight), masks
