# wild: student script with a real fault: the weights of two hidden layers are constant
# expect: checked
# parameters: 4929
# fault: IC302
import torch
import torch.nn as nn
import matplotlib.pyplot as plt

n_in, n_h, n_out, batch_size = 10, 64, 1, 200
x = torch.randn(batch_size, n_in)
y = (x[:, :1] * x[:, 1:2] > 0).float()

model = nn.Sequential(nn.Linear(n_in, n_h), nn.ReLU(), nn.Linear(n_h, n_h), nn.ReLU(), nn.Linear(n_h, n_out), nn.Sigmoid())

# my own init, so that every run is the same
for layer in model:
    if isinstance(layer, nn.Linear):
        layer.weight.data.fill_(0.01)
        layer.bias.data.fill_(0.0)
print(model)

loss_fn = torch.nn.BCELoss()
opt = torch.optim.SGD(model.parameters(), lr=0.01)
losses = []
for epoch in range(500):
    pred_y = model(x)
    loss = loss_fn(pred_y, y)
    losses.append(loss.item())
    model.zero_grad()
    loss.backward()
    opt.step()

plt.plot(losses)
plt.ylabel('loss')
plt.xlabel('epoch')
plt.title("why does it not learn???")
plt.savefig('loss.png')
