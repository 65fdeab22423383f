"""Transformers' `lecun_normal_` is 1.137 times too large: `python -m benchmarks.found.lecun_normal` shows the std and what it does to a signal."""

import torch
from transformers import initialization

torch.manual_seed(0)
theirs = exact = torch.randn(32, 512)
for _ in range(24):
    weight = initialization.lecun_normal_(torch.empty(512, 512))
    theirs, exact = theirs @ weight.T, exact @ torch.nn.init.kaiming_normal_(torch.empty(512, 512), nonlinearity="linear").T
kurtosis = ((weight / weight.std()) ** 4).mean()
print(f"std x sqrt(fan_in) = {weight.std() * 512**0.5:.4f} (promised 1, after dividing by 0.8796: 1.1369)")
print(f"max |w| / std = {weight.abs().max() / weight.std():.2f}, kurtosis {kurtosis:.2f} (cut at two: 2.27 and 2.37; plain normal: 3)")
print(
    f"second moment after 24 linear layers: {theirs.square().mean():.0f} against {exact.square().mean():.2f} (1.2924^24 = {1.2924**24:.0f})"
)
