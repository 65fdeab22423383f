"""Trained weights that are not on this machine."""

import pytest
import torch
from torch import nn

import initcheck
from initcheck.construct.recording.recorder import Recorder
from initcheck.construct.stand_ins.transformers_models import KNOWN
from initcheck.rules.judge import NOT_MEASURED
from tests.unit.construct.stand_ins.building import TORCH, build, fails, net

__all__ = ["build", "fails"]

HEAD = f"{TORCH}from torchvision import models\nfrom torch.hub import load_state_dict_from_url\nimport torch.utils.model_zoo as zoo\n"
NOT_DOWNLOADED = "pretrained weights of {} were not downloaded: its random initialization stands in their place and is not judged as yours"
ADDRESS = "https://download.pytorch.org/models/resnet18-5c106cde.pth"
SMALL = "class Small(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.body, self.fc = nn.Linear(3, 3), nn.Linear(3, 3)\n\nmodel = Small()\n"


@pytest.fixture
def origins(build, tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "hub"))

    def origins(source, name="model"):
        recorder = Recorder()
        made = build(source, name, watch=recorder)
        assert not (tmp_path / "hub").exists()
        return {one.name: one.ruling().origin for one in recorder.resolve(made.model).parameters}, made.built.notes

    return origins


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("expression", "title"),
    [
        ("models.squeezenet1_1(pretrained=True)", "squeezenet1_1"),
        ("models.squeezenet1_1(weights='DEFAULT')", "squeezenet1_1"),
        ("models.squeezenet1_1(weights=models.SqueezeNet1_1_Weights.IMAGENET1K_V1)", "squeezenet1_1"),
        ("torch.hub.load('pytorch/vision:v0.10.0', 'squeezenet1_1', pretrained=True, verbose=False)", "squeezenet1_1"),
    ],
)
def test_torchvision(origins, expression, title):
    pytest.importorskip("torchvision")
    found, notes = origins(f"{HEAD}model = {expression}\nmodel.classifier[1] = nn.Conv2d(512, 7, 1)\n")
    assert notes == (NOT_DOWNLOADED.format(title),)
    mine = {name for name, origin in found.items() if origin != "loaded"}
    assert mine == {"classifier.1.weight", "classifier.1.bias"}


STATES = [
    "model.load_state_dict(load_state_dict_from_url(URL))",
    "model.load_state_dict(zoo.load_url(URL, progress=True), strict=False)",
    "state = load_state_dict_from_url(URL)\nmodel.load_state_dict(state['model'] if 'model' in state else state)",
    "state = load_state_dict_from_url(URL)\nmodel.load_state_dict({k.replace('a.', ''): v for k, v in state.items()})",
    "state = load_state_dict_from_url(URL)\nown = model.state_dict()\nown.update({k: v for k, v in state.items() if k in own})\nmodel.load_state_dict(own)",
]


@pytest.mark.parametrize("lines", STATES)
def test_states_from_an_address(origins, lines):
    found, notes = origins(HEAD + SMALL + lines.replace("URL", repr(ADDRESS)) + "\n")
    assert set(found.values()) == {"loaded"}
    assert notes == (NOT_DOWNLOADED.format("resnet18"),)


def test_entries_that_were_taken_out_are_the_users(origins):
    lines = f"state = load_state_dict_from_url('{ADDRESS}')\nstate.pop('fc.weight')\ndel state['fc.bias']\nmodel.load_state_dict(state, strict=False)\n"
    found, _ = origins(HEAD + SMALL + lines)
    assert found == {"body.weight": "loaded", "body.bias": "loaded", "fc.weight": "framework default", "fc.bias": "framework default"}


def test_the_random_values_stay_what_they_were(build):
    torch.manual_seed(0)
    plain = build(TORCH + "model = nn.Linear(3, 3)\n", "model").model
    torch.manual_seed(0)
    marked = build(f"{TORCH}model = nn.Linear(3, 3)\nmodel.load_state_dict(torch.load('gone.pth'))\n", "model").model
    assert torch.equal(plain.weight, marked.weight)


def test_weights_of_the_cache_are_loaded(build, tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "hub"))
    (tmp_path / "hub" / "hub" / "checkpoints").mkdir(parents=True)
    torch.save({"weight": torch.full((2, 2), 3.0), "bias": torch.zeros(2)}, tmp_path / "hub" / "hub" / "checkpoints" / "a-12345678.pth")
    made = build(
        f"{HEAD}model = nn.Linear(2, 2)\nmodel.load_state_dict(load_state_dict_from_url('https://x.org/a-12345678.pth'))\n", "model"
    )
    assert made.model.weight.unique().tolist() == [3.0]
    assert made.built.notes == ()


@pytest.mark.parametrize(
    "load", ["torch.load('runs/best.pth', map_location='cuda')", "torch.load('runs/best.pth')['state_dict']", "load_file('runs/best.pth')"]
)
def test_a_checkpoint_that_is_not_there(origins, load):
    head = "from safetensors.torch import load_file\n" if "load_file" in load else ""
    found, notes = origins(f"{head}{TORCH}model = nn.Linear(3, 3)\nmodel.load_state_dict({load})\n")
    assert set(found.values()) == {"loaded"}
    assert notes == ("runs/best.pth is not there: the random initialization of Linear stands in its place and is not judged as yours",)


def test_a_checkpoint_that_is_there(build, tmp_path):
    torch.save(nn.Linear(2, 2).state_dict(), tmp_path / "here.pth")
    made = build(f"{TORCH}model = nn.Linear(2, 2)\nmodel.load_state_dict(torch.load('here.pth', map_location='cuda:0'))\n", "model")
    assert torch.equal(made.model.weight, torch.load(tmp_path / "here.pth")["weight"])
    assert made.built.notes == ()


def test_a_pickled_model_is_not_opened(fails, tmp_path):
    torch.save(nn.Linear(2, 2), tmp_path / "whole.pth")
    error = fails(f"{TORCH}def initcheck_model():\n    return torch.load('whole.pth', weights_only=False)\n")
    assert error.name == "unsafe-pickle"
    assert error.message == "model.py:4 opens whole.pth, which holds pickled objects: opening them can run any code"


NEEDED = [
    ("return torch.load('whole.pth')", "file-missing", "whole.pth, which is not there"),
    ("s = torch.load('a.pth'); return nn.Linear(s['w'].shape[0], 2)", "file-missing", "model.py:5 reads a.pth, which is not there"),
    ("s = torch.load('a.pth'); return nn.Linear(s['width'], 2)", "file-missing", "model.py:5 reads a.pth, which is not there"),
    ("s = torch.load('a.pth'); m = nn.Linear(2, 2); m.weight.data.copy_(s['w']); return m", "file-missing", "model.py:5 reads a.pth"),
    (
        "s = torch.hub.load_state_dict_from_url('https://x.org/b.pth'); return nn.Linear(len(s['x']) + s['w'].n, 2)",
        "offline",
        "model.py:5 reads the pretrained weights b",
    ),
    ("return torch.hub.load('ultralytics/yolov5', 'yolov5s')", "offline", "model.py:5 loads yolov5s from github.com/ultralytics/yolov5"),
]


@pytest.mark.parametrize(("line", "name", "words"), NEEDED)
def test_what_cannot_do_without_the_weights_says_so(fails, line, name, words):
    error = fails(f"{TORCH}\ndef initcheck_model():\n    {line}\n")
    assert error.name == name
    assert words in error.message


def test_everything_is_as_before(build):
    before = (nn.Module.load_state_dict, torch.load, torch.hub.load, torch.hub.load_state_dict_from_url, torch.utils.model_zoo.load_url)
    build(f"{HEAD}model = nn.Linear(3, 3)\nmodel.load_state_dict(zoo.load_url('https://x.org/b.pth'))\n", "model")
    assert before == (
        nn.Module.load_state_dict,
        torch.load,
        torch.hub.load,
        torch.hub.load_state_dict_from_url,
        torch.utils.model_zoo.load_url,
    )


def test_no_finding_about_weights_that_were_left_out(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    source = f"{TORCH}model = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 8))\nnn.init.zeros_(model[0].weight)\n"
    (tmp_path / "mine.py").write_text(source)
    (tmp_path / "theirs.py").write_text(source + "model.load_state_dict(torch.load('gone.pth'))\n")
    (mine,) = initcheck.check("mine.py::model").models
    (theirs,) = initcheck.check("theirs.py::model").models
    assert [finding.name for finding in mine.findings] == ["zero-weight"]
    assert theirs.findings == ()
    assert NOT_MEASURED in [skip.reason for skip in theirs.skips]
    assert NOT_MEASURED not in [skip.reason for skip in mine.skips]


def test_the_users_own_part_is_still_judged(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    source = f"{TORCH}body = nn.Linear(8, 64)\nbody.load_state_dict(torch.load('gone.pth'))\nmodel = nn.Sequential(body, nn.ReLU(), nn.Linear(64, 8))\nnn.init.zeros_(model[2].weight)\nmodel.append(nn.Linear(8, 8))\n"
    (tmp_path / "part.py").write_text(source)
    (report,) = initcheck.check("part.py::model").models
    assert [finding.parameters for finding in report.findings if finding.name == "zero-weight"] == [("2.weight",)]


HF = "import torch\nfrom torch import nn\nfrom transformers import AutoConfig, AutoModel, AutoTokenizer, BertForSequenceClassification, BertModel\n"


@pytest.fixture
def small(monkeypatch):
    pytest.importorskip("transformers")
    values = {"vocab_size": 50, "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 8}
    monkeypatch.setitem(KNOWN, "bert-base-uncased", ("bert", values))


def hf(*lines):
    return HF + net(*lines).removeprefix(TORCH)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("reference", ["bert-base-uncased", "google-bert/bert-base-uncased"])
def test_a_published_architecture(origins, small, reference):
    found, notes = origins(
        hf("self.tokenizer = AutoTokenizer.from_pretrained('x/y')", f"self.enc = AutoModel.from_pretrained('{reference}')"), "Net"
    )
    assert {name.split(".")[0]: origin for name, origin in found.items()} == {"enc": "loaded", "fc": "framework default"}
    assert notes == (NOT_DOWNLOADED.format("bert-base-uncased"),)


@pytest.mark.filterwarnings("ignore")
def test_the_head_on_top_is_new(origins, small):
    found, _ = origins(hf("self.m = BertForSequenceClassification.from_pretrained('bert-base-uncased', num_labels=5)"), "Net")
    assert {origin for name, origin in found.items() if ".bert." in name} == {"loaded"}
    assert found["m.classifier.weight"] == "library"


@pytest.mark.filterwarnings("ignore")
def test_a_configuration_alone(build, small):
    made = build(hf("c = AutoConfig.from_pretrained('bert-base-uncased', hidden_size=6)", "self.enc = BertModel(c)"), "Net")
    assert made.model.enc.embeddings.word_embeddings.weight.shape == (50, 6)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("line", "words", "hint"),
    [
        (
            "self.m = AutoModel.from_pretrained('nobody/secret')",
            "the configuration of nobody/secret",
            "hf download nobody/secret config.json",
        ),
        ("self.m = BertModel.from_pretrained('./nowhere')", "there is no such folder", "./nowhere"),
        (
            "self.c = AutoConfig.from_pretrained('nobody/secret')",
            "the configuration of nobody/secret",
            "hf download nobody/secret config.json",
        ),
        (
            "t = AutoTokenizer.from_pretrained('nobody/secret'); self.e = nn.Embedding(len(t), 3)",
            "the tokenizer of nobody/secret",
            "hf download nobody/secret",
        ),
    ],
)
def test_what_is_not_known_of_a_model(fails, small, line, words, hint):
    error = fails(hf(line), "Net")
    assert error.name in ("offline", "file-missing")
    assert error.message.startswith("model.py:8 needs")
    assert words in error.message
    assert hint in error.hint


def test_known_configurations_have_the_published_sizes():
    transformers = pytest.importorskip("transformers")
    sizes = {
        "bert-base-uncased": 109_482_240,
        "distilbert-base-uncased": 66_362_880,
        "roberta-base": 124_645_632,
        "gpt2": 124_439_808,
        "gpt2-xl": 1_557_611_200,
    }
    for name, size in sizes.items():
        kind, values = KNOWN[name]
        with torch.device("meta"):
            model = transformers.AutoModel.from_config(transformers.AutoConfig.for_model(kind, **values))
        assert sum(parameter.numel() for parameter in model.parameters()) == size, name
