# wild: num_classes computed from os.listdir of a folder that is not there
# expect: checked
import os
import random
import torch
import torch.nn as nn
from PIL import Image
from torchvision import transforms

DATA = 'data/train'
classes = sorted(os.listdir(DATA))
num_classes = len(classes)
class_to_idx = {c: i for i, c in enumerate(classes)}
print(num_classes, 'classes:', classes)

BATCH_SIZE = 32
IMG_SIZE = 128


class FoodNet(nn.Module):
    def __init__(self, n_out):
        super(FoodNet, self).__init__()
        self.conv = nn.Sequential(
            nn.Conv2d(3, 32, 3), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(64, 128, 3), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(128, 128, 3), nn.ReLU(), nn.MaxPool2d(2),
        )
        self.fc = nn.Sequential(nn.Dropout(0.5), nn.Linear(128 * 6 * 6, 512), nn.ReLU(), nn.Linear(512, n_out))

    def forward(self, x):
        x = self.conv(x)
        x = x.reshape(-1, 128 * 6 * 6)
        return self.fc(x)


def get_batch():
    xs, ys = [], []
    for _ in range(BATCH_SIZE):
        c = random.choice(classes)
        f = random.choice(os.listdir(os.path.join(DATA, c)))
        xs.append(transforms.ToTensor()(Image.open(os.path.join(DATA, c, f)).resize((IMG_SIZE, IMG_SIZE))))
        ys.append(class_to_idx[c])
    return torch.stack(xs), torch.tensor(ys)


model = FoodNet(num_classes)
if torch.cuda.device_count() > 0:
    model = model.cuda()
opt = torch.optim.RMSprop(model.parameters(), lr=1e-4)
while True:
    x, y = get_batch()
    loss = nn.CrossEntropyLoss()(model(x), y)
    opt.zero_grad()
    loss.backward()
    opt.step()
    print(loss.item())
