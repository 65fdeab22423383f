"""Healthy models that look as if something was initialized in vain."""

import copy

import torch
from torch import nn
from torch.nn.utils import parametrizations

from tests.verdicts.lost_starts import Base, Language, he, net, tie


class ApplyThenHead(Base):
    def __init__(self):
        super().__init__()
        self.apply(self._init)
        nn.init.normal_(self.head.weight, std=0.01)
        for name, parameter in self.named_parameters():
            if name.endswith("2.weight"):
                nn.init.normal_(parameter, std=0.02)


class OneEmbedding(nn.Module):
    """The general pass reaches a single table, which a special call then draws again."""

    def __init__(self):
        super().__init__()
        self.table = nn.Linear(64, 16)
        self.apply(self._init)
        nn.init.normal_(self.table.weight, std=0.1)

    def _init(self, module):
        if isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, std=0.02)

    def forward(self, x):
        return self.table(x)


class ParentAfterChild(Base):
    """One function for all modules: the branch of the whole runs after those of its parts."""

    def __init__(self):
        super().__init__()
        self.apply(self._start)

    def _start(self, module):
        if isinstance(module, ParentAfterChild):
            nn.init.normal_(module.head.weight, std=0.01)
        else:
            self._init(module)


class ByHand(Base):
    """The same without `apply`."""

    def __init__(self):
        super().__init__()
        self._walk(self)

    def _walk(self, module):
        for child in module.children():
            self._walk(child)
        self._start(module)

    def _start(self, module):
        if isinstance(module, ByHand):
            nn.init.normal_(module.head.weight, std=0.01)
        elif isinstance(module, nn.Linear) and module.out_features == 10:
            nn.init.kaiming_normal_(module.weight)


class Refined(ApplyThenHead):
    """A subclass that draws everything anew."""

    def __init__(self):
        super().__init__()
        self.apply(self._again)

    def _again(self, module):
        if isinstance(module, nn.Linear):
            nn.init.orthogonal_(module.weight, gain=2**0.5)


class OwnLinear(nn.Linear):
    """A layer with a default of its own."""

    def reset_parameters(self):
        nn.init.xavier_uniform_(self.weight)
        nn.init.zeros_(self.bias)


def overruled_default():
    model = nn.Sequential(OwnLinear(64, 32), nn.ReLU(), OwnLinear(32, 32), nn.ReLU(), OwnLinear(32, 10))
    model.apply(lambda module: he(module) if isinstance(module, nn.Linear) else None)
    return model


def before_weight_norm():
    model = net()
    parametrizations.weight_norm(model[0])
    parametrizations.spectral_norm(model[2])
    return model


def freezing():
    model = net()

    def freeze(module):
        for parameter in module.parameters(recurse=False):
            parameter.requires_grad_(True)

    return model.apply(freeze)


def identity_head():
    model = net()
    head = nn.Identity()

    def init(module):
        if isinstance(module, nn.Linear):
            he(module)

    head.apply(init)
    return nn.Sequential(model, head)


class Teacher(nn.Module):
    """A frozen network, kept out of the state dict on purpose."""

    def __init__(self):
        super().__init__()
        self.student = nn.Linear(64, 16)
        self.teacher = [nn.Linear(64, 16).requires_grad_(False)]

    def forward(self, x):
        return self.student(x) - self.teacher[0](x)


class Masked(nn.Module):
    """Deterministic tables and statistics in plain attributes."""

    def __init__(self):
        super().__init__()
        self.mean, self.std = torch.full((16,), 0.5), torch.full((16,), 0.25)
        self.mask = torch.ones(16).cumsum(0) > 4
        self.angles = torch.arange(16.0).cos()
        self.fc = nn.Linear(16, 4)

    def forward(self, x):
        x = (x - self.mean) / self.std * self.angles
        return self.fc(x.masked_fill(self.mask, 0.0))


def sub_pixel():
    conv = nn.Linear(64, 32)
    kernel = torch.zeros(8, 64)
    nn.init.kaiming_normal_(kernel)
    with torch.no_grad():
        conv.weight.copy_(kernel.repeat_interleave(4, 0))
    return nn.Sequential(conv, nn.LayerNorm(32), nn.Linear(32, 10))


def scaled_by_what_was_measured():
    model = net()
    for layer in (model[0], model[2]):
        nn.init.orthogonal_(layer.weight)
        with torch.no_grad():
            layer.weight.data = layer.weight * 2**0.5
    return model


def averaged_copy():
    model = net()
    shadow = copy.deepcopy(model)
    shadow.apply(lambda module: he(module) if isinstance(module, nn.Linear) else None)
    return model


def noise():
    model = net()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(parameter.clone().normal_(), alpha=1e-3)
    return model


def trained_a_little():
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), 1e-3, momentum=0.9)
    for _ in range(3):
        model(torch.randn(8, 64)).square().mean().backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=False)
    return model


def built_from_blocks():
    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(32, 32)
            self.apply(self.init)

        @staticmethod
        def init(module):
            if isinstance(module, nn.Linear):
                he(module)

        def forward(self, x):
            return torch.relu(self.fc(x))

    model = nn.Sequential(nn.Linear(64, 32), Block(), Block(), nn.Linear(32, 10))
    return model.apply(Block.init)


def tied_and_copied():
    return copy.deepcopy(tie(Language())).double().float()


def new_head_of_another_size():
    model = tie(Language())
    model.head = nn.Linear(16, 5)
    return model
