# wild: LightningModule with save_hyperparameters and example_input_array, package missing
# expect: checked
# parameters: 209968
import os
from argparse import ArgumentParser

import pytorch_lightning as pl
import torch
import torch.nn.functional as F
from pytorch_lightning.callbacks import ModelCheckpoint
from pytorch_lightning.loggers import WandbLogger
from torch import nn
from torch.utils.data import DataLoader, random_split


class LitAutoEncoder(pl.LightningModule):
    def __init__(self, hidden_dim: int = 128, latent_dim: int = 32, learning_rate: float = 1e-3, **kwargs):
        super().__init__()
        self.save_hyperparameters()
        self.example_input_array = torch.zeros(2, 1, 28, 28)
        self.encoder = nn.Sequential(nn.Flatten(), nn.Linear(28 * 28, self.hparams.hidden_dim), nn.ReLU(), nn.Linear(hidden_dim, latent_dim))
        self.decoder = nn.Sequential(nn.Linear(latent_dim, hidden_dim), nn.ReLU(), nn.Linear(hidden_dim, 28 * 28))

    def forward(self, x):
        return self.decoder(self.encoder(x))

    def training_step(self, batch, batch_idx):
        x, _ = batch
        loss = F.mse_loss(self(x), x.flatten(1))
        self.log("train_loss", loss, prog_bar=True)
        return loss

    def validation_step(self, batch, batch_idx):
        x, _ = batch
        self.log("val_loss", F.mse_loss(self(x), x.flatten(1)))

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=self.hparams.learning_rate)

    @staticmethod
    def add_model_specific_args(parent):
        parser = ArgumentParser(parents=[parent], add_help=False)
        parser.add_argument("--hidden_dim", type=int, default=128)
        parser.add_argument("--learning_rate", type=float, default=1e-3)
        return parser


def cli_main():
    pl.seed_everything(1234)
    parser = ArgumentParser(add_help=False)
    parser.add_argument("--batch_size", default=32, type=int)
    parser = LitAutoEncoder.add_model_specific_args(parser)
    args = parser.parse_args()

    from torchvision import transforms
    from torchvision.datasets import MNIST
    dataset = MNIST(os.getcwd(), download=True, transform=transforms.ToTensor())
    train, val = random_split(dataset, [55000, 5000])
    model = LitAutoEncoder(hidden_dim=args.hidden_dim, learning_rate=args.learning_rate)
    trainer = pl.Trainer(gpus=1, logger=WandbLogger(), callbacks=[ModelCheckpoint(monitor="val_loss")])
    trainer.fit(model, DataLoader(train, args.batch_size), DataLoader(val, args.batch_size))


if __name__ == "__main__":
    cli_main()
