"""Several inputs, tables of categories, recommenders, control, bundles, plain values."""

import torch
import torch.nn.functional as F
from torch import nn


class Tabular(nn.Module):
    """One table for each categorical column, all of different sizes."""

    def __init__(self, sizes=((12, 6), (3, 2), (31, 15), (7, 4)), n_cont=5):
        super().__init__()
        self.embeds = nn.ModuleList([nn.Embedding(ni, nf) for ni, nf in sizes])
        self.emb_drop = nn.Dropout(0.1)
        self.bn_cont = nn.BatchNorm1d(n_cont)
        self.layers = nn.Sequential(nn.Linear(sum(nf for _, nf in sizes) + n_cont, 32), nn.ReLU(), nn.Linear(32, 2))

    def forward(self, x_cat, x_cont):
        embeddings = []
        for i, e in enumerate(self.embeds):
            embeddings.append(e(x_cat[:, i]))
        x = self.emb_drop(torch.cat(embeddings, 1))
        x = torch.cat([x, self.bn_cont(x_cont)], 1)
        return self.layers(x)


class WideDeep(nn.Module):
    def __init__(self):
        super().__init__()
        self.tables = nn.ModuleList([nn.Embedding(n, 4) for n in (10, 5, 100)])
        self.dense = nn.Linear(6, 8)
        self.out = nn.Linear(20, 1)

    def forward(self, categorical, continuous):
        parts = [table(categorical[:, i]) for i, table in enumerate(self.tables)]
        return torch.sigmoid(self.out(torch.cat([*parts, self.dense(continuous)], dim=1)))


class FactorizationMachine(nn.Module):
    """Offsets into one table."""

    def __init__(self, field_dims=(9, 4, 15)):
        super().__init__()
        self.embedding = nn.Embedding(sum(field_dims), 8)
        self.register_buffer("offsets", torch.tensor([0, 9, 13]))
        self.linear = nn.Linear(8, 1)

    def forward(self, x):
        x = x + self.offsets.unsqueeze(0)
        e = self.embedding(x)
        return self.linear(e.sum(1) ** 2 - (e**2).sum(1)).squeeze(1)


class NCF(nn.Module):
    def __init__(self):
        super().__init__()
        self.user_embedding = nn.Embedding(30, 8)
        self.item_embedding = nn.Embedding(20, 8)
        self.fc = nn.Sequential(nn.Linear(16, 8), nn.ReLU(), nn.Linear(8, 1))

    def forward(self, user_input, item_input):
        vector = torch.cat([self.user_embedding(user_input), self.item_embedding(item_input)], dim=-1)
        return self.fc(vector)


class MatrixFactorization(nn.Module):
    """Pairs of (user, item) as the columns of one tensor."""

    def __init__(self):
        super().__init__()
        self.user = nn.Embedding(30, 8)
        self.item = nn.Embedding(20, 8)
        self.bias = nn.Parameter(torch.zeros(1))

    def forward(self, data):
        users, items = data[:, 0], data[:, 1]
        return (self.user(users) * self.item(items)).sum(1) + self.bias


class Critic(nn.Module):
    def __init__(self, state_dim=17, action_dim=6):
        super().__init__()
        self.l1 = nn.Linear(state_dim, 32)
        self.l2 = nn.Linear(32 + action_dim, 32)
        self.l3 = nn.Linear(32, 1)

    def forward(self, x, u):
        x = F.relu(self.l1(x))
        x = F.relu(self.l2(torch.cat([x, u], 1)))
        return self.l3(x)


class TwinCritic(nn.Module):
    def __init__(self, state_dim=17, action_dim=6):
        super().__init__()
        self.q1 = nn.Sequential(nn.Linear(state_dim + action_dim, 32), nn.ReLU(), nn.Linear(32, 1))
        self.q2 = nn.Sequential(nn.Linear(state_dim + action_dim, 32), nn.ReLU(), nn.Linear(32, 1))

    def forward(self, state, action):
        sa = torch.cat([state, action], 1)
        return self.q1(sa), self.q2(sa)


class ActorCritic(nn.Module):
    def __init__(self):
        super().__init__()
        self.affine = nn.Linear(4, 32)
        self.action_head, self.value_head = nn.Linear(32, 2), nn.Linear(32, 1)

    def forward(self, x):
        x = F.relu(self.affine(x))
        return F.softmax(self.action_head(x), dim=-1), self.value_head(x)


class RecurrentPolicy(nn.Module):
    """Frames and the state of an LSTM cell as one tuple."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 8, 3, stride=2, padding=1)
        self.conv2 = nn.Conv2d(8, 8, 3, stride=2, padding=1)
        self.conv3 = nn.Conv2d(8, 8, 3, stride=2, padding=1)
        self.lstm = nn.LSTMCell(8 * 6 * 6, 32)
        self.critic, self.actor = nn.Linear(32, 1), nn.Linear(32, 6)

    def forward(self, inputs):
        inputs, (hx, cx) = inputs
        x = F.elu(self.conv3(F.elu(self.conv2(F.elu(self.conv1(inputs))))))
        x = x.view(-1, 8 * 6 * 6)
        hx, cx = self.lstm(x, (hx, cx))
        return self.critic(hx), self.actor(hx), (hx, cx)


class DictBatch(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(50, 12)
        self.numeric = nn.Linear(4, 12)
        self.head = nn.Linear(24, 3)

    def forward(self, batch):
        text = self.embed(batch["input_ids"]).mean(1)
        out = {"logits": self.head(torch.cat([text, self.numeric(batch["features"])], -1))}
        if "labels" in batch:
            out["loss"] = F.cross_entropy(out["logits"], batch["labels"])
        return out


class TupleBatch(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3)
        self.meta = nn.Linear(7, 4)

    def forward(self, batch):
        images, meta = batch
        return self.conv(images).mean((2, 3)) + self.meta(meta)


class KeywordBatch(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(5, 8), nn.Linear(3, 8)

    def forward(self, **batch):
        return self.a(batch["left"]) + self.b(batch["right"])


class StarInputs(nn.Module):
    def __init__(self):
        super().__init__()
        self.towers = nn.ModuleList([nn.Linear(n, 8) for n in (3, 5, 9)])
        self.out = nn.Linear(24, 1)

    def forward(self, *inputs):
        return self.out(torch.cat([tower(x) for tower, x in zip(self.towers, inputs)], dim=1))


class VAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1, self.fc21, self.fc22 = nn.Linear(784, 64), nn.Linear(64, 8), nn.Linear(64, 8)
        self.fc3, self.fc4 = nn.Linear(8, 64), nn.Linear(64, 784)

    def encode(self, x):
        h1 = F.relu(self.fc1(x))
        return self.fc21(h1), self.fc22(h1)

    def reparameterize(self, mu, logvar):
        return mu + torch.randn_like(mu) * torch.exp(0.5 * logvar)

    def forward(self, x):
        mu, logvar = self.encode(x.view(-1, 784))
        z = self.reparameterize(mu, logvar)
        return torch.sigmoid(self.fc4(F.relu(self.fc3(z)))), mu, logvar


class ConditionalVAE(nn.Module):
    """A one-hot label is joined to the pixels."""

    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(784 + 10, 64)
        self.mu, self.logvar = nn.Linear(64, 8), nn.Linear(64, 8)
        self.dec = nn.Linear(8 + 10, 784)

    def forward(self, x, y):
        x = x.view(-1, 784)
        h = F.relu(self.fc1(torch.cat([x, y], dim=1)))
        z = self.mu(h) + torch.randn_like(self.mu(h)) * torch.exp(0.5 * self.logvar(h))
        return self.dec(torch.cat([z, y], dim=1))


class OneHotInside(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(2 + 10, 8)

    def forward(self, x, c):
        c = F.one_hot(c, num_classes=10).float()
        return self.fc(torch.cat((x, c), dim=-1))


class Functional(nn.Module):
    """Parameters may be handed in, as in meta-learning."""

    def __init__(self):
        super().__init__()
        self.vars = nn.ParameterList([nn.Parameter(torch.randn(8, 1, 3, 3) * 0.1), nn.Parameter(torch.randn(5, 8) * 0.1)])

    def forward(self, x, vars=None, bn_training=True):
        if vars is None:
            vars = self.vars
        x = F.relu(F.conv2d(x, vars[0], stride=2))
        return F.linear(x.mean((2, 3)), vars[1])


class Prototypes(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(8 * 14 * 14, 16))

    def forward(self, support, query):
        return -torch.cdist(self.encoder(query), self.encoder(support))


class WantsInt(nn.Module):
    def __init__(self):
        super().__init__()
        self.blocks = nn.ModuleList([nn.Linear(6, 6) for _ in range(4)])

    def forward(self, x, depth: int, scale: float, mode: str = "train"):
        for block in self.blocks[:depth]:
            x = torch.tanh(block(x)) * scale
        return x


class WithAlpha(nn.Module):
    """Domain adaptation: an image and the factor of the reversed gradient."""

    def __init__(self):
        super().__init__()
        self.feature = nn.Sequential(nn.Conv2d(3, 8, 5), nn.MaxPool2d(2), nn.Conv2d(8, 10, 5), nn.MaxPool2d(2))
        self.class_classifier = nn.Linear(10 * 4 * 4, 10)
        self.domain_classifier = nn.Linear(10 * 4 * 4, 2)

    def forward(self, input_data, alpha):
        input_data = input_data.expand(input_data.data.shape[0], 3, 28, 28)
        feature = self.feature(input_data).view(-1, 10 * 4 * 4)
        return self.class_classifier(feature), self.domain_classifier(feature * alpha)


class MixtureTask(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk = nn.Linear(9, 8)
        self.heads = nn.ModuleDict({"a": nn.Linear(8, 2), "b": nn.Linear(8, 3)})

    def forward(self, x, tasks: list[str] = None):
        h = torch.relu(self.trunk(x))
        return {name: head(h) for name, head in self.heads.items() if tasks is None or name in tasks}


MODELS = (
    Tabular, WideDeep, FactorizationMachine, NCF, MatrixFactorization, Critic, TwinCritic, ActorCritic, RecurrentPolicy, DictBatch,
    TupleBatch, KeywordBatch, StarInputs, VAE, ConditionalVAE, OneHotInside, Functional, Prototypes, WantsInt, WithAlpha, MixtureTask,
)  # fmt: skip
