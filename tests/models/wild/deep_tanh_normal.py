# wild: a real fault: N(0, 1) weights in a tanh net, set by name in a loop over named_parameters in __main__
# expect: checked
# parameters: 30701
# fault: IC202
import torch
import torch.nn as nn
from tqdm import trange


class PINNBase(nn.Module):
    def __init__(self, layers):
        super().__init__()
        self.linears = nn.ModuleList([nn.Linear(layers[i], layers[i + 1]) for i in range(len(layers) - 1)])
        self.activation = torch.tanh

    def forward(self, x, t):
        u = torch.cat([x, t], dim=1)
        for lin in self.linears[:-1]:
            u = self.activation(lin(u))
        return self.linears[-1](u)


if __name__ == "__main__":
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    layers = [2, 100, 100, 100, 100, 1]
    net = PINNBase(layers).to(device)
    for name, p in net.named_parameters():
        if 'weight' in name:
            nn.init.normal_(p)
    x = torch.rand(500, 1, requires_grad=True, device=device)
    t = torch.rand(500, 1, requires_grad=True, device=device)
    opt = torch.optim.LBFGS(net.parameters(), lr=1.0, max_iter=5000)
    for _ in trange(10):
        u = net(x, t)
        u_t = torch.autograd.grad(u.sum(), t, create_graph=True)[0]
        u_x = torch.autograd.grad(u.sum(), x, create_graph=True)[0]
        loss = (u_t + u * u_x).pow(2).mean()
        opt.zero_grad()
        loss.backward()
        opt.step(lambda: loss)
