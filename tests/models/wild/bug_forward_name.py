# wild: author's bug in forward, an undefined name
# expect: message
import torch
from torch import nn


class ECGNet(nn.Module):
    def __init__(self, n_leads=12, n_filters=32, n_classes=5):
        super().__init__()
        self.conv1 = nn.Conv1d(n_leads, n_filters, 15, padding=7)
        self.conv2 = nn.Conv1d(n_filters, n_filters * 2, 15, padding=7)
        self.bn1 = nn.BatchNorm1d(n_filters)
        self.bn2 = nn.BatchNorm1d(n_filters * 2)
        self.fc = nn.Linear(n_filters * 2, n_classes)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        x = F.relu(self.bn2(self.conv2(x)))
        x = F.adaptive_avg_pool1d(x, 1).squeeze(-1)
        return self.fc(x)


if __name__ == '__main__':
    from torch.utils.tensorboard import SummaryWriter
    writer = SummaryWriter()
    model = ECGNet()
    writer.add_graph(model, torch.randn(1, 12, 5000))
