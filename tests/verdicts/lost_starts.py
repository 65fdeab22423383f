"""Models whose author initialized something in vain."""

import warnings

import torch
from torch import nn
from torch.nn.utils import parametrizations


def he(layer):
    nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")


def net(*, width=32):
    model = nn.Sequential(nn.Linear(64, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 10))
    for layer in (model[0], model[2]):
        he(layer)
    return model


class Base(nn.Module):
    """A body and a head; what is done about their weights is up to the subclass."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Linear(64, 32)
        self.branch = nn.Sequential(nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 32))
        self.head = nn.Linear(32, 10)

    def _init(self, module):
        if isinstance(module, nn.Linear):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            nn.init.zeros_(module.bias)

    def forward(self, x):
        x = torch.relu(self.stem(x))
        return self.head(x + self.branch(x))


class Listed(nn.Module):
    def __init__(self, hold):
        super().__init__()
        self.layers = hold([nn.Linear(64, 64), nn.Linear(64, 64)])
        self.head = nn.Linear(64, 10)

    def forward(self, x):
        for layer in self.layers:
            x = torch.tanh(layer(x))
        return self.head(x)


class Language(nn.Module):
    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(50, 16)
        nn.init.normal_(self.table.weight, std=0.02)
        self.norm = nn.LayerNorm(16)
        self.head = nn.Linear(16, 50, bias=False)

    def forward(self, ids):
        return self.head(self.norm(self.table(ids)))


def tie(model):
    model.head.weight = model.table.weight
    return model


class Plain(nn.Module):
    """A product with a tensor that the builder makes."""

    def __init__(self, tensor):
        super().__init__()
        self.weight = tensor
        self.head = nn.Linear(16, 4)

    def forward(self, x):
        return self.head(torch.tanh(x @ self.weight))


class Buffered(nn.Module):
    def __init__(self, make, read):
        super().__init__()
        self.fc = nn.Linear(16, 16)
        self.register_buffer("kept", make())
        self.read = read

    def forward(self, x):
        return self.read(self, self.fc(x))


def cached(module, x):
    module.kept[: len(x)] = x.detach()
    return x + module.kept[: len(x)]


class HeadThenApply(Base):
    def __init__(self):
        super().__init__()
        nn.init.zeros_(self.head.weight)
        self.apply(self._init)


class ZeroBlock(nn.Module):
    """Its last layer starts at zero on purpose."""

    def __init__(self):
        super().__init__()
        self.up = nn.Linear(32, 32)
        self.down = nn.Linear(32, 32)
        nn.init.zeros_(self.down.weight)

    def forward(self, x):
        return x + self.down(torch.relu(self.up(x)))


class ApplyOverBlocks(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Linear(64, 32)
        self.blocks = nn.Sequential(ZeroBlock(), ZeroBlock())
        self.head = nn.Linear(32, 10)
        self.apply(self._init)

    def _init(self, module):
        if isinstance(module, nn.Linear):
            nn.init.orthogonal_(module.weight)

    def forward(self, x):
        return self.head(self.blocks(self.stem(x)))


def twice(first, second):
    def build():
        model = net()
        first(model[0].weight)
        second(model[0].weight)
        return model

    return build


def swapped_data():
    model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
    nn.init.orthogonal_(model[0].weight)
    model[0].weight.data = torch.randn(32, 64) * (2 / 64) ** 0.5
    return model


def reset_afterwards():
    model = net()
    nn.init.zeros_(model[4].weight)
    model[4].reset_parameters()
    return model


def on_a_copy(call):
    def build():
        model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
        call(model[0])
        return model

    return build


def dropped(layer):
    with torch.no_grad():
        layer.weight * 0.5


def double_copy(layer):
    nn.init.orthogonal_(layer.weight.double())


def reshaped(layer):
    nn.init.orthogonal_(layer.weight.t().reshape(32, 64))


def state_copied(layer):
    state = {name: tensor.clone() for name, tensor in layer.state_dict().items()}
    nn.init.xavier_normal_(state["weight"])


def drawn_into_a_clone(layer):
    layer.weight.data.clone().normal_(0, 0.1)


def before_replacement():
    model = net()
    nn.init.normal_(model[4].weight, std=0.01)
    model[4] = nn.Linear(32, 10)
    return model


def after_weight_norm():
    model = nn.Sequential(parametrizations.weight_norm(nn.Linear(64, 32)), nn.ReLU(), nn.Linear(32, 10))
    nn.init.kaiming_normal_(model[0].weight, nonlinearity="relu")
    return model


def after_old_weight_norm():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = nn.Sequential(nn.utils.weight_norm(nn.Linear(64, 32)), nn.ReLU(), nn.Linear(32, 10))
    nn.init.kaiming_normal_(model[0].weight, nonlinearity="relu")
    return model


def no_match():
    model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))

    def init(module):
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight)

    return model.apply(init)


def no_match_by_name():
    model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))

    def init(module):
        if type(module).__name__.startswith("linear"):
            nn.init.xavier_uniform_(module.weight)

    return model.apply(init)


class ChildrenOnly(nn.Module):
    def __init__(self):
        super().__init__()
        self.one, self.two, self.three = nn.Linear(64, 64), nn.Linear(64, 64), nn.Linear(64, 64)
        self.deep = nn.ModuleList([nn.Linear(64, 64), nn.Linear(64, 64)])
        self.head = nn.Linear(64, 10)
        for module in self.children():
            if isinstance(module, nn.Linear):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")

    def forward(self, x):
        for layer in (self.one, self.two, self.three, *self.deep):
            x = torch.relu(layer(x))
        return self.head(x)


def untied_by_a_new_head():
    model = tie(Language())
    model.head = nn.Linear(16, 50, bias=False)
    return model


def untied_by_assignment():
    model = tie(Language())
    model.load_state_dict({name: tensor.clone() for name, tensor in model.state_dict().items()}, assign=True)
    return model


def untied_by_to_empty():
    with torch.device("meta"):
        model = tie(Language())
    model.to_empty(device="cpu")
    for module in (model.table, model.norm, model.head):
        module.reset_parameters()
    nn.init.normal_(model.table.weight, std=0.02)
    return model
