# wild: no nn.Module at all, weights are tensors and the network is a function
# expect: message
import math
import numpy as np
import torch
import torch.nn.functional as F

torch.manual_seed(2147483647)
words = ['emma', 'olivia', 'ava', 'isabella', 'sophia', 'charlotte', 'mia', 'amelia']
chars = sorted(set(''.join(words)))
stoi = {s: i + 1 for i, s in enumerate(chars)}
stoi['.'] = 0
block_size = 3

X, Y = [], []
for w in words:
    context = [0] * block_size
    for ch in w + '.':
        X.append(context)
        Y.append(stoi[ch])
        context = context[1:] + [stoi[ch]]
X, Y = torch.tensor(X), torch.tensor(Y)

C = torch.randn((len(stoi), 10))
W1 = torch.randn((30, 200)) * (5 / 3) / math.sqrt(30)
b1 = torch.randn(200) * 0.01
W2 = torch.randn((200, len(stoi))) * 0.01
b2 = torch.zeros(len(stoi))
parameters = [C, W1, b1, W2, b2]
for p in parameters:
    p.requires_grad = True


def forward(ix):
    emb = C[ix].view(ix.shape[0], -1)
    h = torch.tanh(emb @ W1 + b1)
    return h @ W2 + b2


lossi = []
for i in range(1000):
    loss = F.cross_entropy(forward(X), Y)
    for p in parameters:
        p.grad = None
    loss.backward()
    for p in parameters:
        p.data += -0.1 * p.grad
    lossi.append(loss.log10().item())
print(loss.item(), np.mean(lossi))
