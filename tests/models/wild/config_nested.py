# wild: nested config (cfg.model.dim), from hydra, no instance in the file
# expect: checked
import logging

import hydra
import torch
from omegaconf import DictConfig, OmegaConf
from torch import nn

log = logging.getLogger(__name__)


class Mixer(nn.Module):
    def __init__(self, tokens, dim, token_dim, channel_dim):
        super().__init__()
        self.norm1 = nn.LayerNorm(dim)
        self.token = nn.Sequential(nn.Linear(tokens, token_dim), nn.GELU(), nn.Linear(token_dim, tokens))
        self.norm2 = nn.LayerNorm(dim)
        self.channel = nn.Sequential(nn.Linear(dim, channel_dim), nn.GELU(), nn.Linear(channel_dim, dim))

    def forward(self, x):
        x = x + self.token(self.norm1(x).transpose(1, 2)).transpose(1, 2)
        return x + self.channel(self.norm2(x))


class MLPMixer(nn.Module):
    def __init__(self, cfg: DictConfig):
        super().__init__()
        m = cfg.model
        assert cfg.data.image_size % m.patch_size == 0
        tokens = (cfg.data.image_size // m.patch_size) ** 2
        self.patch = nn.Conv2d(cfg.data.in_channels, m.dim, m.patch_size, stride=m.patch_size)
        self.blocks = nn.Sequential(*[Mixer(tokens, m.dim, m.token_dim, m.channel_dim) for _ in range(m.depth)])
        self.norm = nn.LayerNorm(m.dim)
        self.head = nn.Linear(m.dim, cfg.data.num_classes)

    def forward(self, images):
        x = self.patch(images).flatten(2).transpose(1, 2)
        return self.head(self.norm(self.blocks(x)).mean(1))


@hydra.main(config_path="conf", config_name="config")
def main(cfg: DictConfig):
    log.info(OmegaConf.to_yaml(cfg))
    torch.manual_seed(cfg.seed)
    model = MLPMixer(cfg).cuda()
    optimizer = hydra.utils.instantiate(cfg.optimizer, params=model.parameters())
    dataset = hydra.utils.instantiate(cfg.data.dataset)
    for epoch in range(cfg.trainer.epochs):
        for x, y in torch.utils.data.DataLoader(dataset, cfg.trainer.batch_size):
            loss = nn.functional.cross_entropy(model(x.cuda()), y.cuda())
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()


if __name__ == "__main__":
    main()
