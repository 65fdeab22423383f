"""Graphs by hand: dense and sparse adjacency, lists of edges, data objects."""

import torch
import torch.nn.functional as F
from torch import nn


class GraphConvolution(nn.Module):
    def __init__(self, in_features, out_features):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(in_features, out_features) * 0.1)
        self.bias = nn.Parameter(torch.zeros(out_features))

    def forward(self, input, adj):
        return torch.spmm(adj, torch.mm(input, self.weight)) + self.bias


class GCN(nn.Module):
    """tkipf/pygcn"""

    def __init__(self, nfeat=30, nhid=16, nclass=7):
        super().__init__()
        self.gc1 = GraphConvolution(nfeat, nhid)
        self.gc2 = GraphConvolution(nhid, nclass)

    def forward(self, x, adj):
        x = F.relu(self.gc1(x, adj))
        x = F.dropout(x, 0.5, training=self.training)
        return F.log_softmax(self.gc2(x, adj), dim=1)


class GAT(nn.Module):
    def __init__(self, in_features=20, out_features=8):
        super().__init__()
        self.W = nn.Parameter(torch.randn(in_features, out_features) * 0.1)
        self.a = nn.Parameter(torch.randn(2 * out_features, 1) * 0.1)
        self.out_features = out_features

    def forward(self, h, adj):
        Wh = torch.mm(h, self.W)
        e = torch.matmul(Wh, self.a[: self.out_features]) + torch.matmul(Wh, self.a[self.out_features :]).T
        attention = torch.where(adj > 0, F.leaky_relu(e, 0.2), -9e15 * torch.ones_like(e))
        return F.elu(torch.matmul(F.softmax(attention, dim=1), Wh))


class BatchedGraph(nn.Module):
    """(batch, nodes, features) with (batch, nodes, nodes)."""

    def __init__(self):
        super().__init__()
        self.w = nn.Linear(9, 12)
        self.out = nn.Linear(12, 2)

    def forward(self, x, adj):
        assert x.dim() == 3 and adj.dim() == 3
        return self.out(torch.bmm(adj, F.relu(self.w(x))).mean(1))


class EdgeConv(nn.Module):
    def __init__(self, node=10, edge=4):
        super().__init__()
        self.node = nn.Linear(node, 16)
        self.edge = nn.Linear(edge, 16)
        self.out = nn.Linear(16, 3)

    def forward(self, x, edge_index, edge_attr):
        row, col = edge_index
        messages = F.relu(self.node(x)[row] + self.edge(edge_attr))
        aggregated = torch.zeros(x.size(0), 16).index_add_(0, col, messages)
        return self.out(aggregated)


class PooledGraph(nn.Module):
    """Several graphs in one: `batch` says which graph a node belongs to."""

    def __init__(self):
        super().__init__()
        self.lin1 = nn.Linear(11, 16)
        self.lin2 = nn.Linear(16, 16)
        self.head = nn.Linear(16, 2)

    def forward(self, x, edge_index, batch):
        src, dst = edge_index[0], edge_index[1]
        h = F.relu(self.lin1(x))
        h = h + torch.zeros_like(h).index_add(0, dst, self.lin2(h)[src])
        graphs = int(batch.max()) + 1
        pooled = torch.zeros(graphs, 16).index_add(0, batch, h)
        return self.head(pooled)


class DataGraph(nn.Module):
    """A data object in the manner of PyTorch Geometric."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Linear(13, 16)
        self.conv2 = nn.Linear(16, 4)

    def propagate(self, h, edge_index):
        return torch.zeros_like(h).index_add(0, edge_index[1], h[edge_index[0]])

    def forward(self, data):
        x, edge_index = data.x, data.edge_index
        x = F.relu(self.propagate(self.conv1(x), edge_index))
        return F.log_softmax(self.propagate(self.conv2(x), edge_index), dim=1)


class DataPooled(nn.Module):
    def __init__(self):
        super().__init__()
        self.atom = nn.Embedding(28, 16)
        self.bond = nn.Embedding(4, 16)
        self.head = nn.Linear(16, 1)

    def forward(self, data):
        h = self.atom(data.x)
        msg = h[data.edge_index[0]] + self.bond(data.edge_attr)
        h = h.index_add(0, data.edge_index[1], msg)
        out = torch.zeros(int(data.batch.max()) + 1, 16).index_add(0, data.batch, h)
        return self.head(out)


class SpatioTemporal(nn.Module):
    """(batch, channels, time, joints) and a fixed graph of 18 joints."""

    def __init__(self):
        super().__init__()
        self.register_buffer("A", torch.eye(18).repeat(3, 1, 1))
        self.bn = nn.BatchNorm1d(3 * 18)
        self.gcn = nn.Conv2d(3, 8 * 3, 1)
        self.tcn = nn.Conv2d(8, 8, (9, 1), padding=(4, 0))
        self.fc = nn.Conv2d(8, 10, 1)

    def forward(self, x):
        N, C, T, V = x.size()
        x = x.permute(0, 3, 1, 2).contiguous().view(N, V * C, T)
        x = self.bn(x).view(N, V, C, T).permute(0, 2, 3, 1).contiguous()
        x = self.gcn(x)
        n, kc, t, v = x.size()
        x = torch.einsum("nkctv,kvw->nctw", x.view(n, 3, kc // 3, t, v), self.A).contiguous()
        x = F.avg_pool2d(self.tcn(x), (T, V)).view(N, -1, 1, 1)
        return self.fc(x).view(N, -1)


class MessagePassing(nn.Module):
    """Embedded nodes, edges given as source and target."""

    def __init__(self):
        super().__init__()
        self.node_emb = nn.Embedding(20, 8)
        self.msg = nn.Linear(16, 8)
        self.update = nn.GRUCell(8, 8)

    def forward(self, nodes, src, dst):
        h = self.node_emb(nodes)
        m = self.msg(torch.cat([h[src], h[dst]], -1))
        return self.update(torch.zeros_like(h).index_add(0, dst, m), h)


MODELS = (GCN, GAT, BatchedGraph, EdgeConv, PooledGraph, DataGraph, DataPooled, SpatioTemporal, MessagePassing)
