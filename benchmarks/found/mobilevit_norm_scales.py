"""transformers 5: MobileViT draws the scales of its batch normalizations from N(0, 0.02) instead of setting them to 1 (IC601).

Effect: the image hardly reaches the head. Measured: the deviation of the logits between images, as shipped and with scales of 1.
"""

import torch
from transformers import MobileViTConfig, MobileViTForImageClassification

torch.manual_seed(0)
model = MobileViTForImageClassification(MobileViTConfig(image_size=64)).train()
scale = model.mobilevit.conv_stem.normalization.weight
print(f"scale of the first batch normalization: mean {scale.detach().mean():.4f}, std {scale.detach().std():.4f}")
torch.set_grad_enabled(False)
images = torch.randn(8, 3, 64, 64)
print("std of the logits between images, as shipped:", float(model(images).logits.std(0).mean()))
for module in model.modules():
    if isinstance(module, torch.nn.BatchNorm2d):
        torch.nn.init.ones_(module.weight)
print("std of the logits between images, scales 1:  ", float(model(images).logits.std(0).mean()))
