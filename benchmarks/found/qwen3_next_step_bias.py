"""transformers 5: the gated delta layers of Qwen3-Next start with `dt_bias` = 1 instead of small steps (IC607).

Effect: the state is forgotten at once. Measured: the share of the state that each head keeps per step, as shipped and with steps
log-uniform in [0.001, 0.1], as the Mamba papers and the original code draw them.
"""

import math

import torch
from transformers import Qwen3NextConfig, Qwen3NextModel

torch.manual_seed(0)
config = Qwen3NextConfig(
    hidden_size=64, intermediate_size=64, num_hidden_layers=1, layer_types=["linear_attention"], num_experts=2, vocab_size=99
)
layer = Qwen3NextModel(config).layers[0].linear_attn
kept = torch.exp(-layer.A_log.exp() * torch.nn.functional.softplus(layer.dt_bias))
step = torch.exp(torch.empty(len(kept)).uniform_(math.log(0.001), math.log(0.1)))
print(
    f"dt_bias: {layer.dt_bias.unique().tolist()}; kept per step, median over {len(kept)} heads: {kept.median():.4f}, best head {kept.max():.3f}"
)
print(f"with small steps: median {torch.exp(-layer.A_log.exp() * step).median():.4f}")
