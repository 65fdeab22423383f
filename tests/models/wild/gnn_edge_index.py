# wild: message passing by hand, forward(x, edge_index) with scatter
# expect: checked
# parameters: 117121
import torch
import torch.nn as nn


class EdgeConv(nn.Module):
    def __init__(self, in_dim, out_dim):
        super().__init__()
        self.message = nn.Sequential(nn.Linear(2 * in_dim, out_dim), nn.ReLU(), nn.Linear(out_dim, out_dim))
        self.update = nn.GRUCell(out_dim, in_dim)

    def forward(self, x, edge_index):
        src, dst = edge_index[0], edge_index[1]
        m = self.message(torch.cat([x[src], x[dst]], dim=-1))
        agg = torch.zeros(x.size(0), m.size(1), device=x.device, dtype=m.dtype)
        agg.index_add_(0, dst, m)
        return self.update(agg, x)


class MPNN(nn.Module):
    """num_nodes x node_dim features, edge_index is [2, num_edges] (long)."""

    def __init__(self, node_dim=11, hidden=64, steps=3, out=1):
        super().__init__()
        self.embed = nn.Linear(node_dim, hidden)
        self.convs = nn.ModuleList([EdgeConv(hidden, hidden) for _ in range(steps)])
        self.readout = nn.Sequential(nn.Linear(hidden, hidden), nn.Softplus(), nn.Linear(hidden, out))

    def forward(self, x, edge_index, batch=None):
        h = self.embed(x)
        for conv in self.convs:
            h = conv(h, edge_index)
        if batch is None:
            batch = torch.zeros(h.size(0), dtype=torch.long, device=h.device)
        g = torch.zeros(int(batch.max()) + 1, h.size(1), device=h.device).index_add_(0, batch, h)
        return self.readout(g)


if __name__ == '__main__':
    import sys
    print('use train_qm9.py', file=sys.stderr)
