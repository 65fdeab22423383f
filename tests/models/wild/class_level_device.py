# wild: class-level DEVICE = torch.device("cuda:0"), tensors created on it in __init__ and forward
# expect: checked
# parameters: 108771
import torch
import torch.nn as nn
import torch.nn.functional as F


class HyperParams:
    DEVICE = torch.device("cuda:0")
    N_CODES = 64
    CODE_DIM = 32


class VQAutoencoder(nn.Module):
    DEVICE = torch.device("cuda:0")

    def __init__(self):
        super().__init__()
        self.enc = nn.Sequential(
            nn.Conv2d(3, 64, 4, 2, 1), nn.ReLU(),
            nn.Conv2d(64, 64, 4, 2, 1), nn.ReLU(),
            nn.Conv2d(64, HyperParams.CODE_DIM, 1)).to(self.DEVICE)
        self.codebook = nn.Embedding(HyperParams.N_CODES, HyperParams.CODE_DIM, device=HyperParams.DEVICE)
        self.codebook.weight.data.uniform_(-1.0 / HyperParams.N_CODES, 1.0 / HyperParams.N_CODES)
        self.dec = nn.Sequential(
            nn.ConvTranspose2d(HyperParams.CODE_DIM, 64, 4, 2, 1), nn.ReLU(),
            nn.ConvTranspose2d(64, 3, 4, 2, 1)).to(self.DEVICE)
        self.usage = torch.zeros(HyperParams.N_CODES, device=self.DEVICE)

    def quantize(self, z):
        flat = z.permute(0, 2, 3, 1).reshape(-1, z.size(1))
        d = flat.pow(2).sum(1, keepdim=True) - 2 * flat @ self.codebook.weight.t() + self.codebook.weight.pow(2).sum(1)
        idx = d.argmin(1)
        q = self.codebook(idx).view(z.size(0), z.size(2), z.size(3), z.size(1)).permute(0, 3, 1, 2)
        loss = F.mse_loss(q, z.detach()) + 0.25 * F.mse_loss(z, q.detach())
        return z + (q - z).detach(), loss

    def forward(self, x):
        x = x.to(self.DEVICE)
        noise = torch.randn(x.shape, device=self.DEVICE) * 0.01
        q, vq_loss = self.quantize(self.enc(x + noise))
        return self.dec(q), vq_loss


if __name__ == "__main__":
    with torch.cuda.device(0):
        print(VQAutoencoder()(torch.randn(4, 3, 32, 32).cuda())[0].shape)
