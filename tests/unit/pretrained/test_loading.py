"""`initcheck.load`: what fits goes in and is proven, what does not is told, and the rest of the world stays as it was."""

import subprocess
import sys

import pytest
import torch
from torch import nn

import initcheck
from initcheck.errors import ExitCode, InitcheckError, UsageError


class Net(nn.Module):
    def __init__(self, classes=10):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU())
        self.norm = nn.BatchNorm1d(32)
        self.head = nn.Linear(32, classes)

    def forward(self, x):
        return self.head(self.norm(self.body(x)))


class Tied(nn.Module):
    def __init__(self, tied=True):
        super().__init__()
        self.embed, self.head = nn.Embedding(50, 16), nn.Linear(16, 50, bias=False)
        nn.init.normal_(self.embed.weight, std=0.02)
        if tied:
            self.head.weight = self.embed.weight

    def forward(self, ids):
        return self.head(self.embed(ids))


X = torch.randn(8, 16)


@pytest.fixture
def stored():
    torch.manual_seed(3)
    return Net().state_dict()


def saved(path, state):
    torch.save(state, path)
    return str(path)


def test_everything(tmp_path, stored):
    model = Net()
    report = initcheck.load(model, saved(tmp_path / "net.pt", stored), inputs=X)
    assert report.ok and report.random_share == 0.0 and len(report.loaded) == len(stored)
    assert all(torch.equal(value, stored[name]) for name, value in model.state_dict().items())
    assert repr(report) == "<LoadReport: 11 loaded, 0.0 % stay random>"
    with pytest.raises(TypeError, match=r"report\.ok"):
        bool(report)


def test_counters_and_running_statistics_go_in(tmp_path, stored):
    stored["norm.num_batches_tracked"] = torch.tensor(17)
    stored["norm.running_mean"] = torch.randn(32)
    model = Net()
    initcheck.load(model, saved(tmp_path / "net.pt", stored), inputs=X)
    assert int(model.norm.num_batches_tracked) == 17 and torch.equal(model.norm.running_mean, stored["norm.running_mean"])


@pytest.mark.parametrize(
    "wrap", [lambda s: {"state_dict": s, "epoch": 3}, lambda s: {"model": {f"module.{k}": v for k, v in s.items()}, "optimizer": {}}]
)
def test_nested_checkpoints(tmp_path, stored, wrap):
    report = initcheck.load(Net(), saved(tmp_path / "net.pt", wrap(stored)), inputs=X)
    assert len(report.loaded) == len(stored) and any("read from" in note for note in report.arrival.notes)


def test_a_prefix_is_taken_off_and_told(tmp_path, stored):
    report = initcheck.load(Net(), saved(tmp_path / "net.pt", {f"backbone.{k}": v for k, v in stored.items()}), inputs=X)
    assert len(report.loaded) == len(stored)
    assert any("without `backbone.`" in note for note in report.arrival.notes)


def test_other_classes(tmp_path, stored):
    report = initcheck.load(Net(3), saved(tmp_path / "net.pt", stored), inputs=X)
    assert {one.name: one.because for one in report.mismatched} == dict.fromkeys(
        ("head.weight", "head.bias"), "10 classes in the file, 3 in the model"
    )
    assert report.ok and report.random_share == pytest.approx(99 / (1600 + 64 + 99))


def test_strict(tmp_path, stored):
    path = saved(tmp_path / "net.pt", stored)
    assert initcheck.load(Net(), path, inputs=X, strict=True).ok
    report = initcheck.load(Net(3), path, inputs=X, strict=True, out=str(tmp_path / "out.pt"))
    assert report.exit_code == ExitCode.FINDINGS and "strict" in report.withheld and not (tmp_path / "out.pt").exists()


def test_a_rename_is_offered_then_done(tmp_path, stored):
    path = saved(tmp_path / "net.pt", {k.replace("head", "classifier"): v for k, v in stored.items()})
    report = initcheck.load(Net(), path, inputs=X)
    assert [str(rename) for rename in report.arrival.renames] == ["classifier=head"] and len(report.missing) == 2
    assert len(initcheck.load(Net(), path, rename="classifier=head", inputs=X).loaded) == len(stored)
    with pytest.raises(UsageError):
        initcheck.load(Net(), path, rename="classifier", inputs=X)


def test_nothing_fits(tmp_path):
    path = saved(tmp_path / "net.pt", {"a.weight": torch.ones(3, 3), "b.weight": torch.ones(2, 2)})
    report = initcheck.load(Net(), path, inputs=X, out=str(tmp_path / "out.pt"))
    assert {finding.name for finding in report.model.findings} >= {"loaded-nothing"}
    assert report.exit_code == ExitCode.FINDINGS and report.withheld and not (tmp_path / "out.pt").exists()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_casts(tmp_path, stored, dtype):
    path = saved(tmp_path / "net.pt", {k: v.to(dtype) if v.is_floating_point() else v for k, v in stored.items()})
    report = initcheck.load(Net(), path, inputs=X)
    assert len(report.loaded) == len(stored) and any("cast from" in note for note in report.arrival.notes)
    assert any("with rounding" in note for note in report.arrival.notes) is False


def test_a_cast_that_rounds(tmp_path, stored):
    report = initcheck.load(Net().half(), saved(tmp_path / "net.pt", stored), inputs=X.half())
    assert len(report.loaded) == len(stored)
    assert any("with rounding" in note for note in report.arrival.notes)


def test_shared_memory_that_is_stored_once(tmp_path):
    saving = pytest.importorskip("safetensors.torch")
    saving.save_file({"embed.weight": torch.randn(50, 16)}, tmp_path / "tied.safetensors")
    ids = torch.randint(0, 50, (4, 6))
    report = initcheck.load(Tied(), str(tmp_path / "tied.safetensors"), inputs=ids)
    assert not report.missing and report.random_share == 0.0
    loose = initcheck.load(Tied(tied=False), str(tmp_path / "tied.safetensors"), inputs=ids)
    assert [finding.name for finding in loose.model.findings if finding.severity == "warning"] == ["tied-weight-untied"]
    assert not loose.ok


def test_two_tensors_for_one_memory(tmp_path):
    path = saved(tmp_path / "two.pt", {"embed.weight": torch.randn(50, 16), "head.weight": torch.randn(50, 16)})
    report = initcheck.load(Tied(), path, inputs=torch.randint(0, 50, (4, 6)))
    (one,) = report.arrival.of("changed")
    assert one.name == "embed.weight" and "two tensors for one memory" in one.because


def test_packed_integers_are_no_weights(tmp_path, stored):
    stored["body.0.weight"] = torch.zeros(32, 16, dtype=torch.int8)
    report = initcheck.load(Net(), saved(tmp_path / "net.pt", stored), inputs=X)
    (one,) = report.missing
    assert one.name == "body.0.weight" and "packed int8" in one.because


def test_the_world_stays_as_it_was(tmp_path, stored):
    model = Net().requires_grad_(False).eval()
    state = torch.get_rng_state()
    initcheck.load(model, saved(tmp_path / "net.pt", stored), inputs=X)
    assert torch.equal(state, torch.get_rng_state()) and not model.training
    assert all(parameter.grad is None and not parameter.requires_grad for parameter in model.parameters())
    assert int(model.norm.num_batches_tracked) == 0


@pytest.mark.parametrize("name", ["out.pt", "out.safetensors"])
def test_the_filled_model_is_written_whole(tmp_path, stored, name):
    if name.endswith("safetensors"):
        pytest.importorskip("safetensors")
    (tmp_path / name).write_bytes(b"what was there before")
    report = initcheck.load(Net(), saved(tmp_path / "net.pt", stored), inputs=X, out=str(tmp_path / name))
    assert report.written == str(tmp_path / name) and sorted(path.name for path in tmp_path.iterdir()) == sorted(["net.pt", name])
    again = initcheck.load(Net(), str(tmp_path / name), inputs=X, strict=True)
    assert again.ok and len(again.loaded) == len(stored)


def test_a_place_that_cannot_be_written(tmp_path, stored):
    path = saved(tmp_path / "net.pt", stored)
    with pytest.raises(UsageError, match="cannot write"):
        initcheck.load(Net(), path, inputs=X, out=str(tmp_path / "no" / "out.pt"))
    with pytest.raises(UsageError, match="cannot tell how"):
        initcheck.load(Net(), path, inputs=X, out=str(tmp_path / "out.xyz"))


def test_a_model_whose_own_code_refuses(tmp_path, stored):
    class Refusing(Net):
        def load_state_dict(self, state, *args, **kwargs):
            raise KeyError("version")

    with pytest.raises(InitcheckError, match="refused the weights") as caught:
        initcheck.load(Refusing(), saved(tmp_path / "net.pt", stored), inputs=X)
    assert caught.value.name == "load-failed"


def test_a_model_without_memory_is_filled(tmp_path, stored):
    with torch.device("meta"):
        model = Net()
    report = initcheck.load(model, saved(tmp_path / "net.pt", stored), inputs=X)
    assert len(report.loaded) == len(stored) and not any(value.is_meta for value in model.state_dict().values())


def test_missing_ones_are_judged(tmp_path, stored):
    model = Net()
    nn.init.zeros_(model.body[2].weight)
    path = saved(tmp_path / "net.pt", {k: v for k, v in stored.items() if not k.startswith("body.2")})
    report = initcheck.load(model, path, inputs=X)
    assert {"partly-loaded-body", "zero-weight"} <= {finding.name for finding in report.model.findings}


def test_importing_the_verb_imports_no_torch():
    code = "import sys, initcheck; initcheck.load; initcheck.LoadReport; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_missing_ones_get_the_recommended_scheme(tmp_path, stored):
    model = Net(7)
    nn.init.zeros_(model.body[2].weight)
    path = saved(tmp_path / "net.pt", {k: v for k, v in stored.items() if not k.startswith("body.2")})
    report = initcheck.load(model, path, fix_missing=True, inputs=X)
    drawn = {one.name: one.drawn for one in report.arrival.tensors if one.drawn}
    assert set(drawn) == {"body.2.weight", "body.2.bias", "head.weight", "head.bias"} and "kaiming_normal" in drawn["body.2.weight"]
    assert model.body[2].weight.detach().std() == pytest.approx((2 / 32) ** 0.5, rel=0.15) and not model.body[2].bias.any()
    assert not {"zero-weight"} & {finding.name for finding in report.model.findings}
    assert all(torch.equal(model.state_dict()[one.name], stored[one.name]) for one in report.loaded)
