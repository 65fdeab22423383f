# wild: init by a loop over modules at top level, script trains below
# expect: checked
# parameters: 94538
import torch
import torch.nn as nn
import torch.nn.functional as F
import torchvision.transforms as T
from torchvision.datasets import CIFAR10


class ConvNet(nn.Module):
    def __init__(self):
        super(ConvNet, self).__init__()
        self.conv1 = nn.Conv2d(3, 32, 3, padding=1)
        self.conv2 = nn.Conv2d(32, 64, 3, padding=1)
        self.conv3 = nn.Conv2d(64, 128, 3, padding=1)

        self.fc = nn.Linear(128, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = F.relu(self.conv3(x))
        x = F.adaptive_avg_pool2d(x, 1)
        return self.fc(x.flatten(1))


model = ConvNet()
for m in model.modules():
    if isinstance(m, (nn.Conv2d, nn.Linear)):
        nn.init.kaiming_normal_(m.weight, nonlinearity='relu')
        nn.init.constant_(m.bias, 0)
nn.init.normal_(model.fc.weight, std=0.01)

device = 'cuda:0'
model.to(device)
data = CIFAR10('~/datasets', train=True, download=False, transform=T.ToTensor())
loader = torch.utils.data.DataLoader(data, batch_size=256, num_workers=8, pin_memory=True)
opt = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=1e-2)
best = 0
for ep in range(30):
    for xb, yb in loader:
        opt.zero_grad()
        loss = F.cross_entropy(model(xb.to(device)), yb.to(device))
        loss.backward()
        opt.step()
    print(ep, loss.item())
