# wild: multi-task face network, returns a dict of outputs, losses weighted by learned log-variances
# expect: checked
# parameters: 218516
import torch
import torch.nn as nn

AGE_BINS = 8
GENDERS = 2
RACES = 5


class FaceAttributes(nn.Module):
    def __init__(self, in_ch=3, width=48, p=0.25):
        super().__init__()
        w = width
        self.trunk = nn.Sequential(
            nn.Conv2d(in_ch, w, 7, 2, 3), nn.BatchNorm2d(w), nn.ReLU(), nn.MaxPool2d(3, 2, 1),
            nn.Conv2d(w, 2 * w, 3, 1, 1), nn.BatchNorm2d(2 * w), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(2 * w, 4 * w, 3, 1, 1), nn.BatchNorm2d(4 * w), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.heads = nn.ModuleDict({
            'age': nn.Sequential(nn.Dropout(p), nn.Linear(4 * w, AGE_BINS)),
            'gender': nn.Sequential(nn.Dropout(p), nn.Linear(4 * w, GENDERS)),
            'race': nn.Sequential(nn.Dropout(p), nn.Linear(4 * w, RACES)),
            'age_years': nn.Linear(4 * w, 1),
        })
        self.log_vars = nn.Parameter(torch.zeros(len(self.heads)))

    def forward(self, image):
        z = self.trunk(image)
        out = {name: head(z) for name, head in self.heads.items()}
        out['age_years'] = out['age_years'].squeeze(1)
        out['embedding'] = z.detach()
        return out

    def loss(self, out, batch):
        parts = [nn.functional.cross_entropy(out[k], batch[k]) for k in ('age', 'gender', 'race')]
        parts.append(nn.functional.smooth_l1_loss(out['age_years'], batch['age_years']))
        return sum(torch.exp(-s) * p + s for s, p in zip(self.log_vars, parts))


if __name__ == '__main__':
    net = FaceAttributes().cuda()
    # net.load_state_dict(torch.load('face_v2_best.pth'))
    for name, param in net.named_parameters():
        print(name, tuple(param.shape))
