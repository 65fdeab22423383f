# wild: siamese network, forward(img1, img2), fixed 105x105 input through a flatten
# expect: checked
# parameters: 5021089
import torch
import torch.nn as nn
import torch.nn.functional as F
from PIL import Image
import torchvision.transforms as T

OMNIGLOT = 'E:/datasets/omniglot/python/images_background'


class Siamese(nn.Module):

    def __init__(self):
        super(Siamese, self).__init__()
        self.conv = nn.Sequential(
            nn.Conv2d(1, 32, 10),  # 32@96*96
            nn.ReLU(inplace=True),
            nn.MaxPool2d(2),  # 32@48*48
            nn.Conv2d(32, 64, 7),
            nn.ReLU(),    # 64@42*42
            nn.MaxPool2d(2),   # 64@21*21
            nn.Conv2d(64, 64, 4),
            nn.ReLU(),  # 64@18*18
            nn.MaxPool2d(2),  # 64@9*9
            nn.Conv2d(64, 128, 4),
            nn.ReLU(),   # 128@6*6
        )
        self.liner = nn.Sequential(nn.Linear(128 * 6 * 6, 1024), nn.Sigmoid())
        self.out = nn.Linear(1024, 1)

    def forward_one(self, x):
        x = self.conv(x)
        x = x.view(x.size()[0], -1)
        x = self.liner(x)
        return x

    def forward(self, x1, x2):
        out1 = self.forward_one(x1)
        out2 = self.forward_one(x2)
        dis = torch.abs(out1 - out2)
        out = self.out(dis)
        #  return self.sigmoid(out)
        return out


def load_image(path):
    return T.ToTensor()(Image.open(path).convert('L'))


# for test
if __name__ == '__main__':
    net = Siamese()
    print(net)
    print(list(net.parameters())[0].shape)
    a, b = load_image(OMNIGLOT + '/a.png'), load_image(OMNIGLOT + '/b.png')
    print(F.sigmoid(net(a[None], b[None])))
