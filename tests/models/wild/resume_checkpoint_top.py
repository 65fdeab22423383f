# wild: torch.load('checkpoint.pth') and load_state_dict at top level to resume
# expect: checked
# parameters: 59657
import torch
import torch.nn as nn
import torch.nn.functional as F


class SRNet(nn.Module):
    def __init__(self, upscale_factor=3):
        super(SRNet, self).__init__()
        self.conv1 = nn.Conv2d(1, 64, (5, 5), (1, 1), (2, 2))
        self.conv2 = nn.Conv2d(64, 64, (3, 3), (1, 1), (1, 1))
        self.conv3 = nn.Conv2d(64, 32, (3, 3), (1, 1), (1, 1))
        self.conv4 = nn.Conv2d(32, upscale_factor ** 2, (3, 3), (1, 1), (1, 1))
        self.pixel_shuffle = nn.PixelShuffle(upscale_factor)
        self._initialize_weights()

    def forward(self, x):
        x = torch.tanh(self.conv1(x))
        x = torch.tanh(self.conv2(x))
        x = torch.tanh(self.conv3(x))
        return torch.sigmoid(self.pixel_shuffle(self.conv4(x)))

    def _initialize_weights(self):
        nn.init.orthogonal_(self.conv1.weight, nn.init.calculate_gain('tanh'))
        nn.init.orthogonal_(self.conv2.weight, nn.init.calculate_gain('tanh'))
        nn.init.orthogonal_(self.conv3.weight, nn.init.calculate_gain('tanh'))
        nn.init.orthogonal_(self.conv4.weight)


start_epoch = 0
model = SRNet(upscale_factor=3)
checkpoint = torch.load('checkpoint.pth', map_location='cpu')
model.load_state_dict(checkpoint['state_dict'])
start_epoch = checkpoint['epoch'] + 1
model = model.cuda()
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
optimizer.load_state_dict(checkpoint['optimizer'])
print('resumed from epoch', start_epoch)

for epoch in range(start_epoch, 100):
    lr_img, hr_img = torch.load('patches/%03d.pt' % epoch)
    loss = F.mse_loss(model(lr_img.cuda()), hr_img.cuda())
    loss.backward()
    optimizer.step()
    torch.save({'state_dict': model.state_dict(), 'epoch': epoch, 'optimizer': optimizer.state_dict()}, 'checkpoint.pth')
