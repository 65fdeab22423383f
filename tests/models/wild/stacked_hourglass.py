# wild: stacked hourglass, recursive modules, intermediate supervision returns a stacked tensor
# expect: checked
import torch
from torch import nn

Pool = nn.MaxPool2d


class Conv(nn.Module):
    def __init__(self, inp_dim, out_dim, kernel_size=3, stride=1, bn=False, relu=True):
        super(Conv, self).__init__()
        self.inp_dim = inp_dim
        self.conv = nn.Conv2d(inp_dim, out_dim, kernel_size, stride, padding=(kernel_size - 1) // 2, bias=True)
        self.relu = nn.ReLU() if relu else None
        self.bn = nn.BatchNorm2d(out_dim) if bn else None

    def forward(self, x):
        assert x.size()[1] == self.inp_dim, "{} {}".format(x.size()[1], self.inp_dim)
        x = self.conv(x)
        if self.bn is not None:
            x = self.bn(x)
        if self.relu is not None:
            x = self.relu(x)
        return x


class Residual(nn.Module):
    def __init__(self, inp_dim, out_dim):
        super(Residual, self).__init__()
        self.bn1, self.conv1 = nn.BatchNorm2d(inp_dim), Conv(inp_dim, out_dim // 2, 1, relu=False)
        self.bn2, self.conv2 = nn.BatchNorm2d(out_dim // 2), Conv(out_dim // 2, out_dim // 2, 3, relu=False)
        self.bn3, self.conv3 = nn.BatchNorm2d(out_dim // 2), Conv(out_dim // 2, out_dim, 1, relu=False)
        self.skip_layer = Conv(inp_dim, out_dim, 1, relu=False) if inp_dim != out_dim else nn.Identity()

    def forward(self, x):
        out = self.conv1(torch.relu(self.bn1(x)))
        out = self.conv2(torch.relu(self.bn2(out)))
        return self.conv3(torch.relu(self.bn3(out))) + self.skip_layer(x)


class Hourglass(nn.Module):
    def __init__(self, n, f):
        super(Hourglass, self).__init__()
        self.up1, self.pool1, self.low1 = Residual(f, f), Pool(2, 2), Residual(f, f)
        self.low2 = Hourglass(n - 1, f) if n > 1 else Residual(f, f)
        self.low3 = Residual(f, f)
        self.up2 = nn.Upsample(scale_factor=2, mode='nearest')

    def forward(self, x):
        return self.up1(x) + self.up2(self.low3(self.low2(self.low1(self.pool1(x)))))


class PoseNet(nn.Module):
    def __init__(self, nstack, inp_dim, oup_dim):
        super(PoseNet, self).__init__()
        self.nstack = nstack
        self.pre = nn.Sequential(Conv(3, 32, 7, 2, bn=True), Residual(32, 64), Pool(2, 2), Residual(64, inp_dim))
        self.hgs = nn.ModuleList([nn.Sequential(Hourglass(3, inp_dim)) for _ in range(nstack)])
        self.features = nn.ModuleList([nn.Sequential(Residual(inp_dim, inp_dim), Conv(inp_dim, inp_dim, 1, bn=True)) for _ in range(nstack)])
        self.outs = nn.ModuleList([Conv(inp_dim, oup_dim, 1, relu=False, bn=False) for _ in range(nstack)])
        self.merge_features = nn.ModuleList([Conv(inp_dim, inp_dim, 1, relu=False) for _ in range(nstack - 1)])
        self.merge_preds = nn.ModuleList([Conv(oup_dim, inp_dim, 1, relu=False) for _ in range(nstack - 1)])

    def forward(self, imgs):
        x = imgs.permute(0, 3, 1, 2)  # x of size 1,3,inpdim,inpdim
        x = self.pre(x)
        combined_hm_preds = []
        for i in range(self.nstack):
            feature = self.features[i](self.hgs[i](x))
            preds = self.outs[i](feature)
            combined_hm_preds.append(preds)
            if i < self.nstack - 1:
                x = x + self.merge_preds[i](preds) + self.merge_features[i](feature)
        return torch.stack(combined_hm_preds, 1)
