"""Packages that are not installed: stood in where the weights do not depend on them, named where they do."""

import sys

import pytest

import initcheck
from initcheck.errors import TargetError
from tests.unit.construct.stand_ins.building import TORCH, build, fails, net

__all__ = ["build", "fails"]


@pytest.mark.parametrize(
    ("head", "lines"),
    [
        ("import nobody_has_wandb as wandb", ["wandb.init(project='x')", "wandb.config.update({'a': 1})"]),
        ("from nobody.logging import get_logger; log = get_logger(__name__)", ["log.info('built %d', width)"]),
        ("import nobody.deep.module as m", ["m.setup(threads=3)"]),
        ("from nobody import special_error", ["assert not isinstance(self, special_error)"]),
        ("from nobody import REG; REG = REG.Registry('models')", ["REG.names"]),
        ("import nobody; nobody.flags['seed'] = 3; seed = nobody.flags['seed'] + 1", ["assert seed == 4"]),
        ("import nobody; nobody.config.depth = 3", ["assert nobody.config.depth + 1 == 4"]),
        ("import nobody", ["with nobody.scope('x'):", "    pass"]),
        ("import nobody", ["print(f'{nobody.name} {nobody.run:}')"]),
        ("from nobody import Metric", ["self.accuracy = Metric(task='multiclass')"]),
        ("import torchsummary_nobody, wandb", ["wandb.watch(nn.Linear(2, 2))"]),
    ],
)
def test_what_the_weights_do_not_depend_on_is_stood_in(build, head, lines):
    made = build(net(*lines, head=head), "Net")
    assert sum(parameter.numel() for parameter in made.model.parameters()) == 10
    assert any("not installed; stood in (no weight depends on" in note for note in made.built.notes)
    assert not [name for name in sys.modules if name.split(".")[0] in ("nobody", "nobody_has_wandb", "wandb")]


def test_one_note_for_all(build):
    made = build(net("aaa_one.log()", "bbb_two.log()", head="import aaa_one, bbb_two.sub"), "Net")
    assert made.built.notes == ("aaa_one, bbb_two are not installed; stood in (no weight depends on them)",)


@pytest.mark.parametrize(
    "decoration",
    [
        "@R.register",
        "@R.register_module()",
        "@R.register_module(name='Net', force=True)",
        "@R.wrap(nn.Linear)",
        "@R.a\n@R.b()",
        "@R.main(version_base=None,\n        config_path='conf')",
    ],
)
def test_decorators_hand_back_what_they_decorate(build, decoration):
    source = (
        net(head="").replace("class Net", f"{decoration}\nclass Net").replace("    def __init__", "    @R.configurable\n    def __init__")
    )
    made = build("from nobody import R\n" + source, "Net")
    assert type(made.model).__name__ == "Net"
    assert made.model.fc.in_features == 4


def test_annotations_and_generics(build):
    head = "from typing import List, Optional, Union\nfrom nobody import Float, Int, Key"
    source = net("x: Optional[Key] = None", head=head).replace(
        "width=4",
        'width: Int = 4, a: Float[torch.Tensor, "b c"] | None = None, b: List[Key] = (), c: Union[Key, None] = None, d: "Key" = 1',
    )
    assert build(source, "Net").model.fc.in_features == 4


def test_a_class_of_the_user_may_be_tested_for_a_missing_class(build):
    source = net(
        "self.known = isinstance(nn.Linear(1, 1), (Conv, nn.Conv2d)), isinstance(self, Mixin), issubclass(type(self), Mixin)",
        head="from nobody import Conv, TheMixin as Mixin\nfrom nobody import PyTorchModelHubMixin as Mixin",
        base="nn.Module, Mixin, tag='x'",
    )
    assert build(source, "Net").model.known == (False, True, True)


LAYERS = [
    ("self.l = {'a': nn.ReLU}[Layer.kind]()", "nobody.nn.Layer.kind"),
    ("self.l = nn.Linear(**Layer.sizes)", "nobody.nn.Layer.sizes"),
    ("self.l = nn.Linear(*Layer.sizes)", "nobody.nn.Layer.sizes"),
    ("self.l = nn.Linear(max(3, Layer.size), 2)", "nobody.nn.Layer.size"),
    ("self.l = getattr(nn, Layer.kind)(2)", "nobody.nn.Layer.kind"),
    ("self.register_buffer('b', Layer.table())", "nobody.nn.Layer.table"),
    ("import numpy as np; self.w = nn.Parameter(torch.from_numpy(np.asarray(Layer.table)))", "nobody.nn.Layer.table"),
    ("import numpy as np; self.l = nn.Linear(int(np.prod(Layer.shape)), 2)", "nobody.nn.Layer.shape.prod"),
    ("self.l = nn.Linear(len(Layer.words), 2)", "nobody.nn.Layer.words"),
    ("self.conv = Layer(4, 4)", "nobody.nn.Layer"),
    ("self.convs = [Layer(4, 4) for _ in range(2)]", "nobody.nn.Layer"),
    ("self.body = nn.Sequential(nn.Linear(4, 4), Layer(4))", "nobody.nn.Layer"),
    ("self.body = nn.ModuleList([Layer(i) for i in range(3)])", "nobody.nn.Layer"),
    ("self.add_module('x', Layer.build(4)[1])", "nobody.nn.Layer.build"),
    ("self.other = nn.Linear(Layer.width, 3)", "nobody.nn.Layer.width"),
    ("self.other = nn.Linear(3, int(Layer.width()))", "nobody.nn.Layer.width"),
    ("self.other = nn.Conv2d(3, 4, Layer.kernel)", "nobody.nn.Layer.kernel"),
    ("for i in range(Layer.depth): pass", "nobody.nn.Layer.depth"),
    ("for i in Layer.depths: pass", "nobody.nn.Layer.depths"),
    ("if Layer.deep: pass", "nobody.nn.Layer.deep"),
    ("if Layer.kind == 'deep': pass", "nobody.nn.Layer.kind"),
    ("a, b = Layer.sizes", "nobody.nn.Layer.sizes"),
    ("self.w = nn.Parameter(Layer.table())", "nobody.nn.Layer.table"),
    ("self.w = nn.Parameter(torch.zeros(3) + Layer.offset)", "nobody.nn.Layer.offset"),
    ("self.w = nn.Parameter(torch.cat([torch.zeros(3), Layer.offset]))", "nobody.nn.Layer.offset"),
    ("self.w = nn.Parameter(torch.zeros(Layer.size, 3))", "nobody.nn.Layer.size"),
    ("self.w = nn.Parameter(torch.zeros(3)); Layer.init_(self.w)", "nobody.nn.Layer.init_"),
    ("self.l = nn.Linear(3, 3); Layer.init(self.l, std=2)", "nobody.nn.Layer.init"),
    ("self.l = nn.Linear(3, 3); self.apply(Layer.init)", "nobody.nn.Layer.init"),
    ("self.l = nn.Linear(3, 3); nn.init.normal_(self.l.weight, std=Layer.std)", "nobody.nn.Layer.std"),
    ("self.d = nn.Dropout(Layer.rate)", "nobody.nn.Layer.rate"),
    ("self.l = nn.Linear(3, 3, bias=Layer.bias)", "nobody.nn.Layer.bias"),
    ("self.act = getattr(nn, 'ReLU')() if Layer.x > 3 else None", "nobody.nn.Layer.x"),
    ("self.l = nn.ModuleDict({'a': Layer(3)})", "nobody.nn.Layer"),
]


@pytest.mark.parametrize(("line", "name"), LAYERS)
def test_what_the_model_is_made_of_is_named(fails, line, name):
    error = fails(net(line, head="from nobody.nn import Layer"), "Net")
    assert error.name == "missing-import"
    assert error.message == f"model.py:7 needs {name}, which is not installed"
    assert error.hint == "pip install nobody"


def test_a_buffer_that_is_none(fails):
    error = fails(net("self.register_buffer('b', Layer.table)", head="from nobody.nn import Layer"), "Net")
    assert error.message == "the model needs nobody.nn.Layer.table, which is not installed"


def test_the_model_itself_comes_from_a_missing_package(fails):
    error = fails(f"{TORCH}import segmentation_models_pytorch as smp\nmodel = smp.Unet('resnet18')\nmodel.to('cpu')\n", "model")
    assert error.message == "model.py:4 needs segmentation_models_pytorch.Unet, which is not installed"
    assert error.hint == "pip install segmentation-models-pytorch"


@pytest.mark.parametrize("base", ["MessagePassing", "base.Backbone", "nn.Module, Layer"])
def test_a_base_class_that_may_bring_layers(fails, base):
    error = fails(net(head="from nobody import MessagePassing, base, Layer", base=base), "Net")
    assert error.name == "missing-import"
    assert f"needs nobody.{base.split(', ')[-1]}, which" in error.message


def test_such_a_base_class_does_no_harm_where_nobody_makes_an_instance(build):
    source = f"{TORCH}from nobody import Backbone, make\nclass Other(Backbone):\n    pass\nKINDS = {{'other': Other}}\n" + net(
        "KINDS['net'] = 1"
    ).removeprefix(TORCH)
    assert build(source, "Net").model.fc.in_features == 4


def test_hidden_modules_of_an_object_with_a_missing_base(fails):
    source = (
        f"{TORCH}from nobody import TheWrapper\nclass Part(TheWrapper):\n    def __init__(self):\n        self.fc = nn.Linear(2, 2)\n"
        + net("self.part = Part()").removeprefix(TORCH)
    )
    assert "needs nobody.TheWrapper" in fails(source, "Net").message


@pytest.mark.parametrize("package", ["attr", "pydantic_nobody"])
def test_constructors_written_by_a_package(fails, package):
    if package != "attr":
        package = "chex"
    source = f"{TORCH}import {package}\n@{package}.dataclass\nclass Config:\n    width: int = 3\n" + net("Config(width=3)").removeprefix(
        TORCH
    )
    assert fails(source, "Net").message == f"model.py:4 needs {package}.dataclass, which is not installed"


@pytest.mark.parametrize(
    "head",
    [
        "try:\n    import nobody\n    HAVE = True\nexcept ImportError:\n    HAVE = False",
        "try:\n    from nobody.sub import x\n    HAVE = True\nexcept (ModuleNotFoundError, AttributeError):\n    HAVE = False",
        "try:\n    import nobody\n    HAVE = True\nexcept Exception as e:\n    HAVE = False",
        "try:\n    import nobody\n    HAVE = True\nexcept:\n    HAVE = False",
        "import contextlib\nHAVE = False\nwith contextlib.suppress(ImportError):\n    import nobody\n    HAVE = True",
        "import importlib.util\nHAVE = importlib.util.find_spec('nobody') is not None",
        "import importlib\ntry:\n    importlib.import_module('nobody')\n    HAVE = True\nexcept ImportError:\n    HAVE = False",
        "def have():\n    import nobody\n    return True\ntry:\n    HAVE = have()\nexcept ImportError:\n    HAVE = False",
    ],
)
def test_a_file_that_can_do_without_takes_its_own_way(build, head):
    assert build(net("assert not HAVE", head=head), "Net").built.notes == ()


def test_a_handler_that_gives_up_is_no_way_to_do_without(build):
    head = "try:\n    import nobody\nexcept ImportError:\n    raise ImportError('pip install nobody')"
    assert build(net("nobody.log()", head=head), "Net").built.notes


def test_in_modules_of_the_user_too_but_not_in_libraries(build, fails):
    made = build(net("parts.hello()", head="import parts"), "Net", parts="import nobody\ndef hello():\n    nobody.log(1)\n")
    assert "nobody is not installed" in made.built.notes[0]
    error = fails(
        net("parts.Part()", head="import parts"),
        "Net",
        parts="import nobody\nclass Part:\n    def __init__(self):\n        self.n = nobody.n + 1\n",
    )
    assert error.message == "parts.py:4 needs nobody.n, which is not installed"


def test_a_missing_file_of_the_user(build, fails):
    assert build(net("utils.log(1)", head="import utils"), "Net").built.notes == (
        "there is no file utils.py; stood in (no weight depends on it)",
    )
    error = fails(net("self.l = utils.layers.Conv(3)", head="import utils.layers"), "Net")
    assert error.message == "model.py:7 needs utils.layers.Conv; there is no file utils.py beside model.py and no package of that name"
    assert "utils.py" in error.hint


def test_a_star_import(fails):
    error = fails(net("self.c = Conv(3)", head="from nobody import *"), "Net")
    assert error.message == "model.py:7 needs nobody.Conv, which is not installed"


@pytest.mark.parametrize(
    ("package", "hint"),
    [
        ("cv2", "opencv-python"),
        ("skimage", "scikit-image"),
        ("apex", "git+https://github.com/NVIDIA/apex"),
        ("hydra", "hydra-core"),
        ("gin", "gin-config"),
    ],
)
def test_the_name_to_install(fails, package, hint):
    assert hint in fails(net(f"self.n = 1 + {package}.n", head=f"import {package}"), "Net").hint


def test_the_forward_names_what_it_lacks(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    source = net(head="from einops import rearrange") + "    def forward(self, x):\n        return self.fc(rearrange(x, 'b c -> b c'))\n"
    (tmp_path / "model.py").write_text(source)
    (report,) = initcheck.check("model.py::Net").models
    (failure,) = report.failures
    assert (failure.name, failure.message) == ("missing-import", "model.py:9 needs einops.rearrange, which is not installed")
    assert failure.hint == "pip install einops"
    assert report.parameters == 10


def test_only_while_building(build):
    before = list(sys.meta_path)
    with pytest.raises(TargetError):
        build(net("self.x = 1 + nobody.x", head="import nobody"), "Net")
    assert sys.meta_path == before


def test_a_missing_layer_in_a_list_is_named_though_arguments_are_missing_too(fails):
    source = (
        TORCH
        + "from nobody import graphs\nimport nobody.graphs as layers\n\n\nclass Net(nn.Module):\n    def __init__(self, in_size, out_size):\n"
        "        super().__init__()\n        self.layers = nn.ModuleList()\n        self.layers.append(layers.GATConv(in_size, out_size))\n"
    )
    problem = fails(source, "Net")
    assert problem.name == "missing-import"
    assert "nobody.graphs.GATConv" in problem.message
