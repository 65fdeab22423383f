"""The network of PPO: orthogonal with gain sqrt(2), policy 0.01, value 1."""

import math

import torch
from torch import nn


def layer(inputs, outputs, gain=math.sqrt(2), bias=0.0):
    made = nn.Linear(inputs, outputs)
    nn.init.orthogonal_(made.weight, gain)
    nn.init.constant_(made.bias, bias)
    return made


class Agent(nn.Module):
    def __init__(self, observations=8, actions=4):
        super().__init__()
        self.critic = nn.Sequential(layer(observations, 64), nn.Tanh(), layer(64, 64), nn.Tanh(), layer(64, 1, gain=1.0))
        self.actor = nn.Sequential(layer(observations, 64), nn.Tanh(), layer(64, 64), nn.Tanh(), layer(64, actions, gain=0.01))

    def forward(self, x: torch.Tensor):
        return self.actor(x), self.critic(x)


model = Agent()
