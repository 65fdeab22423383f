"""A critic whose every layer is spectrally normalized: what the tensors hold is rescaled at run time."""

from torch import nn
from torch.nn.utils.parametrizations import spectral_norm


def drawn(layer):
    nn.init.xavier_uniform_(layer.weight)
    return layer


class Critic(nn.Module):
    def __init__(self, width=32):
        super().__init__()
        self.layers = nn.Sequential(
            spectral_norm(drawn(nn.Conv2d(3, width, 3, 2, 1))),
            nn.LeakyReLU(0.1),
            spectral_norm(drawn(nn.Conv2d(width, 2 * width, 3, 2, 1))),
            nn.LeakyReLU(0.1),
            spectral_norm(drawn(nn.Conv2d(2 * width, 4 * width, 3, 2, 1))),
            nn.LeakyReLU(0.1),
        )
        self.head = spectral_norm(drawn(nn.Linear(4 * width, 1)))

    def forward(self, x):
        return self.head(self.layers(x).sum((2, 3)))


model = Critic()
