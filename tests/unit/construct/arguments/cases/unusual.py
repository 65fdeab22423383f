"""Classes that ask for lists, tensors, vocabularies, classes and stranger things."""

import torch
from torch import nn

EXPRESSIONS = [
    line
    for line in """PointNet(...)
SIREN(...)
NeRF(...)
MLP(...)
MLPStar(...)
MLPHidden(...)
TabularModel(...)
DeepFM(...)
AutoEncoder(...)
Distiller(...)
MixtureDensity(...)
SpectralConv(...)
Tacotron(...)
Wave(...)
FewShot(...)
TokenizerModel(...)
PretrainedEmbedding(...)
GRUCell(...)
Kan(...)
Positional(784, ...)
Positional(hidden=..., features=28 * 28)
Positional(*sizes)
Picky(...)
Ensemble([MLPHidden(...), MLPHidden(...)])
RawConfig({"dim": ..., "depth": 2})
make_net(...)
""".splitlines()
    if line
]


class PointNet(nn.Module):
    def __init__(self, num_points, num_classes, feature_transform, k):
        super().__init__()
        self.conv1 = nn.Conv1d(3, 64, 1)
        self.fc = nn.Linear(64, k * k)
        self.out = nn.Linear(k * k, num_classes)


class SIREN(nn.Module):
    def __init__(self, in_features, hidden_features, hidden_layers, out_features, outermost_linear, first_omega_0, hidden_omega_0):
        super().__init__()
        self.net = nn.ModuleList([nn.Linear(in_features, hidden_features)])
        for i in range(hidden_layers):
            self.net.append(nn.Linear(hidden_features, hidden_features))
        self.net.append(nn.Linear(hidden_features, out_features))
        with torch.no_grad():
            self.net[0].weight.uniform_(-1 / in_features, 1 / in_features).mul_(1 / hidden_omega_0)


class NeRF(nn.Module):
    def __init__(self, D, W, input_ch, input_ch_views, output_ch, skips, use_viewdirs):
        super().__init__()
        self.pts_linears = nn.ModuleList(
            [nn.Linear(input_ch, W)] + [nn.Linear(W, W) if i not in skips else nn.Linear(W + input_ch, W) for i in range(D - 1)]
        )
        self.views = nn.Linear(input_ch_views + W, W // 2)


class MLP(nn.Module):
    def __init__(self, layer_sizes, activation, output_activation):
        super().__init__()
        layers = []
        for j in range(len(layer_sizes) - 1):
            act = activation if j < len(layer_sizes) - 2 else output_activation
            layers += [nn.Linear(layer_sizes[j], layer_sizes[j + 1]), act()]
        self.net = nn.Sequential(*layers)


class MLPStar(nn.Module):
    def __init__(self, *sizes):
        super().__init__()
        self.net = nn.Sequential(*[nn.Linear(a, b) for a, b in zip(sizes, sizes[1:])])


class MLPHidden(nn.Module):
    def __init__(self, n_inputs, n_hidden, n_outputs, act_fn):
        super().__init__()
        self.act_fn = act_fn
        layers, in_size = [], n_inputs
        for n in n_hidden:
            layers += [nn.Linear(in_size, n), act_fn]
            in_size = n
        self.layers = nn.Sequential(*layers, nn.Linear(in_size, n_outputs))
        self.config = {"act_fn": act_fn.__class__.__name__}


class TabularModel(nn.Module):
    def __init__(self, emb_szs, n_cont, out_sz, layers, ps=None):
        super().__init__()
        self.embeds = nn.ModuleList([nn.Embedding(ni, nf) for ni, nf in emb_szs])
        n_emb = sum(nf for ni, nf in emb_szs)
        sizes = [n_emb + n_cont, *layers, out_sz]
        self.lins = nn.ModuleList([nn.Linear(a, b) for a, b in zip(sizes, sizes[1:])])


class DeepFM(nn.Module):
    def __init__(self, field_dims, embed_dim, mlp_dims, dropout):
        super().__init__()
        self.embedding = nn.Embedding(sum(field_dims), embed_dim)
        input_dim = len(field_dims) * embed_dim
        layers = []
        for width in mlp_dims:
            layers += [nn.Linear(input_dim, width), nn.Dropout(p=dropout)]
            input_dim = width
        self.mlp = nn.Sequential(*layers)


class AutoEncoder(nn.Module):
    def __init__(self, input_dim, code_dim, nonlin):
        super().__init__()
        self.enc = nn.Linear(input_dim, code_dim)
        self.act = getattr(nn, nonlin)()


class Distiller(nn.Module):
    def __init__(self, student, teacher, temperature):
        super().__init__()
        self.student = student
        self.teacher = teacher
        for p in self.teacher.parameters():
            p.requires_grad = False

    def forward(self, x):
        return self.student(x), self.teacher(x)


class StudentNet(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.fc = nn.Linear(width, 10)


class TeacherNet(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.fc = nn.Linear(width, 10)


class MixtureDensity(nn.Module):
    def __init__(self, in_features, out_features, num_gaussians):
        super().__init__()
        self.pi = nn.Sequential(nn.Linear(in_features, num_gaussians), nn.Softmax(dim=1))


class SpectralConv(nn.Module):
    def __init__(self, in_channels, out_channels, modes1, modes2):
        super().__init__()
        self.weights = nn.Parameter(torch.rand(in_channels, out_channels, modes1, modes2, dtype=torch.cfloat))


class Tacotron(nn.Module):
    def __init__(self, hparams):
        super().__init__()
        self.embedding = nn.Embedding(hparams.n_symbols, hparams.symbols_embedding_dim)
        self.convs = nn.ModuleList(
            [
                nn.Conv1d(
                    hparams.encoder_embedding_dim,
                    hparams.encoder_embedding_dim,
                    hparams.encoder_kernel_size,
                    padding=int((hparams.encoder_kernel_size - 1) / 2),
                )
                for _ in range(hparams.encoder_n_convolutions)
            ]
        )
        self.lstm = nn.LSTM(hparams.encoder_embedding_dim, int(hparams.encoder_embedding_dim / 2), 1, bidirectional=True)


class Wave(nn.Module):
    def __init__(self, layers, blocks, dilation_channels, residual_channels, kernel_size):
        super().__init__()
        self.convs = nn.ModuleList()
        for b in range(blocks):
            for i in range(layers):
                self.convs.append(nn.Conv1d(residual_channels, dilation_channels, kernel_size, dilation=2**i))


class FewShot(nn.Module):
    def __init__(self, encoder, n_way, k_shot):
        super().__init__()
        self.encoder = encoder
        self.scale = nn.Parameter(torch.ones(n_way, k_shot))

    def forward(self, x):
        return self.encoder.forward(x)


class TokenizerModel(nn.Module):
    def __init__(self, tokenizer, hidden):
        super().__init__()
        self.embedding = nn.Embedding(len(tokenizer), hidden, padding_idx=tokenizer.pad_token_id)
        self.head = nn.Linear(hidden, tokenizer.vocab_size)


class PretrainedEmbedding(nn.Module):
    def __init__(self, weights_matrix, hidden_size, num_layers):
        super().__init__()
        num_embeddings, embedding_dim = weights_matrix.shape
        self.embedding = nn.Embedding(num_embeddings, embedding_dim)
        self.embedding.weight.data.copy_(weights_matrix)
        self.gru = nn.GRU(embedding_dim, hidden_size, num_layers)


class GRUCell(nn.Module):
    def __init__(self, input_size, hidden_size, bias):
        super().__init__()
        self.x2h = nn.Linear(input_size, 3 * hidden_size, bias=bias)
        std = 1.0 / self.x2h.in_features**0.5
        for w in self.parameters():
            w.data.uniform_(-std, std)


class Kan(nn.Module):
    def __init__(self, layers_hidden, grid_size, spline_order, base_activation, grid_range):
        super().__init__()
        h = (grid_range[1] - grid_range[0]) / grid_size
        self.grid = nn.Parameter(torch.arange(-spline_order, grid_size + spline_order + 1) * h + grid_range[0])
        self.act = base_activation()
        self.layers = nn.ModuleList([nn.Linear(a, b) for a, b in zip(layers_hidden, layers_hidden[1:])])


class Positional(nn.Module):
    def __init__(self, features, hidden, *, classes=10):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(features, hidden), nn.Linear(hidden, classes))


class Picky(nn.Module):
    def __init__(self, kind, power):
        super().__init__()
        table = {"small": 64, "large": 256}
        width = table[kind]
        if power not in (3, 5, 7):
            raise ValueError("power must be odd and small")
        self.fc = nn.Linear(width, width * power)


class Ensemble(nn.Module):
    def __init__(self, members):
        super().__init__()
        self.members = nn.ModuleList(members)


class RawConfig(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(config["dim"], config["dim"]) for _ in range(config["depth"]))


def make_net(kind, width):
    if kind == "mlp":
        return Positional(width, width)
    if kind == "siren":
        return SIREN(2, width, 2, 3, True, 30, 30)
    raise KeyError(kind)
