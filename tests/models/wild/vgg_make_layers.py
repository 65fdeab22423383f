# wild: VGG built by functions from a list configuration, factory functions with progress and pretrained
# expect: checked
# parameters: 1065930
import torch
import torch.nn as nn
from torch.hub import load_state_dict_from_url

model_urls = {
    'vgg8': 'https://example.org/models/vgg8-397923af.pth',
    'vgg8_bn': 'https://example.org/models/vgg8_bn-abd245e5.pth',
}


class VGG(nn.Module):
    def __init__(self, features, num_classes=10, init_weights=True):
        super(VGG, self).__init__()
        self.features = features
        self.avgpool = nn.AdaptiveAvgPool2d((2, 2))
        self.classifier = nn.Sequential(
            nn.Linear(256 * 2 * 2, 512), nn.ReLU(True), nn.Dropout(),
            nn.Linear(512, num_classes))
        if init_weights:
            self._initialize_weights()

    def forward(self, x):
        x = self.avgpool(self.features(x))
        return self.classifier(torch.flatten(x, 1))

    def _initialize_weights(self):
        for m in self.modules():
            if isinstance(m, nn.Conv2d):
                nn.init.kaiming_normal_(m.weight, mode='fan_out', nonlinearity='relu')
                if m.bias is not None:
                    nn.init.constant_(m.bias, 0)
            elif isinstance(m, nn.BatchNorm2d):
                nn.init.constant_(m.weight, 1)
                nn.init.constant_(m.bias, 0)
            elif isinstance(m, nn.Linear):
                nn.init.normal_(m.weight, 0, 0.01)
                nn.init.constant_(m.bias, 0)


def make_layers(cfg, batch_norm=False):
    layers = []
    in_channels = 3
    for v in cfg:
        if v == 'M':
            layers += [nn.MaxPool2d(kernel_size=2, stride=2)]
        else:
            conv2d = nn.Conv2d(in_channels, v, kernel_size=3, padding=1)
            layers += [conv2d, nn.BatchNorm2d(v), nn.ReLU(inplace=True)] if batch_norm else [conv2d, nn.ReLU(inplace=True)]
            in_channels = v
    return nn.Sequential(*layers)


cfgs = {
    'D': [32, 'M', 64, 'M', 128, 128, 'M', 256, 'M'],
}


def _vgg(arch, cfg, batch_norm, pretrained, progress, **kwargs):
    if pretrained:
        kwargs['init_weights'] = False
    model = VGG(make_layers(cfgs[cfg], batch_norm=batch_norm), **kwargs)
    if pretrained:
        model.load_state_dict(load_state_dict_from_url(model_urls[arch], progress=progress))
    return model


def vgg8(pretrained=False, progress=True, **kwargs):
    return _vgg('vgg8', 'D', False, pretrained, progress, **kwargs)


def vgg8_bn(pretrained=False, progress=True, **kwargs):
    return _vgg('vgg8_bn', 'D', True, pretrained, progress, **kwargs)
