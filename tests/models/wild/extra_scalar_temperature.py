# wild: forward(x, temperature, hard=False), gumbel softmax with a python float
# expect: checked
import torch
import torch.nn as nn
import torch.nn.functional as F


def sample_gumbel(shape, eps=1e-20):
    U = torch.rand(shape)
    return -torch.log(-torch.log(U + eps) + eps)


def gumbel_softmax(logits, temperature, latent_dim, categorical_dim, hard=False):
    y = F.softmax((logits + sample_gumbel(logits.size()).to(logits.device)) / temperature, dim=-1)
    if not hard:
        return y.view(-1, latent_dim * categorical_dim)
    ind = y.argmax(dim=-1)
    y_hard = torch.zeros_like(y).view(-1, y.shape[-1]).scatter_(1, ind.view(-1, 1), 1).view(*y.shape)
    return ((y_hard - y).detach() + y).view(-1, latent_dim * categorical_dim)


class VAE_gumbel(nn.Module):
    def __init__(self, temp, latent_dim=30, categorical_dim=10):
        super(VAE_gumbel, self).__init__()
        self.fc1 = nn.Linear(784, 512)
        self.fc2 = nn.Linear(512, 256)
        self.fc3 = nn.Linear(256, latent_dim * categorical_dim)
        self.fc4 = nn.Linear(latent_dim * categorical_dim, 256)
        self.fc5 = nn.Linear(256, 512)
        self.fc6 = nn.Linear(512, 784)
        self.latent_dim, self.categorical_dim = latent_dim, categorical_dim
        self.temp = temp

    def encode(self, x):
        h1 = F.relu(self.fc1(x))
        h2 = F.relu(self.fc2(h1))
        return F.relu(self.fc3(h2))

    def decode(self, z):
        h4 = F.relu(self.fc4(z))
        h5 = F.relu(self.fc5(h4))
        return torch.sigmoid(self.fc6(h5))

    def forward(self, x, temp, hard=False):
        q = self.encode(x.view(-1, 784))
        q_y = q.view(q.size(0), self.latent_dim, self.categorical_dim)
        z = gumbel_softmax(q_y, temp, self.latent_dim, self.categorical_dim, hard)
        return self.decode(z), F.softmax(q_y, dim=-1).reshape(*q.size())


if __name__ == '__main__':
    temp = 1.0
    model = VAE_gumbel(temp)
    print(model)
