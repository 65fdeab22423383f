"""Control, graphs and tables in the second set."""

import torch
import torch.nn.functional as F
from torch import nn


class DLRM(nn.Module):
    def __init__(self):
        super().__init__()
        self.bot = nn.Sequential(nn.Linear(13, 8), nn.ReLU())
        self.emb_l = nn.ModuleList([nn.EmbeddingBag(n, 8, mode="sum") for n in (30, 5, 80)])
        self.top = nn.Sequential(nn.Linear(8 * 4, 8), nn.ReLU(), nn.Linear(8, 1))

    def forward(self, dense_x, lS_o, lS_i):
        x = self.bot(dense_x)
        ly = [emb(lS_i[k], lS_o[k]) for k, emb in enumerate(self.emb_l)]
        return self.top(torch.cat([x, *ly], dim=1))


class DeepFM(nn.Module):
    def __init__(self, sizes=(11, 6, 40)):
        super().__init__()
        self.first = nn.ModuleList([nn.Embedding(n, 1) for n in sizes])
        self.second = nn.ModuleList([nn.Embedding(n, 4) for n in sizes])
        self.deep = nn.Linear(12, 1)

    def forward(self, Xi, Xv):
        first = torch.cat([(torch.sum(emb(Xi[:, i, :]), 1).t() * Xv[:, i]).t() for i, emb in enumerate(self.first)], 1)
        second = [(torch.sum(emb(Xi[:, i, :]), 1).t() * Xv[:, i]).t() for i, emb in enumerate(self.second)]
        return first.sum(1) + self.deep(torch.cat(second, 1)).squeeze(1)


class WorldModel(nn.Module):
    def __init__(self, latents=32, actions=3, hiddens=24, gaussians=5):
        super().__init__()
        self.rnn = nn.LSTM(latents + actions, hiddens)
        self.gmm = nn.Linear(hiddens, (2 * latents + 1) * gaussians + 2)

    def forward(self, actions, latents):
        seq_len, bs = actions.size(0), actions.size(1)
        ins = torch.cat([actions, latents], dim=-1)
        outs, _ = self.rnn(ins)
        return self.gmm(outs).view(seq_len, bs, -1)


class QMixer(nn.Module):
    def __init__(self, agents=3, state=10, embed=8):
        super().__init__()
        self.n_agents, self.state_dim, self.embed_dim = agents, state, embed
        self.hyper_w_1 = nn.Linear(state, embed * agents)
        self.hyper_b_1 = nn.Linear(state, embed)
        self.hyper_w_final = nn.Linear(state, embed)

    def forward(self, agent_qs, states):
        bs = agent_qs.size(0)
        states = states.reshape(-1, self.state_dim)
        agent_qs = agent_qs.view(-1, 1, self.n_agents)
        w1 = torch.abs(self.hyper_w_1(states)).view(-1, self.n_agents, self.embed_dim)
        hidden = F.elu(torch.bmm(agent_qs, w1) + self.hyper_b_1(states).view(-1, 1, self.embed_dim))
        return torch.bmm(hidden, torch.abs(self.hyper_w_final(states)).view(-1, self.embed_dim, 1)).view(bs, -1, 1)


class DecisionTransformer(nn.Module):
    def __init__(self, state_dim=11, act_dim=3, hidden=24, max_ep=100):
        super().__init__()
        self.embed_timestep = nn.Embedding(max_ep, hidden)
        self.embed_return = nn.Linear(1, hidden)
        self.embed_state = nn.Linear(state_dim, hidden)
        self.embed_action = nn.Linear(act_dim, hidden)
        self.block = nn.TransformerEncoderLayer(hidden, 2, 48, batch_first=True)
        self.predict_action = nn.Linear(hidden, act_dim)

    def forward(self, states, actions, returns_to_go, timesteps):
        b, t = states.shape[0], states.shape[1]
        time = self.embed_timestep(timesteps)
        stacked = torch.stack(
            (self.embed_return(returns_to_go) + time, self.embed_state(states) + time, self.embed_action(actions) + time), dim=1
        )
        x = self.block(stacked.permute(0, 2, 1, 3).reshape(b, 3 * t, -1)).reshape(b, t, 3, -1).permute(0, 2, 1, 3)
        return self.predict_action(x[:, 1])


class RNNAgent(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden_dim = 16
        self.fc1 = nn.Linear(9, 16)
        self.rnn = nn.GRUCell(16, 16)
        self.fc2 = nn.Linear(16, 4)

    def init_hidden(self):
        return self.fc1.weight.new(1, self.hidden_dim).zero_()

    def forward(self, inputs, hidden_state):
        x = F.relu(self.fc1(inputs))
        h_in = hidden_state.reshape(-1, self.hidden_dim)
        h = self.rnn(x, h_in)
        return self.fc2(h), h


class DenseGIN(nn.Module):
    """Graphs as (nodes, features), edges as an adjacency matrix, with a mask of nodes."""

    def __init__(self):
        super().__init__()
        self.mlps = nn.ModuleList([nn.Linear(14, 16), nn.Linear(16, 16)])
        self.out = nn.Linear(16, 2)

    def forward(self, node_feat, adj_matrix, node_mask):
        h = node_feat
        for mlp in self.mlps:
            h = F.relu(mlp(h + torch.matmul(adj_matrix, h)))
        return self.out((h * node_mask.unsqueeze(-1)).sum(1))


class RGCN(nn.Module):
    def __init__(self, relations=4):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(relations, 10, 8) * 0.1)
        self.root = nn.Linear(10, 8)

    def forward(self, x, edge_index, edge_type):
        src, dst = edge_index
        messages = torch.einsum("ei,eij->ej", x[src], self.weight[edge_type])
        return self.root(x).index_add(0, dst, messages)


class SchNetish(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(100, 16)
        self.filter = nn.Linear(8, 16)
        self.out = nn.Linear(16, 1)

    def forward(self, z, pos, batch):
        d = torch.cdist(pos, pos)
        rbf = torch.exp(-((d.unsqueeze(-1) - torch.linspace(0, 5, 8)) ** 2))
        h = self.embedding(z)
        h = h + (self.filter(rbf) * h.unsqueeze(0)).sum(1)
        return torch.zeros(int(batch.max()) + 1, 1).index_add(0, batch, self.out(h))


class EGNNLayer(nn.Module):
    def __init__(self):
        super().__init__()
        self.edge_mlp = nn.Sequential(nn.Linear(2 * 12 + 1, 16), nn.SiLU(), nn.Linear(16, 16))
        self.node_mlp = nn.Sequential(nn.Linear(12 + 16, 12))
        self.coord_mlp = nn.Linear(16, 1)

    def forward(self, h, edge_index, coord):
        row, col = edge_index
        diff = coord[row] - coord[col]
        radial = (diff**2).sum(1, keepdim=True)
        m = self.edge_mlp(torch.cat([h[row], h[col], radial], dim=1))
        coord = coord.index_add(0, row, diff * self.coord_mlp(m))
        agg = torch.zeros(h.size(0), 16).index_add(0, row, m)
        return self.node_mlp(torch.cat([h, agg], dim=1)), coord


class HyperNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.gen = nn.Linear(5, 6 * 4 + 4)

    def forward(self, x, z):
        params = self.gen(z)
        w, b = params[:, :24].view(-1, 4, 6), params[:, 24:]
        return torch.bmm(w, x.unsqueeze(-1)).squeeze(-1) + b


class RealNVP(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("mask", torch.tensor([[0.0, 1.0], [1.0, 0.0]]))
        self.t = nn.ModuleList([nn.Linear(2, 2) for _ in range(2)])
        self.s = nn.ModuleList([nn.Linear(2, 2) for _ in range(2)])

    def forward(self, z):
        log_det, x = z.new_zeros(z.shape[0]), z
        for i in range(len(self.t)):
            z_ = x * self.mask[i]
            s, t = self.s[i](z_) * (1 - self.mask[i]), self.t[i](z_) * (1 - self.mask[i])
            x = z_ + (1 - self.mask[i]) * (x * torch.exp(s) + t)
            log_det = log_det + s.sum(dim=1)
        return x, log_det


MODELS = (DLRM, DeepFM, WorldModel, QMixer, DecisionTransformer, RNNAgent, DenseGIN, RGCN, SchNetish, EGNNLayer, HyperNet, RealNVP)  # fmt: skip
