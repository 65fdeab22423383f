"""Where weights come from: every bad source has one clear answer, and nothing in a file is executed."""

import json
import os
import struct
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from initcheck.construct import catalogues
from initcheck.errors import TargetError, UsageError
from initcheck.pretrained import cached
from initcheck.pretrained.sources import opened_source


class Runs:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (os.system, (f"touch {self.path}",))


@pytest.fixture
def state():
    torch.manual_seed(0)
    return nn.Linear(4, 2).state_dict()


def refusal(text):
    with pytest.raises(TargetError) as caught:
        opened_source(str(text))
    return caught.value


def test_a_file_and_a_folder(tmp_path, state):
    torch.save(state, tmp_path / "pytorch_model.bin")
    for text in (tmp_path / "pytorch_model.bin", tmp_path, f"hf:{tmp_path}"):
        assert set(opened_source(str(text)).entries) == {"weight", "bias"}


def test_parts_behind_an_index(tmp_path, state):
    saving = pytest.importorskip("safetensors.torch")
    saving.save_file({"weight": state["weight"]}, tmp_path / "a.safetensors")
    saving.save_file({"bias": state["bias"]}, tmp_path / "b.safetensors")
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"weight": "a.safetensors", "bias": "b.safetensors"}}))
    source = opened_source(str(tmp_path))
    assert set(source.entries) == {"weight", "bias"} and torch.equal(source.entries["bias"].read(), state["bias"])
    (tmp_path / "b.safetensors").unlink()
    assert refusal(tmp_path).name == "damaged"


def test_a_hostile_pickle_is_not_opened(tmp_path):
    torch.save({"weight": torch.ones(2), "run": Runs(tmp_path / "executed")}, tmp_path / "bad.pt")
    assert refusal(tmp_path / "bad.pt").name == "unsafe-pickle"
    assert not (tmp_path / "executed").exists()


@pytest.mark.parametrize(
    ("name", "content", "page"),
    [
        ("empty.pt", b"", "damaged"),
        ("text.safetensors", b"not weights at all, just some text", "damaged"),
        ("page.pt", b"<!DOCTYPE html><html>404</html>", "damaged"),
        ("pointer.safetensors", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "damaged"),
        ("huge.safetensors", struct.pack("<Q", 1 << 40) + b'{"a":1}' + b" " * 64, "damaged"),
        ("cut.safetensors", struct.pack("<Q", 4096) + b'{"weight"', "damaged"),
        ("other.pt", b"GGUF" + b"\0" * 64, "not-python"),
        ("program.py", b"import torch\n", "no-weights"),
    ],
)
def test_wrong_files(tmp_path, name, content, page):
    (tmp_path / name).write_bytes(content)
    error = refusal(tmp_path / name)
    assert error.name == page and error.hint and str(tmp_path / name) in error.message


def test_a_truncated_file(tmp_path, state):
    torch.save(state, tmp_path / "whole.pt")
    (tmp_path / "cut.pt").write_bytes((tmp_path / "whole.pt").read_bytes()[:-200])
    assert refusal(tmp_path / "cut.pt").name == "damaged"


def test_an_optimizer_is_no_model(tmp_path):
    torch.save(torch.optim.Adam(nn.Linear(2, 2).parameters()).state_dict(), tmp_path / "opt.pt")
    assert refusal(tmp_path / "opt.pt").name == "no-weights"


def test_a_folder_that_does_not_say_which(tmp_path, state):
    assert refusal(tmp_path).name == "no-weights"
    torch.save(state, tmp_path / "a.pt")
    torch.save(state, tmp_path / "b.pt")
    assert "several" in refusal(tmp_path).message and str(tmp_path / "a.pt") in refusal(tmp_path).hint


def test_what_is_not_there(tmp_path):
    assert refusal(tmp_path / "none.pt").name == "file-missing"
    assert refusal(f"hf:{tmp_path}/none").name == "file-missing"
    assert "torchvision:resnet18" in refusal("resnet18").hint
    with pytest.raises(UsageError):
        opened_source(" ")


def test_addresses_are_not_fetched():
    error = refusal("https://example.org/net.pt")
    assert error.name == "offline" and "curl" in error.hint


def test_torchvision(tmp_path, monkeypatch):
    torchvision = pytest.importorskip("torchvision")
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    error = refusal("torchvision:resnet18")
    assert error.name == "offline" and "get_model('resnet18'" in error.hint
    assert "IMAGENET1K_V2" in refusal("torchvision:resnet50:V9").hint
    assert "resnet18" in refusal("torchvision:resnet81").hint
    weights = torchvision.models.ResNet18_Weights.IMAGENET1K_V1
    file = tmp_path / "checkpoints" / weights.url.rpartition("/")[2]
    file.parent.mkdir()
    torch.save({"weight": torch.ones(2, 2), "bias": torch.ones(2)}, file)
    assert refusal("torchvision:resnet18").name == "damaged"
    monkeypatch.setattr(cached, "_sha256", lambda path: "f37072fd" + "0" * 56)
    assert set(opened_source("torchvision:resnet18:IMAGENET1K_V1").entries) == {"weight", "bias"}


def test_timm(tmp_path, monkeypatch):
    configuration = SimpleNamespace(hf_hub_id="timm/", url="")
    timm = SimpleNamespace(
        is_model=lambda name: name == "tiny", list_models=lambda: ["tiny"], get_pretrained_cfg=lambda name: configuration
    )
    asked = []
    hub = SimpleNamespace(try_to_load_from_cache=lambda repository, name: asked.append(repository))
    monkeypatch.setattr(cached, "library", lambda name: {"timm": timm, "huggingface_hub": hub}[name])
    error = refusal("timm:tiny.in1k")
    assert error.name == "offline" and "timm.create_model('tiny.in1k'" in error.hint and set(asked) == {"timm/tiny.in1k"}
    assert "timm:tiny" in refusal("timm:tinyy").hint
    torch.save({"weight": torch.ones(2, 2), "bias": torch.ones(2)}, tmp_path / "pytorch_model.bin")
    hub.try_to_load_from_cache = lambda repository, name: str(tmp_path / name) if name == "pytorch_model.bin" else None
    assert set(opened_source("timm:tiny.in1k").entries) == {"weight", "bias"}
    assert set(opened_source("hf:org/name").entries) == {"weight", "bias"}


def test_a_library_that_is_not_installed(monkeypatch):
    monkeypatch.setattr(catalogues.importlib, "import_module", _missing)
    assert refusal("timm:resnet18").name == "missing-import"


def _missing(name):
    raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def test_the_hub_is_asked_for_what_lies_here_only(monkeypatch):
    pytest.importorskip("huggingface_hub")
    error = refusal("hf:nobody/has-this-model")
    assert error.name == "offline" and "hf download nobody/has-this-model" in error.hint
