"""Generators, agents, graphs, and classes that ask for unusual things."""

import numpy as np
import torch
from torch import nn

EXPRESSIONS = """Generator(...)
DCDiscriminator(...)
VAE(args)
ConvVAE(...)
VQVAE(...)
CycleGenerator(...)
PatchGAN(...)
Diffusion(...)
RealNVP(...)
DQN(env)
ConvDQN(...)
ActorCritic(...)
Policy(...)
Actor(...)
DuelingDQN(...)
PPOAgent(env)
GCN(...)
GAT(...)
RGCN(...)
DGN(...)
""".splitlines()


class Generator(nn.Module):
    def __init__(self, ngpu, nz, ngf, nc):
        super().__init__()
        self.ngpu = ngpu
        self.main = nn.Sequential(
            nn.ConvTranspose2d(nz, ngf * 8, 4, 1, 0, bias=False), nn.BatchNorm2d(ngf * 8), nn.ConvTranspose2d(ngf * 8, nc, 4, 2, 1)
        )


class DCDiscriminator(nn.Module):
    def __init__(self, isize, nz, nc, ndf, ngpu, n_extra_layers):
        super().__init__()
        assert isize % 16 == 0, "isize has to be a multiple of 16"
        csize, cndf = isize / 2, ndf
        self.main = nn.Sequential(nn.Conv2d(nc, ndf, 4, 2, 1))
        for t in range(n_extra_layers):
            self.main.add_module(f"extra{t}", nn.Conv2d(cndf, cndf, 3, 1, 1))
        while csize > 4:
            self.main.add_module(f"pyramid{int(csize)}", nn.Conv2d(cndf, cndf * 2, 4, 2, 1))
            cndf, csize = cndf * 2, csize / 2


class VAE(nn.Module):
    def __init__(self, args):
        super().__init__()
        self.fc1 = nn.Linear(784, args.hidden_dim)
        self.fc21 = nn.Linear(args.hidden_dim, args.latent_dim)
        self.device = torch.device("cuda" if args.cuda else "cpu")
        if args.prior not in ("normal", "vamp"):
            raise NotImplementedError(args.prior)


class ConvVAE(nn.Module):
    def __init__(self, in_channels, latent_dim, hidden_dims=None, **kwargs):
        super().__init__()
        hidden_dims = [32, 64] if hidden_dims is None else hidden_dims
        self.encoder = nn.Sequential(*[nn.Conv2d(a, b, 3, 2, 1) for a, b in zip([in_channels, *hidden_dims], hidden_dims)])
        self.fc_mu = nn.Linear(hidden_dims[-1] * 4, latent_dim)


class VectorQuantizer(nn.Module):
    def __init__(self, num_embeddings, embedding_dim, commitment_cost):
        super().__init__()
        self.embedding = nn.Embedding(num_embeddings, embedding_dim)
        self.embedding.weight.data.uniform_(-1 / num_embeddings, 1 / num_embeddings)


class VQVAE(nn.Module):
    def __init__(self, num_hiddens, num_residual_layers, num_residual_hiddens, num_embeddings, embedding_dim, commitment_cost, decay):
        super().__init__()
        self.enc = nn.Conv2d(3, num_hiddens // 2, 4, 2, 1)
        self.res = nn.ModuleList([nn.Conv2d(num_hiddens, num_residual_hiddens, 3) for _ in range(num_residual_layers)])
        self.vq = VectorQuantizer(num_embeddings, embedding_dim, commitment_cost)


class CycleGenerator(nn.Module):
    def __init__(self, input_nc, output_nc, ngf, norm_layer, use_dropout, n_blocks, padding_type):
        assert n_blocks >= 0
        super().__init__()
        model = [nn.Conv2d(input_nc, ngf, 7), norm_layer(ngf), nn.ReLU(True)]
        for _ in range(n_blocks):
            if padding_type == "reflect":
                model += [nn.ReflectionPad2d(1)]
            elif padding_type == "zero":
                model += [nn.ZeroPad2d(1)]
            else:
                raise NotImplementedError(f"padding [{padding_type}] is not implemented")
        self.model = nn.Sequential(*model, nn.Conv2d(ngf, output_nc, 7))


class PatchGAN(nn.Module):
    def __init__(self, opt):
        super().__init__()
        nf = opt.ndf
        self.model = nn.Sequential(
            nn.Conv2d(opt.input_nc + opt.output_nc, nf, 4, 2, 1), *[nn.Conv2d(nf, nf, 4) for _ in range(opt.n_layers_D)]
        )
        self.gpu_ids = opt.gpu_ids


class Diffusion(nn.Module):
    def __init__(self, denoise_fn, *, image_size, timesteps, loss_type, betas=None):
        super().__init__()
        self.denoise_fn = denoise_fn
        self.channels = self.denoise_fn.channels
        self.register_buffer("betas", torch.linspace(1e-4, 0.02, timesteps))
        if loss_type not in ("l1", "l2"):
            raise ValueError(f"invalid loss type {loss_type}")

    def forward(self, x, t):
        return self.denoise_fn(x, t)


class DenoiseUnet(nn.Module):
    def __init__(self, dim, dim_mults, channels):
        super().__init__()
        self.channels = channels
        dims = [channels, *(dim * m for m in dim_mults)]
        self.downs = nn.ModuleList([nn.Conv2d(a, b, 3) for a, b in zip(dims[:-1], dims[1:])])


class RealNVP(nn.Module):
    def __init__(self, nets, nett, mask, prior):
        super().__init__()
        self.prior = prior
        self.mask = nn.Parameter(mask, requires_grad=False)
        self.t = nn.ModuleList([nett() for _ in range(len(mask))])
        self.s = nn.ModuleList([nets() for _ in range(len(mask))])


class DQN(nn.Module):
    def __init__(self, env):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(env.observation_space.shape[0], 128), nn.ReLU(), nn.Linear(128, env.action_space.n))


class ConvDQN(nn.Module):
    def __init__(self, input_shape, n_actions):
        super().__init__()
        self.conv = nn.Sequential(
            nn.Conv2d(input_shape[0], 32, 8, 4), nn.ReLU(), nn.Conv2d(32, 64, 4, 2), nn.ReLU(), nn.Conv2d(64, 64, 3, 1)
        )
        self.fc = nn.Linear(self._get_conv_out(input_shape), n_actions)

    def _get_conv_out(self, shape):
        return int(np.prod(self.conv(torch.zeros(1, *shape)).size()))


class ActorCritic(nn.Module):
    def __init__(self, num_inputs, action_space):
        super().__init__()
        self.lstm = nn.LSTMCell(num_inputs, 256)
        self.actor = nn.Linear(256, action_space.n)


class Policy(nn.Module):
    def __init__(self, obs_shape, action_space, base_kwargs=None):
        super().__init__()
        if len(obs_shape) == 3:
            self.base = nn.Conv2d(obs_shape[0], 32, 3)
        elif len(obs_shape) == 1:
            self.base = nn.Linear(obs_shape[0], 64)
        else:
            raise NotImplementedError
        if action_space.__class__.__name__ == "Discrete":
            self.dist = nn.Linear(64, action_space.n)
        elif action_space.__class__.__name__ == "Box":
            self.dist = nn.Linear(64, action_space.shape[0])
        else:
            raise NotImplementedError


class Actor(nn.Module):
    def __init__(self, state_dim, action_dim, max_action, hidden_sizes, activation, log_std_bounds):
        super().__init__()
        sizes = [state_dim] + list(hidden_sizes) + [action_dim]
        self.log_std_min, self.log_std_max = log_std_bounds
        self.net = nn.Sequential(*[m for i in range(len(sizes) - 1) for m in (nn.Linear(sizes[i], sizes[i + 1]), activation())])
        self.max_action = max_action


class DuelingDQN(nn.Module):
    def __init__(self, obs_size: int, n_actions: int, hidden: int, atoms: int, v_min: float, v_max: float, support: torch.Tensor):
        super().__init__()
        self.register_buffer("support", support)
        self.net = nn.Linear(obs_size, hidden)
        self.adv = nn.Linear(hidden, n_actions * atoms)


def layer_init(layer, std=np.sqrt(2), bias_const=0.0):
    torch.nn.init.orthogonal_(layer.weight, std)
    torch.nn.init.constant_(layer.bias, bias_const)
    return layer


class PPOAgent(nn.Module):
    def __init__(self, envs):
        super().__init__()
        self.critic = nn.Sequential(layer_init(nn.Linear(np.array(envs.single_observation_space.shape).prod(), 64)), nn.Tanh())
        self.actor = layer_init(nn.Linear(64, envs.single_action_space.n), std=0.01)


class GraphConvolution(nn.Module):
    def __init__(self, in_features, out_features, bias=True):
        super().__init__()
        self.weight = nn.Parameter(torch.FloatTensor(in_features, out_features))
        nn.init.uniform_(self.weight, -0.1, 0.1)


class GCN(nn.Module):
    def __init__(self, nfeat, nhid, nclass, dropout):
        super().__init__()
        self.gc1 = GraphConvolution(nfeat, nhid)
        self.gc2 = GraphConvolution(nhid, nclass)
        self.dropout = dropout


class GAT(nn.Module):
    def __init__(self, nfeat, nhid, nclass, dropout, alpha, nheads):
        super().__init__()
        self.attentions = [GraphConvolution(nfeat, nhid) for _ in range(nheads)]
        for i, attention in enumerate(self.attentions):
            self.add_module(f"attention_{i}", attention)
        self.leaky = nn.LeakyReLU(alpha)
        self.out_att = GraphConvolution(nhid * nheads, nclass)


class RGCN(nn.Module):
    def __init__(self, num_nodes, h_dim, out_dim, num_rels, num_bases, num_hidden_layers, dropout, use_self_loop):
        super().__init__()
        self.emb = nn.Embedding(num_nodes, h_dim)
        if num_bases > num_rels or num_bases < 0:
            num_bases = num_rels
        self.weight = nn.Parameter(torch.zeros(num_bases, h_dim, h_dim))
        nn.init.xavier_uniform_(self.weight)


class DGN(nn.Module):
    def __init__(self, dataset, hidden, num_layers):
        super().__init__()
        self.conv1 = nn.Linear(dataset.num_features, hidden)
        self.convs = nn.ModuleList([nn.Linear(hidden, hidden) for _ in range(num_layers - 1)])
        self.out = nn.Linear(hidden, dataset.num_classes)
