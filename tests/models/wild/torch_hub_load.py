# wild: the backbone comes from torch.hub.load, a repository that is not there
# expect: message
import argparse
import torch
import torch.nn as nn

parser = argparse.ArgumentParser('linear probe')
parser.add_argument('--arch', default='dinov2_vits14')
parser.add_argument('--n_last_blocks', default=4, type=int)
parser.add_argument('--num_labels', default=1000, type=int)
args = parser.parse_args()

backbone = torch.hub.load('facebookresearch/dinov2', args.arch)
backbone.cuda()
backbone.eval()


class LinearProbe(nn.Module):
    def __init__(self, backbone, num_labels):
        super().__init__()
        self.backbone = backbone
        self.linear = nn.Linear(backbone.embed_dim, num_labels)
        self.linear.weight.data.normal_(mean=0.0, std=0.01)
        self.linear.bias.data.zero_()

    def forward(self, x):
        with torch.no_grad():
            feats = self.backbone(x)
        return self.linear(feats)


model = LinearProbe(backbone, args.num_labels).cuda()
optimizer = torch.optim.SGD(model.linear.parameters(), 0.001, momentum=0.9)
print(f"Data loaded with {args.num_labels} labels.")
