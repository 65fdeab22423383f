# wild: absl flags (package missing), FLAGS read inside the class
# expect: checked
import torch
from absl import app
from absl import flags
from absl import logging
from torch import nn

FLAGS = flags.FLAGS
flags.DEFINE_integer('hidden_size', 192, 'Width of the hidden layers.')
flags.DEFINE_integer('num_layers', 3, 'Hidden layers.')
flags.DEFINE_float('dropout', 0.1, '')
flags.DEFINE_string('train_dir', None, 'Where checkpoints go.')
flags.DEFINE_enum('activation', 'relu', ['relu', 'tanh'], '')
flags.mark_flag_as_required('train_dir')


class EnergyModel(nn.Module):
    def __init__(self, obs_dim=24):
        super().__init__()
        act = nn.ReLU if FLAGS.activation == 'relu' else nn.Tanh
        layers, width = [], obs_dim
        for _ in range(FLAGS.num_layers):
            layers.extend([nn.Linear(width, FLAGS.hidden_size), act(), nn.Dropout(FLAGS.dropout)])
            width = FLAGS.hidden_size
        self.body = nn.Sequential(*layers)
        self.energy = nn.Linear(width, 1)

    def forward(self, obs):
        return self.energy(self.body(obs)).squeeze(-1)


def main(unused_argv):
    model = EnergyModel()
    logging.info('model: %s', model)
    opt = torch.optim.Adam(model.parameters())
    for step in range(10000):
        x = torch.randn(64, 24)
        loss = model(x).mean() - model(x + 0.1 * torch.randn_like(x)).mean()
        opt.zero_grad()
        loss.backward()
        opt.step()
        if step % 100 == 0:
            torch.save(model.state_dict(), FLAGS.train_dir + '/model.pt')


if __name__ == '__main__':
    app.run(main)
