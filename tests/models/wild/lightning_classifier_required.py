# wild: LightningModule with required arguments and a torchmetrics metric, both packages missing
# expect: checked
import pytorch_lightning as pl
import torch
import torch.nn as nn
import torchmetrics
from torch.optim.lr_scheduler import OneCycleLR


class SignalClassifier(pl.LightningModule):
    def __init__(self, in_channels, num_classes, base_filters, lr, steps_per_epoch):
        super().__init__()
        self.save_hyperparameters()
        f = base_filters
        self.net = nn.Sequential(
            nn.Conv1d(in_channels, f, 7, padding=3), nn.BatchNorm1d(f), nn.ReLU(), nn.MaxPool1d(2),
            nn.Conv1d(f, 2 * f, 5, padding=2), nn.BatchNorm1d(2 * f), nn.ReLU(), nn.MaxPool1d(2),
            nn.Conv1d(2 * f, 4 * f, 3, padding=1), nn.BatchNorm1d(4 * f), nn.ReLU(), nn.AdaptiveAvgPool1d(1), nn.Flatten(),
        )
        self.fc = nn.Linear(4 * f, num_classes)
        self.criterion = nn.CrossEntropyLoss(label_smoothing=0.1)
        self.train_acc = torchmetrics.Accuracy(task="multiclass", num_classes=num_classes)
        self.val_acc = torchmetrics.Accuracy(task="multiclass", num_classes=num_classes)

    def forward(self, x):
        return self.fc(self.net(x))

    def training_step(self, batch, batch_idx):
        x, y = batch
        logits = self(x)
        loss = self.criterion(logits, y)
        self.train_acc(logits, y)
        self.log_dict({"loss": loss, "acc": self.train_acc})
        return loss

    def configure_optimizers(self):
        opt = torch.optim.AdamW(self.parameters(), lr=self.hparams.lr)
        return [opt], [OneCycleLR(opt, self.hparams.lr, steps_per_epoch=self.hparams.steps_per_epoch, epochs=20)]
