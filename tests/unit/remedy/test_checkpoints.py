"""Files of weights are healed tensor by tensor; everything else in them stays, and a file appears whole or not at all."""

import os
import signal
import subprocess
import sys
import textwrap

import pytest
import torch
from torch import nn

from initcheck.errors import InitcheckError, UsageError
from initcheck.fix import checkpoint
from initcheck.remedy.healing import heal_checkpoint

MODEL = textwrap.dedent("""
    import torch
    from torch import nn

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU())
            self.norm = nn.BatchNorm1d(32)
            self.head = nn.Linear(32, 4)

        def forward(self, x):
            return self.head(self.norm(self.body(x)))
""")


@pytest.fixture
def target(tmp_path):
    path = tmp_path / "model.py"
    path.write_text(MODEL)
    return f"{path}::Net"


@pytest.fixture
def weights():
    scope = {"__name__": "model"}
    exec(MODEL, scope)
    torch.manual_seed(0)
    model = scope["Net"]()
    nn.init.zeros_(model.body[2].weight)
    nn.init.zeros_(model.body[2].bias)
    return model.state_dict()


def same(one, other):
    return one.dtype == other.dtype and torch.equal(one, other)


@pytest.mark.parametrize("modern", [True, False], ids=["archive", "legacy"])
def test_a_nested_checkpoint_is_healed_and_kept_as_it_was(tmp_path, target, weights, modern):
    optimizer = {"state": {0: {"step": torch.tensor(7.0), "exp_avg": torch.randn(3)}}, "param_groups": [{"lr": 0.1, "params": [0]}]}
    whole = {
        "epoch": 3,
        "state_dict": {f"module.{name}": value for name, value in weights.items()},
        "optimizer": optimizer,
        "names": ["a", "b"],
    }
    source, out = str(tmp_path / "in.pt"), str(tmp_path / "out.pt")
    torch.save(whole, source, _use_new_zipfile_serialization=modern)
    raw = (tmp_path / "in.pt").read_bytes()
    result = heal_checkpoint(target, source, out, unsafe=True)
    assert result.result.ok and result.changed == ("state_dict/module.body.2.weight",)
    assert (tmp_path / "in.pt").read_bytes() == raw
    again = torch.load(out, weights_only=True)
    assert again["epoch"] == 3 and again["names"] == ["a", "b"] and again["optimizer"]["param_groups"] == optimizer["param_groups"]
    assert same(again["optimizer"]["state"][0]["exp_avg"], optimizer["state"][0]["exp_avg"])
    for name, value in weights.items():
        assert same(again["state_dict"][f"module.{name}"], value) == (name != "body.2.weight")
    assert abs(float(again["state_dict"]["module.body.2.weight"].std()) - (2 / 32) ** 0.5) < 0.03
    assert result.digest in str(result) and "Wrote" in str(result)
    assert checkpoint.digest(checkpoint.held(source).every(), result.changed) == checkpoint.digest(
        checkpoint.held(out).every(), result.changed
    )


def test_safetensors_keep_their_metadata(tmp_path, target, weights):
    from safetensors import safe_open
    from safetensors.torch import load_file, save_file

    source, out = str(tmp_path / "in.safetensors"), str(tmp_path / "out.safetensors")
    save_file(weights, source, metadata={"format": "pt", "note": "mine"})
    result = heal_checkpoint(target, source, out, unsafe=True)
    assert result.changed == ("body.2.weight",)
    with safe_open(out, framework="pt") as file:
        assert file.metadata() == {"format": "pt", "note": "mine"}
    again = load_file(out)
    assert [name for name in weights if not same(again[name], weights[name])] == ["body.2.weight"]


def test_without_leave_nothing_is_written(tmp_path, target, weights):
    source, out = str(tmp_path / "in.pt"), tmp_path / "out.pt"
    torch.save(weights, source)
    result = heal_checkpoint(target, source, str(out))
    assert not result.changed and not out.exists()
    assert "Nothing was written" in str(result) and "unsafe" in str(result)


def test_without_a_model_only_what_the_numbers_show_is_drawn(tmp_path, weights):
    weights["body.0.weight"] = torch.full((32, 16), 0.1)
    weights["norm.weight"][0] = float("nan")
    source, out = str(tmp_path / "in.pt"), str(tmp_path / "out.pt")
    torch.save(weights, source)
    result = heal_checkpoint(None, source, out, unsafe=True)
    again = torch.load(out, weights_only=True)
    changed = [name for name in weights if not same(again[name], weights[name]) and not weights[name].isnan().any()]
    assert changed == ["body.0.weight"]
    assert float(again["body.0.weight"].abs().max()) <= 16**-0.5
    assert again["norm.weight"].isnan().sum() == 1
    assert "IC307" in {one.finding.code for one in result.result.declined} or "IC307" in {one.code for one in result.result.remaining}


def test_tied_tensors_stay_tied(tmp_path):
    shared = torch.full((8, 16), 0.1)
    source, out = str(tmp_path / "in.pt"), str(tmp_path / "out.pt")
    torch.save({"a.weight": shared, "b.weight": shared, "c.weight": torch.randn(8, 16)}, source)
    result = heal_checkpoint(None, source, out, unsafe=True)
    again = torch.load(out, weights_only=True)
    assert set(result.changed) == {"a.weight", "b.weight"}
    assert again["a.weight"].data_ptr() == again["b.weight"].data_ptr()


def test_the_file_may_be_healed_in_its_place_and_twice_is_once(tmp_path, target, weights):
    path = str(tmp_path / "in.pt")
    torch.save(weights, path)
    assert heal_checkpoint(target, path, path, unsafe=True).changed
    healed = (tmp_path / "in.pt").read_bytes()
    assert not heal_checkpoint(target, path, path, unsafe=True).changed
    assert (tmp_path / "in.pt").read_bytes() == healed
    assert sorted(file.name for file in tmp_path.iterdir() if file.suffix == ".pt") == ["in.pt"]


def test_what_does_not_belong_together_is_refused(tmp_path, target, weights):
    source = str(tmp_path / "in.pt")
    torch.save({"other.weight": torch.randn(4, 4)}, source)
    with pytest.raises(UsageError, match="has no `other.weight`"):
        heal_checkpoint(target, source, str(tmp_path / "out.pt"), unsafe=True)
    torch.save(weights | {"head.weight": torch.randn(5, 32)}, source)
    with pytest.raises(UsageError, match="5 × 32 in the file and 4 × 32"):
        heal_checkpoint(target, source, str(tmp_path / "out.pt"), unsafe=True)
    with pytest.raises(UsageError, match="format"):
        heal_checkpoint(target, source, str(tmp_path / "out.safetensors"), unsafe=True)
    with pytest.raises(UsageError, match="no folder"):
        heal_checkpoint(target, source, str(tmp_path / "nowhere" / "out.pt"), unsafe=True)
    torch.save(nn.Linear(4, 4), source)
    with pytest.raises(InitcheckError):
        heal_checkpoint(target, source, str(tmp_path / "out.pt"), unsafe=True)
    assert not (tmp_path / "out.pt").exists()


def test_a_failed_write_leaves_nothing_behind(tmp_path, target, weights, monkeypatch):
    source, out = str(tmp_path / "in.pt"), tmp_path / "out.pt"
    torch.save(weights, source)
    out.write_bytes(b"old")

    def broken(one, path):
        path.write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(checkpoint, "_save", broken)
    with pytest.raises(OSError, match="disk full"):
        heal_checkpoint(target, source, str(out), unsafe=True)
    assert out.read_bytes() == b"old"
    assert sorted(path.name for path in tmp_path.iterdir() if path.suffix == ".pt") == ["in.pt", "out.pt"]


def test_a_process_killed_while_writing_loses_nothing(tmp_path, weights):
    source = tmp_path / "in.pt"
    torch.save(weights | {"a.weight": torch.full((8, 16), 0.1)}, source)
    before = source.read_bytes()
    program = textwrap.dedent(f"""
        import os, signal
        from initcheck.fix import checkpoint
        from initcheck.remedy.healing import heal_checkpoint
        save = checkpoint._save
        def killed(one, path):
            save(one, path)
            os.truncate(path, 100)
            os.kill(os.getpid(), signal.SIGKILL)
        checkpoint._save = killed
        heal_checkpoint(None, {str(source)!r}, {str(source)!r}, unsafe=True)
    """)
    ended = subprocess.run([sys.executable, "-c", program], env=os.environ | {"PYTHONPATH": os.getcwd()}, check=False)
    assert ended.returncode == -signal.SIGKILL
    assert source.read_bytes() == before
