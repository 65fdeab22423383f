# wild: 3-D convolutions on video clips, fc size fixed by 16x112x112 clips
# expect: checked
# parameters: 757797
import torch
import torch.nn as nn


class C3D(nn.Module):
    """
    Small C3D.  Input: (batch, 3, 16, 112, 112)
    """

    def __init__(self, num_classes=101, pretrained=False):
        super(C3D, self).__init__()
        self.conv1 = nn.Conv3d(3, 16, kernel_size=(3, 3, 3), padding=(1, 1, 1))
        self.pool1 = nn.MaxPool3d(kernel_size=(1, 2, 2), stride=(1, 2, 2))
        self.conv2 = nn.Conv3d(16, 32, kernel_size=(3, 3, 3), padding=(1, 1, 1))
        self.pool2 = nn.MaxPool3d(kernel_size=(2, 2, 2), stride=(2, 2, 2))
        self.conv3a = nn.Conv3d(32, 64, kernel_size=(3, 3, 3), padding=(1, 1, 1))
        self.pool3 = nn.MaxPool3d(kernel_size=(2, 2, 2), stride=(2, 2, 2))
        self.conv4a = nn.Conv3d(64, 64, kernel_size=(3, 3, 3), padding=(1, 1, 1))
        self.pool4 = nn.MaxPool3d(kernel_size=(2, 2, 2), stride=(2, 2, 2))
        self.pool5 = nn.MaxPool3d(kernel_size=(2, 2, 2), stride=(2, 2, 2), padding=(0, 1, 1))
        self.fc6 = nn.Linear(1024, 512)
        self.fc8 = nn.Linear(512, num_classes)
        self.dropout = nn.Dropout(p=0.5)
        self.relu = nn.ReLU()
        self.__init_weight()
        if pretrained:
            self.__load_pretrained_weights()

    def forward(self, x):
        x = self.pool1(self.relu(self.conv1(x)))
        x = self.pool2(self.relu(self.conv2(x)))
        x = self.pool3(self.relu(self.conv3a(x)))
        x = self.pool4(self.relu(self.conv4a(x)))
        x = self.pool5(x)
        x = x.view(-1, 1024)
        x = self.dropout(self.relu(self.fc6(x)))
        return self.fc8(x)

    def __load_pretrained_weights(self):
        p_dict = torch.load('/path/to/ucf101-caffe.pth')
        self.load_state_dict(p_dict, strict=False)

    def __init_weight(self):
        for m in self.modules():
            if isinstance(m, nn.Conv3d):
                # n = m.kernel_size[0] * m.kernel_size[1] * m.kernel_size[2] * m.out_channels
                torch.nn.init.kaiming_normal_(m.weight)
            elif isinstance(m, nn.BatchNorm3d):
                m.weight.data.fill_(1)
                m.bias.data.zero_()


def get_1x_lr_params(model):
    for b in [model.conv1, model.conv2, model.conv3a, model.conv4a, model.fc6]:
        for k in b.parameters():
            if k.requires_grad:
                yield k


if __name__ == "__main__":
    inputs = torch.rand(1, 3, 16, 112, 112)
    net = C3D(num_classes=101, pretrained=True)
    outputs = net.forward(inputs)
    print(outputs.size())
