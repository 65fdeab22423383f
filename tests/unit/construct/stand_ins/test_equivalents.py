"""Things of missing packages whose meaning is known exactly."""

import pytest
import torch

from initcheck.construct.stand_ins.equivalents import DropPath
from tests.unit.construct.stand_ins.building import build, fails, net

__all__ = ["build", "fails"]


def test_equivalents_of_small_things(build):
    head = "from timm.models.layers import DropPath, to_2tuple, trunc_normal_"
    lines = [
        "h, w = to_2tuple(8)",
        "self.p = nn.Parameter(torch.zeros(h, w))",
        "trunc_normal_(self.p, std=.02)",
        "self.drop_path = DropPath(0.1)",
    ]
    made = build(net(*lines, head=head), "Net")
    assert 0.01 < made.model.p.std() < 0.03
    assert made.built.notes == ("timm is not installed; DropPath, to_2tuple, trunc_normal_ given by an equivalent",)


def test_progress_bars_hand_on_what_they_count():
    from initcheck.construct.stand_ins.equivalents import equivalent

    assert list(equivalent("tqdm.auto", "tqdm")(range(3), desc="x")) == [0, 1, 2]
    assert list(equivalent("tqdm", "trange")(2, leave=False)) == [0, 1]
    assert equivalent("tqdm", "other") is None


def test_drop_path_keeps_the_expectation():
    drop = DropPath(0.25)
    torch.manual_seed(0)
    x = torch.ones(4000, 3)
    out = drop(x)
    assert out.unique().tolist() == [0.0, pytest.approx(4 / 3)]
    assert out.mean() == pytest.approx(1, abs=0.05)
    assert drop.eval()(x) is x


SETTINGS = [
    (
        "from absl import flags\nFLAGS = flags.FLAGS\nflags.DEFINE_integer('width', 6, 'help')\nflags.mark_flag_as_required('width')",
        "FLAGS.width",
    ),
    ("from absl import flags\nWIDTH = flags.DEFINE_integer('width', 6, 'help')", "WIDTH.value"),
    ("import absl.flags as f\nf.DEFINE_enum('act', 'relu', ['relu'], '')", "6 if f.FLAGS.act == 'relu' else 2"),
    (
        "import wandb\nrun = wandb.init(project='x', config={'width': 6, 'deep': {'n': 1}})\nconfig = wandb.config",
        "config.width if run else 0",
    ),
    ("import wandb\nrun = wandb.init(config=dict(width=6))\nrun.log({})", "run.config['width']"),
    ("import wandb, argparse\nrun = wandb.init(config=argparse.Namespace(width=6))", "run and wandb.config.width"),
    ("from easydict import EasyDict as edict\ncfg = edict({'net': {'width': 6}})\ncfg.net.depth = 3", "cfg.net.width"),
    (
        "from yacs.config import CfgNode as CN\n_C = CN()\n_C.NET = CN()\n_C.NET.WIDTH = 5\ncfg = _C.clone()\ncfg.merge_from_list(['NET.WIDTH', 6])\ncfg.freeze()",
        "cfg.NET.WIDTH + _C.NET.WIDTH - 5",
    ),
    ("from ml_collections import config_dict\ncfg = config_dict.ConfigDict(dict(width=6))", "cfg.width"),
    (
        "import ml_collections\ncfg = ml_collections.ConfigDict()\ncfg.a = {'width': 2}\nother = ml_collections.ConfigDict({'a': {'width': 6}})\ncfg.merge_from_other_cfg(other)",
        "cfg.a.width",
    ),
]


@pytest.mark.parametrize(("head", "width"), SETTINGS)
def test_settings_that_the_file_itself_gives(build, head, width):
    made = build(net(f"self.l = nn.Linear(1, {width})", head=head), "Net")
    assert made.model.l.out_features == 6
    assert any("given by an equivalent" in note for note in made.built.notes)


@pytest.mark.parametrize(
    ("head", "width"),
    [
        ("import wandb\nwandb.init(project='x')", "wandb.config.width"),
        ("from absl import flags", "flags.FLAGS.width"),
        ("from easydict import EasyDict\ncfg = EasyDict(a=1)", "cfg.width"),
    ],
)
def test_settings_that_are_not_in_the_file(fails, head, width):
    assert "width" in fails(net(f"self.l = nn.Linear(1, {width})", head=head), "Net").message
