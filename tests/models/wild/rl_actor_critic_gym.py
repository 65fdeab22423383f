# wild: actor-critic, widths from env.observation_space of a missing gym, loops at top level
# expect: checked
import math
import random

import gym
import numpy as np
import matplotlib.pyplot as plt
import torch
import torch.nn as nn
import torch.optim as optim
from torch.distributions import Normal

use_cuda = torch.cuda.is_available()
device = torch.device("cuda" if use_cuda else "cpu")

env_name = "Pendulum-v0"
env = gym.make(env_name)
env.seed(0)


def init_weights(m):
    if isinstance(m, nn.Linear):
        nn.init.normal_(m.weight, mean=0., std=0.1)
        nn.init.constant_(m.bias, 0.1)


class ActorCritic(nn.Module):
    def __init__(self, num_inputs, num_outputs, hidden_size, std=0.0):
        super(ActorCritic, self).__init__()
        self.critic = nn.Sequential(nn.Linear(num_inputs, hidden_size), nn.ReLU(), nn.Linear(hidden_size, 1))
        self.actor = nn.Sequential(nn.Linear(num_inputs, hidden_size), nn.ReLU(), nn.Linear(hidden_size, num_outputs))
        self.log_std = nn.Parameter(torch.ones(1, num_outputs) * std)
        self.apply(init_weights)

    def forward(self, x):
        value = self.critic(x)
        mu = self.actor(x)
        std = self.log_std.exp().expand_as(mu)
        dist = Normal(mu, std)
        return dist, value


num_inputs = env.observation_space.shape[0]
num_outputs = env.action_space.shape[0]

# Hyper params:
hidden_size = 256
lr = 3e-4
num_steps = 20

model = ActorCritic(num_inputs, num_outputs, hidden_size).to(device)
optimizer = optim.Adam(model.parameters())

max_frames, frame_idx = 15000, 0
state = env.reset()
while frame_idx < max_frames:
    log_probs, values, rewards = [], [], []
    for _ in range(num_steps):
        dist, value = model(torch.FloatTensor(state).unsqueeze(0).to(device))
        action = dist.sample()
        next_state, reward, done, _ = env.step(action.cpu().numpy()[0])
        log_probs.append(dist.log_prob(action))
        values.append(value)
        rewards.append(reward)
        state = env.reset() if done else next_state
        frame_idx += 1
    returns = torch.tensor(np.cumsum(rewards[::-1])[::-1].copy())
    advantage = returns - torch.cat(values).squeeze()
    loss = -(torch.cat(log_probs) * advantage.detach()).mean() + 0.5 * advantage.pow(2).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
plt.plot(returns)
plt.show()
