"""transformers 5: OWL-ViT's box head is drawn from N(0, 1), for `initializer_factor = 1.0` is read as a std (IC202).

Effect: the box logits are hundreds of times too large and the sigmoid behind them is flat. Measured: their std and the share of saturated boxes.
"""

import torch
from transformers import OwlViTConfig, OwlViTForObjectDetection

torch.manual_seed(0)
model = OwlViTForObjectDetection(OwlViTConfig())
head = model.box_head
print(f"std of box_head.dense0.weight: {head.dense0.weight.std():.3f} (width {head.dense0.in_features})")
features = torch.nn.functional.layer_norm(torch.randn(64, head.dense0.in_features), (head.dense0.in_features,))
logits = head(features)
print(f"std of the box logits: {logits.std():.0f}; |logit| > 4 (flat sigmoid): {float((logits.abs() > 4).float().mean()):.1%}")
