# wild: DataParallel over hard-coded GPU ids at top level, cudnn, two-layer class
# expect: checked
# parameters: 146688
import os
os.environ["CUDA_DEVICE_ORDER"] = "PCI_BUS_ID"
os.environ["CUDA_VISIBLE_DEVICES"] = "0,1,2,3"
import torch
import torch.nn as nn
import torch.backends.cudnn as cudnn

GPUS = [0, 1, 2, 3]


class DnCNN(nn.Module):
    def __init__(self, channels=1, num_of_layers=9):
        super(DnCNN, self).__init__()
        features = 48
        layers = [nn.Conv2d(channels, features, 3, padding=1, bias=False), nn.ReLU(inplace=True)]
        for _ in range(num_of_layers - 2):
            layers.append(nn.Conv2d(features, features, 3, padding=1, bias=False))
            layers.append(nn.BatchNorm2d(features))
            layers.append(nn.ReLU(inplace=True))
        layers.append(nn.Conv2d(features, channels, 3, padding=1, bias=False))
        self.dncnn = nn.Sequential(*layers)

    def forward(self, x):
        out = self.dncnn(x)
        return out


def weights_init_kaiming(m):
    classname = m.__class__.__name__
    if classname.find('Conv') != -1:
        nn.init.kaiming_normal_(m.weight.data, a=0, mode='fan_in')
    elif classname.find('BatchNorm') != -1:
        m.weight.data.normal_(mean=0, std=(2. / 9. / 48.) ** 0.5).clamp_(-0.025, 0.025)
        nn.init.constant_(m.bias.data, 0.0)


cudnn.benchmark = True
net = DnCNN(channels=1, num_of_layers=9)
net.apply(weights_init_kaiming)
criterion = nn.MSELoss(reduction='sum')
model = nn.DataParallel(net, device_ids=GPUS).cuda()
criterion.cuda()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
noise = torch.FloatTensor(128, 1, 40, 40).normal_(mean=0, std=25 / 255.).cuda()
for epoch in range(50):
    print(model(noise).mean())
