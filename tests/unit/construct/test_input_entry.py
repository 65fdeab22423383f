"""Models without forward(), and masks that hide everything."""

import torch
from torch import nn

from initcheck import check
from initcheck.construct.inputs import entered


class Agent(nn.Module):
    def __init__(self):
        super().__init__()
        self.critic = nn.Linear(64, 1)
        self.actor = nn.Linear(64, 4)

    def training_step(self, batch):
        return self.critic(batch), self.actor(batch), self.loss(batch)

    def value(self, x):
        return self.critic(x)

    def act(self, x, action=None):
        return self.actor(x) if action is None else action, self.critic(x)

    def spare(self):
        return self.critic, self.actor


def test_the_method_that_leads_through_most_layers_is_run_and_told():
    agent = Agent()
    (model,) = check(agent).models
    assert model.failures == ()
    assert model.input.origin.endswith("through act(), as there is no forward()")
    assert "forward" not in vars(agent)


def test_a_model_with_forward_is_entered_there():
    with entered(nn.Linear(2, 2)) as name:
        assert name == ""


def test_a_model_without_any_way_in_fails_as_before():
    class Empty(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(2, 2)

    (model,) = check(Empty()).models
    assert model.failures[0].name == "forward-failed"


class Hides(nn.Module):
    """What is true in the mask is left out."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(64, 64)

    def forward(self, x, mask):
        if mask.dtype != torch.bool or mask.shape != x.shape[:2]:
            raise TypeError("mask must be a boolean mask of shape (batch, time)")
        return self.layer(x).masked_fill(mask.unsqueeze(-1), 0.0)


class Keeps(Hides):
    def forward(self, x, mask):
        return super().forward(x, ~mask)


def test_a_mask_that_hides_everything_is_turned_round():
    for kind in (Hides, Keeps):
        (model,) = check(kind()).models
        assert model.failures == ()
        assert "bool" in model.input.text
        (row,) = model.layers
        assert row.second_moment > 0
