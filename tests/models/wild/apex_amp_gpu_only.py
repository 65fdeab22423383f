# wild: apex amp, asserts a GPU, cudnn flags and set_device at top level
# expect: checked
# parameters: 372042
import os
import torch
import torch.nn as nn
import torch.backends.cudnn as cudnn
from apex import amp
from apex.parallel import DistributedDataParallel as DDP

assert torch.cuda.is_available(), 'this code needs a GPU'
torch.backends.cudnn.benchmark = True
cudnn.deterministic = False
gpu = int(os.environ.get('LOCAL_RANK', 0))
torch.cuda.set_device(gpu)
device = torch.device('cuda', gpu)
print('running on', torch.cuda.get_device_name(gpu))


class Inverted(nn.Module):
    def __init__(self, inp, oup, stride, t):
        super(Inverted, self).__init__()
        h = inp * t
        self.use_res = stride == 1 and inp == oup
        self.conv = nn.Sequential(
            nn.Conv2d(inp, h, 1, bias=False), nn.BatchNorm2d(h), nn.ReLU6(inplace=True),
            nn.Conv2d(h, h, 3, stride, 1, groups=h, bias=False), nn.BatchNorm2d(h), nn.ReLU6(inplace=True),
            nn.Conv2d(h, oup, 1, bias=False), nn.BatchNorm2d(oup))

    def forward(self, x):
        return x + self.conv(x) if self.use_res else self.conv(x)


class SmallMobile(nn.Module):
    cfg = [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 3, 2), (6, 96, 2, 1)]

    def __init__(self, n_class=10):
        super(SmallMobile, self).__init__()
        feats = [nn.Conv2d(3, 32, 3, 1, 1, bias=False), nn.BatchNorm2d(32), nn.ReLU6(inplace=True)]
        c = 32
        for t, oc, n, s in self.cfg:
            for i in range(n):
                feats.append(Inverted(c, oc, s if i == 0 else 1, t))
                c = oc
        self.features = nn.Sequential(*feats)
        self.classifier = nn.Linear(c, n_class)

    def forward(self, x):
        return self.classifier(self.features(x).mean([2, 3]))


model = SmallMobile().to(device)
optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, weight_decay=4e-5)
model, optimizer = amp.initialize(model, optimizer, opt_level='O1')
scaler = torch.cuda.amp.GradScaler()

for it in range(1000):
    x = torch.randn(64, 3, 32, 32, device=device)
    y = torch.randint(0, 10, (64,), device=device)
    loss = nn.functional.cross_entropy(model(x), y)
    with amp.scale_loss(loss, optimizer) as scaled:
        scaled.backward()
    optimizer.step()
    optimizer.zero_grad()
