"""Models of importable modules: found from inside their package too; catalogues and configurations correct what is misspelt."""

import json
import sys
import types

import pytest

from initcheck.construct.builder import construct
from initcheck.discover import targets
from initcheck.errors import TargetError

NET = (
    "from torch import nn\nfrom .parts import block\n\n\nclass Net(nn.Module):\n    def __init__(self, width=8):\n        super().__init__()\n"
    "        self.a = block(width)\n\n    def forward(self, x):\n        return self.a(x)\n\n\ndef build():\n    return Net(16)\n"
)


class Watch:
    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None


def built(spec):
    (target,) = targets.parse(spec)
    return construct(target, Watch())


def refusal(spec):
    with pytest.raises(TargetError) as caught:
        built(spec)
    return caught.value


@pytest.fixture
def project(tmp_path, monkeypatch):
    package = tmp_path / "src" / "deepnet" / "models"
    package.mkdir(parents=True)
    (package.parent / "__init__.py").touch()
    (package / "__init__.py").touch()
    (package / "net.py").write_text(NET)
    (package / "parts.py").write_text("from torch import nn\n\n\ndef block(width):\n    return nn.Linear(width, 4)\n")
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    for name in [name for name in sys.modules if name.split(".")[0] == "deepnet"]:
        del sys.modules[name]


@pytest.mark.parametrize(
    ("inside", "spec"),
    [
        (".", "deepnet.models.net:build"),
        ("src", "deepnet.models.net:build"),
        ("src/deepnet", "deepnet.models.net:build"),
        ("src/deepnet", "models.net:build"),
        ("src/deepnet/models", "net:build()"),
        ("src/deepnet/models", "net:Net(width=16)"),
    ],
)
def test_a_package_is_found_from_inside(project, monkeypatch, inside, spec):
    monkeypatch.chdir(project / inside)
    before = list(sys.path)
    made = built(spec)
    assert type(made.model).__module__ == "deepnet.models.net"
    assert made.model.a.in_features == 16
    assert sys.path == before


def test_a_module_that_is_nowhere(project):
    problem = refusal("nowhere.models:build")
    assert problem.name == "missing-import"
    assert f"started in {project}" in problem.message and "looked in" in problem.message
    assert "pip install -e ." in problem.hint and "PYTHONPATH=" in problem.hint


def test_a_misspelt_module_and_a_misspelt_name(project):
    assert refusal("deepnet.models.nte:build").hint == "did you mean deepnet.models.net?"
    assert refusal("deepnet.models.net:biuld").hint == "did you mean deepnet.models.net:build?"
    assert (
        refusal("deepnet.models.net:zzz").hint == "it offers: block, Net, build" or "Net, build" in refusal("deepnet.models.net:zzz").hint
    )
    assert refusal("torchvison:resnet18").hint == "did you mean torchvision:...?"


def test_a_module_that_imports_what_is_not_there(project):
    (project / "src/deepnet/models/net.py").write_text(NET.replace("from .parts", "from surely_not_here"))
    problem = refusal("deepnet.models.net:build")
    assert problem.name == "missing-import"
    assert "surely_not_here" in problem.message and "pip install" in problem.hint


def test_the_catalogue_of_torchvision():
    pytest.importorskip("torchvision")
    assert built("torchvision:squeezenet1_1(num_classes=7)").model.classifier[1].out_channels == 7
    assert refusal("torchvision:SqueezeNet1_1").hint == "did you mean torchvision:squeezenet1_1?"
    assert refusal("torchvision:ResNet_18").hint == "did you mean torchvision:resnet18?"
    assert "list_models" in refusal("torchvision:zzzzzz").hint


@pytest.fixture
def timm(monkeypatch):
    from torch import nn

    def create_model(name, *, pretrained, **options):
        assert pretrained is False
        return nn.Linear(3, options.get("num_classes", 5))

    library = types.ModuleType("timm")
    library.create_model, library.list_models = create_model, lambda: ["vit_tiny", "resnet18"]
    library.is_model = lambda name: name.partition(".")[0] in library.list_models()
    monkeypatch.setitem(sys.modules, "timm", library)


def test_the_catalogue_of_timm(timm):
    assert built("timm:vit_tiny.augreg_in21k(num_classes=2)").model.out_features == 2
    assert refusal("timm:resnte18").hint == "did you mean timm:resnet18?"


@pytest.mark.parametrize("library", ["torchvision", "timm"])
def test_a_catalogue_that_is_not_installed(monkeypatch, library):
    monkeypatch.setitem(sys.modules, library, None)
    monkeypatch.setitem(sys.modules, f"{library}.models", None)
    problem = refusal(f"{library}:resnet18")
    assert (problem.name, problem.hint) == ("missing-import", f"pip install {library}")


class TestConfigurations:
    @pytest.fixture
    def folder(self, tmp_path, monkeypatch):
        pytest.importorskip("transformers")
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("HF_HOME", str(tmp_path / "cache"))

        def write(**config):
            (tmp_path / "saved").mkdir(exist_ok=True)
            (tmp_path / "saved" / "config.json").write_text(json.dumps(config))
            return "hf:saved"

        return write

    def test_a_folder(self, folder):
        small = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 64, "vocab_size": 50}
        made = built(folder(model_type="bert", architectures=["BertForMaskedLM"], **small))
        assert type(made.model).__name__ == "BertForMaskedLM"
        assert made.built.notes == ("built from the configuration, no weights were loaded",)
        made = built(folder(model_type="bert", architectures=["BertWithNothing"], **small))
        assert type(made.model).__name__ == "BertModel"
        assert "transformers has no BertWithNothing; the model is without its head" in made.built.notes

    def test_code_of_its_own_is_not_run(self, folder):
        problem = refusal(folder(model_type="own_thing", auto_map={"AutoConfig": "conf.Config"}))
        assert problem.name == "refused"

    def test_a_model_that_transformers_does_not_know(self, folder):
        assert refusal(folder(model_type="own_thing")).hint == "pip install -U transformers"

    def test_a_damaged_configuration(self, folder, tmp_path):
        spec = folder()
        (tmp_path / "saved" / "config.json").write_text("{")
        assert refusal(spec).name == "damaged"

    def test_an_id_that_is_not_in_the_cache(self, folder):
        problem = refusal("hf:nobody/surely-not-there")
        assert (problem.name, problem.hint) == ("offline", "hf download nobody/surely-not-there config.json")
