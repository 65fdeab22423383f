# wild: hyper-parameters in a dataclass, model built from Config() in main
# expect: checked
# parameters: 372682
import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import List, Tuple

import torch
import torch.nn as nn


@dataclass
class TrainConfig:
    data_root: Path = Path("/home/researcher/datasets/speech_commands")
    n_mels: int = 40
    channels: List[int] = field(default_factory=lambda: [64, 128, 256])
    kernel: Tuple[int, int] = (3, 3)
    n_classes: int = 10
    dropout: float = 0.2
    lr: float = 1e-3
    run_name: str = "kws-baseline"

    def save(self, path):
        Path(path).write_text(json.dumps(dataclasses.asdict(self), default=str))


class KeywordNet(nn.Module):
    def __init__(self, cfg: TrainConfig):
        super().__init__()
        stack, c_in = [], 1
        for c_out in cfg.channels:
            pad = tuple(k // 2 for k in cfg.kernel)
            stack += [nn.Conv2d(c_in, c_out, cfg.kernel, padding=pad, bias=False), nn.BatchNorm2d(c_out), nn.ReLU(), nn.MaxPool2d(2)]
            c_in = c_out
        self.features = nn.Sequential(*stack)
        self.dropout = nn.Dropout(cfg.dropout)
        self.head = nn.Linear(c_in, cfg.n_classes)
        self.register_buffer("mel_mean", torch.zeros(1, 1, cfg.n_mels, 1))

    def forward(self, mel):
        # mel: (batch, 1, n_mels, frames)
        x = self.features(mel - self.mel_mean)
        x = self.dropout(x.mean(dim=(2, 3)))
        return self.head(x)


def main():
    cfg = TrainConfig()
    out = Path("runs") / cfg.run_name
    out.mkdir(parents=True, exist_ok=True)
    cfg.save(out / "config.json")
    model = KeywordNet(cfg)
    print(f"{sum(p.numel() for p in model.parameters()):,} parameters")
    optimizer = torch.optim.Adam(model.parameters(), lr=cfg.lr)
    for path in sorted(cfg.data_root.glob("*.pt")):
        mel, label = torch.load(path)
        loss = nn.functional.cross_entropy(model(mel), label)
        loss.backward()
        optimizer.step()


if __name__ == "__main__":
    main()
