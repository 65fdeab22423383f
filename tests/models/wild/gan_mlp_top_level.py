# wild: trains at import, GAN of two Sequentials, mkdir and sample saving
# expect: checked
# parameters: 267009
import os
import torch
import torchvision
import torch.nn as nn
from torchvision import transforms
from torchvision.utils import save_image

device = torch.device('cuda' if torch.cuda.is_available() else 'cpu')
latent_size = 64
hidden_size = 256
image_size = 784
sample_dir = 'samples'
if not os.path.exists(sample_dir):
    os.makedirs(sample_dir)

transform = transforms.Compose([transforms.ToTensor(), transforms.Normalize(mean=[0.5], std=[0.5])])
mnist = torchvision.datasets.MNIST(root='../../data/', train=True, transform=transform, download=True)
data_loader = torch.utils.data.DataLoader(dataset=mnist, batch_size=100, shuffle=True)

# Discriminator
D = nn.Sequential(
    nn.Linear(image_size, hidden_size),
    nn.LeakyReLU(0.2),
    nn.Linear(hidden_size, hidden_size),
    nn.LeakyReLU(0.2),
    nn.Linear(hidden_size, 1),
    nn.Sigmoid())

# Generator
G = nn.Sequential(
    nn.Linear(latent_size, hidden_size),
    nn.ReLU(),
    nn.Linear(hidden_size, hidden_size),
    nn.ReLU(),
    nn.Linear(hidden_size, image_size),
    nn.Tanh())

D = D.to(device)
G = G.to(device)
criterion = nn.BCELoss()
d_optimizer = torch.optim.Adam(D.parameters(), lr=0.0002)
g_optimizer = torch.optim.Adam(G.parameters(), lr=0.0002)


def denorm(x):
    return ((x + 1) / 2).clamp(0, 1)


for epoch in range(200):
    for i, (images, _) in enumerate(data_loader):
        images = images.reshape(100, -1).to(device)
        real, fake = torch.ones(100, 1).to(device), torch.zeros(100, 1).to(device)
        d_loss = criterion(D(images), real) + criterion(D(G(torch.randn(100, latent_size).to(device))), fake)
        d_optimizer.zero_grad()
        d_loss.backward()
        d_optimizer.step()
        g_loss = criterion(D(G(torch.randn(100, latent_size).to(device))), real)
        g_optimizer.zero_grad()
        g_loss.backward()
        g_optimizer.step()
    save_image(denorm(G(torch.randn(100, latent_size)).view(-1, 1, 28, 28)), os.path.join(sample_dir, 'fake-{}.png'.format(epoch)))
torch.save(G.state_dict(), 'G.ckpt')
