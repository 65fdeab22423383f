# wild: click command line, the options decide the model, built inside the command
# expect: checked
# parameters: 260521
from pathlib import Path

import click
import torch
from torch import nn


class PatchDiscriminator(nn.Module):
    def __init__(self, in_channels: int, base: int, n_layers: int) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(in_channels, base, 4, 2, 1), nn.LeakyReLU(0.2)]
        c = base
        for i in range(1, n_layers):
            layers += [nn.Conv2d(c, min(c * 2, 8 * base), 4, 2, 1, bias=False), nn.InstanceNorm2d(min(c * 2, 8 * base)), nn.LeakyReLU(0.2)]
            c = min(c * 2, 8 * base)
        layers.append(nn.Conv2d(c, 1, 4, 1, 1))
        self.net = nn.Sequential(*layers)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return self.net(image)


@click.group()
@click.option("--verbose", is_flag=True)
def cli(verbose: bool) -> None:
    torch.set_printoptions(profile="full" if verbose else "default")


@cli.command()
@click.argument("data", type=click.Path(exists=True, path_type=Path))
@click.option("--channels", default=3, show_default=True)
@click.option("--base", default=40, show_default=True, help="filters of the first layer")
@click.option("--layers", "n_layers", default=3)
@click.option("--lr", default=2e-4)
def train(data: Path, channels: int, base: int, n_layers: int, lr: float) -> None:
    """Train on the images under DATA."""
    net = PatchDiscriminator(channels, base, n_layers).cuda()
    optimizer = torch.optim.Adam(net.parameters(), lr, betas=(0.5, 0.999))
    for path in sorted(data.glob("*.pt")):
        loss = nn.functional.softplus(-net(torch.load(path).cuda())).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    click.secho("done", fg="green")


if __name__ == "__main__":
    cli()
