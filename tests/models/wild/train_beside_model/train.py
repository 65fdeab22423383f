# wild: train.py that does `from model import Net` and `from utils import *` next to it, trains at top level
# expect: checked
# parameters: 104213
import torch
import torch.nn.functional as F
from model import Net
from utils import *

config = load_config()
model = Net(n_mfcc=config['n_mfcc'], hidden=config['hidden'], n_speakers=12)
model = to_device(model)
optimizer = torch.optim.Adam(model.parameters(), lr=config['lr'])

x_train, y_train = load_features('features/train.npz')
for epoch in range(config['epochs']):
    for i in range(0, len(x_train), 32):
        loss = F.cross_entropy(model(to_device(x_train[i:i + 32])), to_device(y_train[i:i + 32]))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print(epoch, loss.item())
torch.save(model, 'speaker.pth')
