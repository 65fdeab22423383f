"""LightningModule without Lightning."""

import pytest
from torch import nn

from tests.unit.construct.stand_ins.building import TORCH, build, fails

__all__ = ["build", "fails"]

LIGHTNING = f"""
{TORCH}import lightning_nobody as pl
class Net(pl.LightningModule):
    def __init__(self, width, depth=2, *, rate=0.5, **others):
        super().__init__()
        BODY
        self.example_input_array = torch.zeros(2, 4)
        self.fc = nn.Linear(4, width)
        self.log('a', 1); self.log_dict({{}}, prog_bar=True); assert self.device.type == 'cpu' and self.current_epoch == 0
"""


@pytest.mark.parametrize(
    ("body", "saved"),
    [
        ("self.save_hyperparameters()", {"width": 3, "depth": 2, "rate": 0.5, "extra": 1}),
        ("self.save_hyperparameters(ignore=['depth', 'extra'])", {"width": 3, "rate": 0.5}),
        ("self.save_hyperparameters('width', 'rate')", {"width": 3, "rate": 0.5}),
        ("self.save_hyperparameters({'k': 1})", {"k": 1}),
        (
            "self.save_hyperparameters(logger=False, ignore='width'); assert self.hparams.rate == self.hparams['rate'] == 0.5",
            {"depth": 2, "rate": 0.5, "extra": 1},
        ),
        ("import argparse; self.hparams = argparse.Namespace(lr=1)", {"lr": 1}),
    ],
)
def test_lightning_modules(build, body, saved):
    made = build(LIGHTNING.replace("BODY", body), "Net(3, extra=1)")
    assert dict(made.model.hparams) == saved
    assert isinstance(made.model, nn.Module)
    assert "lightning_nobody.LightningModule stood in as a plain nn.Module" in made.built.notes


def test_hyperparameters_of_a_derived_module(build):
    source = (
        LIGHTNING.replace("BODY", "self.save_hyperparameters()")
        + "class Wide(Net):\n    def __init__(self, size=5):\n        super().__init__(size * 2)\n"
    )
    assert dict(build(source, "Wide").model.hparams) == {"size": 5, "width": 10, "depth": 2, "rate": 0.5}


def test_what_lightning_has_and_the_stand_in_has_not(fails):
    error = fails(
        LIGHTNING.replace("BODY", "assert not hasattr(self, 'nothing')\n        self.l = nn.Linear(3, self.unknown_to_us)"), "Net(3)"
    )
    assert "needs lightning_nobody.LightningModule.unknown_to_us" in error.message
