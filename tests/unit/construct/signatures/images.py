"""Images: fixed sizes, several images, generators, capsules, videos, points and rays."""

import torch
import torch.nn.functional as F
from torch import nn


class LeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 20, 5, 1)
        self.conv2 = nn.Conv2d(20, 50, 5, 1)
        self.fc1 = nn.Linear(4 * 4 * 50, 500)
        self.fc2 = nn.Linear(500, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2, 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2, 2)
        x = x.view(-1, 4 * 4 * 50)
        return F.log_softmax(self.fc2(F.relu(self.fc1(x))), dim=1)


class CifarNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 6, 5)
        self.pool = nn.MaxPool2d(2, 2)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(16 * 5 * 5, 120)
        self.fc2 = nn.Linear(120, 10)

    def forward(self, x):
        x = self.pool(F.relu(self.conv1(x)))
        x = self.pool(F.relu(self.conv2(x)))
        x = x.view(-1, 16 * 5 * 5)
        return self.fc2(F.relu(self.fc1(x)))


class AlexNet(nn.Module):
    def __init__(self, num_classes=10):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 96, kernel_size=11, stride=4),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(3, 2),
            nn.Conv2d(96, 64, 5, padding=2),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(3, 2),
            nn.Conv2d(64, 32, 3, padding=1),
            nn.MaxPool2d(3, 2),
        )
        self.classifier = nn.Sequential(nn.Dropout(), nn.Linear(32 * 6 * 6, 128), nn.ReLU(), nn.Linear(128, num_classes))

    def forward(self, x):
        x = self.features(x)
        x = x.view(x.size(0), 32 * 6 * 6)
        return self.classifier(x)


class Inception(nn.Module):
    """An average pooling of 8x8 that wants images of 299 pixels."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(3, 8, 3, stride=2), nn.Conv2d(8, 8, 3), nn.Conv2d(8, 16, 3, padding=1), nn.MaxPool2d(3, 2),
            nn.Conv2d(16, 16, 3), nn.MaxPool2d(3, 2), nn.Conv2d(16, 32, 3, stride=2), nn.Conv2d(32, 32, 3, stride=2),
        )  # fmt: skip
        self.fc = nn.Linear(32, 10)

    def forward(self, x):
        x = self.stem(x)
        x = F.avg_pool2d(x, kernel_size=8)
        x = x.view(x.size(0), -1)
        return self.fc(x)


class Emotions(nn.Module):
    def __init__(self):
        super().__init__()
        self.c1 = nn.Conv2d(1, 16, 3, padding=1)
        self.c2 = nn.Conv2d(16, 32, 3, padding=1)
        self.c3 = nn.Conv2d(32, 64, 3, padding=1)
        self.fc = nn.Linear(64 * 6 * 6, 7)

    def forward(self, x):
        for conv in (self.c1, self.c2, self.c3):
            x = F.max_pool2d(F.relu(conv(x)), 2)
        return self.fc(torch.flatten(x, 1))


class DQN(nn.Module):
    def __init__(self, n_actions=6):
        super().__init__()
        self.conv1 = nn.Conv2d(4, 32, kernel_size=8, stride=4)
        self.conv2 = nn.Conv2d(32, 64, kernel_size=4, stride=2)
        self.conv3 = nn.Conv2d(64, 64, kernel_size=3, stride=1)
        self.fc4 = nn.Linear(7 * 7 * 64, 512)
        self.fc5 = nn.Linear(512, n_actions)

    def forward(self, x):
        x = x.float() / 255
        x = F.relu(self.conv1(x))
        x = F.relu(self.conv2(x))
        x = F.relu(self.conv3(x))
        x = F.relu(self.fc4(x.view(x.size(0), -1)))
        return self.fc5(x)


class Plates(nn.Module):
    """Number plates of 24 x 94 pixels."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 3, padding=1)
        self.conv2 = nn.Conv2d(8, 16, 3, padding=1)
        self.fc = nn.Linear(16 * 6 * 23, 36)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = x.view(x.size(0), -1)
        return self.fc(x)


class CRNN(nn.Module):
    """Text lines of 32 pixels height and any width."""

    def __init__(self):
        super().__init__()
        self.cnn = nn.Sequential(
            nn.Conv2d(1, 16, 3, 1, 1), nn.ReLU(), nn.MaxPool2d(2, 2), nn.Conv2d(16, 32, 3, 1, 1), nn.ReLU(), nn.MaxPool2d(2, 2),
            nn.Conv2d(32, 32, 3, 1, 1), nn.MaxPool2d((2, 2), (2, 1), (0, 1)), nn.Conv2d(32, 64, 3, 1, 1),
            nn.MaxPool2d((2, 2), (2, 1), (0, 1)), nn.Conv2d(64, 64, 2, 1, 0), nn.ReLU(),
        )  # fmt: skip
        self.rnn = nn.LSTM(64, 32, bidirectional=True)
        self.out = nn.Linear(64, 37)

    def forward(self, x):
        conv = self.cnn(x)
        b, c, h, w = conv.size()
        assert h == 1, "the height of conv must be 1"
        conv = conv.squeeze(2)
        conv = conv.permute(2, 0, 1)
        return self.out(self.rnn(conv)[0])


class Siamese(nn.Module):
    def __init__(self):
        super().__init__()
        self.cnn1 = nn.Sequential(
            nn.ReflectionPad2d(1), nn.Conv2d(1, 4, 3), nn.ReLU(), nn.BatchNorm2d(4), nn.ReflectionPad2d(1), nn.Conv2d(4, 8, 3), nn.ReLU()
        )
        self.fc1 = nn.Sequential(nn.Linear(8 * 100 * 100, 32), nn.ReLU(), nn.Linear(32, 5))

    def forward_once(self, x):
        output = self.cnn1(x)
        output = output.view(output.size()[0], -1)
        return self.fc1(output)

    def forward(self, input1, input2):
        return self.forward_once(input1), self.forward_once(input2)


class Triplet(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 16))

    def forward(self, anchor, pos, neg):
        a, p, n = (self.embed(v) for v in (anchor, pos, neg))
        return F.relu((a - p).pow(2).sum(1) - (a - n).pow(2).sum(1) + 1.0).mean()


class DCGenerator(nn.Module):
    def __init__(self, nz=100, ngf=8, nc=3):
        super().__init__()
        self.main = nn.Sequential(
            nn.ConvTranspose2d(nz, ngf * 4, 4, 1, 0, bias=False), nn.BatchNorm2d(ngf * 4), nn.ReLU(True),
            nn.ConvTranspose2d(ngf * 4, ngf, 4, 2, 1, bias=False), nn.ReLU(True), nn.ConvTranspose2d(ngf, nc, 4, 2, 1), nn.Tanh(),
        )  # fmt: skip

    def forward(self, input):
        return self.main(input)


class Generator(nn.Module):
    def __init__(self):
        super().__init__()
        self.init_size = 8
        self.l1 = nn.Sequential(nn.Linear(100, 16 * self.init_size**2))
        self.conv_blocks = nn.Sequential(nn.BatchNorm2d(16), nn.Upsample(scale_factor=2), nn.Conv2d(16, 1, 3, padding=1), nn.Tanh())

    def forward(self, z):
        out = self.l1(z)
        out = out.view(out.shape[0], 16, self.init_size, self.init_size)
        return self.conv_blocks(out)


class ConditionalDiscriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.label_emb = nn.Embedding(10, 10)
        self.model = nn.Sequential(nn.Linear(784 + 10, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1), nn.Sigmoid())

    def forward(self, x, labels):
        x = x.view(x.size(0), 784)
        c = self.label_emb(labels)
        x = torch.cat([x, c], 1)
        return self.model(x).squeeze()


class ConditionalGenerator(nn.Module):
    def __init__(self):
        super().__init__()
        self.label_emb = nn.Embedding(10, 10)
        self.model = nn.Sequential(nn.Linear(110, 64), nn.LeakyReLU(0.2), nn.Linear(64, 784), nn.Tanh())

    def forward(self, noise, labels):
        gen_input = torch.cat((self.label_emb(labels), noise), -1)
        return self.model(gen_input).view(noise.size(0), 1, 28, 28)


class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.down1 = nn.Conv2d(3, 8, 3, padding=1)
        self.down2 = nn.Conv2d(8, 16, 3, padding=1)
        self.mid = nn.Conv2d(16, 16, 3, padding=1)
        self.up1 = nn.ConvTranspose2d(16, 16, 2, 2)
        self.up2 = nn.ConvTranspose2d(32, 8, 2, 2)
        self.out = nn.Conv2d(16, 1, 1)

    def forward(self, x):
        assert x.size(2) % 32 == 0 and x.size(3) % 32 == 0, "image size must be divisible by 32"
        d1 = F.relu(self.down1(x))
        d2 = F.relu(self.down2(F.max_pool2d(d1, 2)))
        m = F.relu(self.mid(F.max_pool2d(d2, 2)))
        u1 = torch.cat([self.up1(m), d2], dim=1)
        u2 = torch.cat([self.up2(u1), d1], dim=1)
        return self.out(u2)


class PatchEmbed(nn.Module):
    def __init__(self, img_size=64, patch=8, dim=32):
        super().__init__()
        self.img_size = (img_size, img_size)
        self.proj = nn.Conv2d(3, dim, patch, patch)

    def forward(self, x):
        B, C, H, W = x.shape
        assert H == self.img_size[0] and W == self.img_size[1], f"Input image size ({H}*{W}) doesn't match model ({self.img_size})."
        return self.proj(x).flatten(2).transpose(1, 2)


class ViT(nn.Module):
    def __init__(self):
        super().__init__()
        self.patch_embed = PatchEmbed()
        self.cls_token = nn.Parameter(torch.zeros(1, 1, 32))
        self.pos_embed = nn.Parameter(torch.randn(1, 65, 32) * 0.02)
        self.blocks = nn.ModuleList([nn.TransformerEncoderLayer(32, 4, 64, batch_first=True) for _ in range(2)])
        self.head = nn.Linear(32, 10)

    def forward(self, x):
        x = self.patch_embed(x)
        x = torch.cat((self.cls_token.expand(x.shape[0], -1, -1), x), dim=1) + self.pos_embed
        for blk in self.blocks:
            x = blk(x)
        return self.head(x[:, 0])


class RearrangedViT(nn.Module):
    """Patches cut by hand, the linear layer reads patch * patch * channels features."""

    def __init__(self, image=32, patch=4, dim=24):
        super().__init__()
        self.patch = patch
        self.to_embedding = nn.Linear(3 * patch * patch, dim)
        self.pos = nn.Parameter(torch.randn(1, (image // patch) ** 2, dim))
        self.head = nn.Linear(dim, 10)

    def forward(self, img):
        b, c, h, w = img.shape
        p = self.patch
        x = img.reshape(b, c, h // p, p, w // p, p).permute(0, 2, 4, 3, 5, 1).reshape(b, (h // p) * (w // p), p * p * c)
        return self.head((self.to_embedding(x) + self.pos).mean(1))


MODELS = (
    LeNet, CifarNet, AlexNet, Inception, Emotions, DQN, Plates, CRNN, Siamese, Triplet, DCGenerator, Generator, ConditionalDiscriminator,
    ConditionalGenerator, UNet, ViT, RearrangedViT,
)  # fmt: skip
