"""What is read from source: the modules, their parameters with shapes and writes, and what is left open."""

import textwrap

import pytest

from initcheck.discover.static.facts.stated import evidence_of, parameters_of
from initcheck.discover.static.offers import readable
from initcheck.discover.static.reading import read
from initcheck.errors import TargetError

HEAD = "import math\nimport torch\nimport torch.nn as nn\nimport torch.nn.functional as F\n"


def evidence(tmp_path, source, name="Net"):
    path = tmp_path / "net.py"
    path.write_text(HEAD + textwrap.dedent(source))
    (target,), problems = readable(f"{path}::{name}")
    assert not problems
    return evidence_of(target, read(target))


def call_of(found, name):
    ruling = found.record(name).ruling()
    return (ruling.call.get().name, dict(ruling.call.get().kwargs), ruling.origin) if ruling.call.known() else ruling.call.reason


def net(init, forward="return x"):
    body = textwrap.indent(textwrap.dedent(init).strip(), " " * 8)
    return f"class Net(nn.Module):\n    def __init__(self, width=8, act=None):\n        super().__init__()\n{body}\n\n    def forward(self, x):\n        {forward}\n"


@pytest.mark.parametrize(
    ("made", "shapes"),
    [
        ("nn.Linear(3, 5)", {"part.weight": (5, 3), "part.bias": (5,)}),
        ("nn.Linear(width, 2 * width, bias=False)", {"part.weight": (16, 8)}),
        ("nn.Conv2d(4, 6, 3, groups=2)", {"part.weight": (6, 2, 3, 3), "part.bias": (6,)}),
        ("nn.ConvTranspose1d(4, 6, (5,))", {"part.weight": (4, 6, 5), "part.bias": (6,)}),
        ("nn.Embedding(10, width)", {"part.weight": (10, 8)}),
        ("nn.BatchNorm2d(7)", {"part.weight": (7,), "part.bias": (7,)}),
        ("nn.LayerNorm((2, 3), bias=False)", {"part.weight": (2, 3)}),
        ("nn.InstanceNorm2d(4)", {}),
        ("nn.GRUCell(3, 4)", {"part.weight_ih": (12, 3), "part.weight_hh": (12, 4), "part.bias_ih": (12,), "part.bias_hh": (12,)}),
        ("nn.Bilinear(2, 3, 4, bias=False)", {"part.weight": (4, 2, 3)}),
        ("nn.Parameter(torch.zeros(2, 3))", {"part": (2, 3)}),
        (
            "nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 4, bias=False))",
            {"part.0.weight": (3, 2), "part.0.bias": (3,), "part.2.weight": (4, 3)},
        ),
        ("nn.ModuleList(nn.Linear(i + 1, 2, bias=False) for i in range(2))", {"part.0.weight": (2, 1), "part.1.weight": (2, 2)}),
        ("nn.ModuleDict({'a': nn.Linear(1, 1, bias=False)})", {"part.a.weight": (1, 1)}),
    ],
)
def test_the_modules_of_torch_have_their_parameters(tmp_path, made, shapes):
    found = evidence(tmp_path, net(f"self.part = {made}"))
    assert {record.name: record.shape for record in found.recording.parameters} == shapes


def test_shapes_are_those_that_torch_makes(tmp_path):
    """Against the real thing: the parameters of a model of many parts."""
    parts = [
        "nn.LSTM(3, 4, num_layers=2, bidirectional=True)",
        "nn.RNN(3, 4, bias=False)",
        "nn.MultiheadAttention(8, 2)",
        "nn.TransformerEncoderLayer(8, 2, 16)",
        "nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), 2)",
        "nn.PReLU()",
        "nn.GroupNorm(2, 4)",
        "nn.Conv3d(2, 4, (1, 2, 3))",
        "nn.ConvTranspose2d(4, 6, 3, groups=2)",
    ]
    source = net("\n".join(f"self.part{index} = {made}" for index, made in enumerate(parts)))
    found = evidence(tmp_path, source)
    space = {}
    exec(compile(HEAD + textwrap.dedent(source), "net", "exec"), space)
    real = {name: tuple(parameter.shape) for name, parameter in space["Net"]().named_parameters()}
    assert {record.name: record.shape for record in found.recording.parameters} == real


def test_loops_defaults_and_constants_are_folded(tmp_path):
    found = evidence(
        tmp_path,
        """
        WIDTHS = [4, 8, 16]
        SCALE = math.sqrt(2) / 2

        class Net(nn.Module):
            def __init__(self, depth=2, bias=None):
                super().__init__()
                bias = bias is not None
                layers = []
                for a, b in zip(WIDTHS, WIDTHS[1:]):
                    layers += [nn.Linear(a, b, bias=bias), nn.ReLU()]
                self.body = nn.Sequential(*layers)
                for index in range(depth):
                    setattr(self, f"head{index}", nn.Linear(WIDTHS[-1], index + 1))
                nn.init.normal_(self.head1.weight, std=SCALE / 10)
        """,
    )
    assert {record.name for record in found.recording.parameters} == {
        "body.0.weight",
        "body.2.weight",
        "head0.weight",
        "head0.bias",
        "head1.weight",
        "head1.bias",
    }
    name, arguments, _ = call_of(found, "head1.weight")
    assert (name, arguments["mean"]) == ("normal_", 0.0)
    assert arguments["std"] == pytest.approx(0.0707107, rel=1e-5)


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        ("nn.init.xavier_uniform_(self.fc.weight)", ("xavier_uniform_", {"gain": 1.0})),
        ("nn.init.xavier_normal(self.fc.weight, 2.0)", ("xavier_normal_", {"gain": 2.0})),
        ("nn.init.xavier_uniform_(self.fc.weight, gain=nn.init.calculate_gain('tanh'))", ("xavier_uniform_", {"gain": 5 / 3})),
        (
            "nn.init.kaiming_normal_(self.fc.weight, nonlinearity='relu')",
            ("kaiming_normal_", {"a": 0, "mode": "fan_in", "nonlinearity": "relu"}),
        ),
        ("self.fc.weight.data.normal_(0, 0.02)", ("normal_", {"mean": 0, "std": 0.02})),
        ("self.fc.weight.data.uniform_(-width ** -0.5, width ** -0.5)", ("uniform_", {"from": -(8**-0.5), "to": 8**-0.5})),
        ("self.fc.weight.data.fill_(0.5)", ("fill_", {"value": 0.5})),
        ("torch.nn.init.constant_(self.fc.weight, val=1.5)", ("constant_", {"val": 1.5})),
        ("self.fc.weight.data = torch.rand(4, 8)", ("rand", {})),
        ("self.fc.weight = nn.Parameter(torch.randn(4, 8) * 0.1)", ("randn", {})),
        ("self.apply(self._init)", ("orthogonal_", {"gain": 1.0})),
        ("self.apply(top)", ("eye_", {})),
        ("self.reset()", ("zeros_", {})),
        ("for m in self.modules():\n    if isinstance(m, nn.Linear):\n        m.weight.data.zero_()", ("zero_", {})),
        ("for n, p in self.named_parameters():\n    if 'weight' in n:\n        nn.init.ones_(p)", ("ones_", {})),
        (
            "for m in self.modules():\n    name = m.__class__.__name__\n    if name.find('Linear') != -1:\n        nn.init.ones_(m.weight)",
            ("ones_", {}),
        ),
    ],
)
def test_writes_are_followed_to_their_parameter(tmp_path, written, wanted):
    methods = "\n    def _init(self, module):\n        if isinstance(module, (nn.Linear, nn.Conv2d)):\n            nn.init.orthogonal_(module.weight)\n\n    def reset(self):\n        nn.init.zeros_(self.fc.weight)\n\n\ndef top(m):\n    if type(m) == nn.Linear:\n        nn.init.eye_(m.weight)\n"
    found = evidence(tmp_path, net(f"self.fc = nn.Linear(8, 4)\n{written}") + methods)
    name, arguments, origin = call_of(found, "fc.weight")
    assert (name, arguments, origin) == (
        wanted[0],
        pytest.approx(wanted[1]) if all(isinstance(v, float) for v in wanted[1].values()) else wanted[1],
        "user",
    )


def test_arithmetic_on_a_draw_is_part_of_it(tmp_path):
    found = evidence(tmp_path, net("self.w = nn.Parameter(torch.randn(400, 8) / 4)\nself.w.data.mul_(2)"))
    assert found.stats("w").std == pytest.approx(0.5)


def test_init_applied_outside_the_class_belongs_to_the_model(tmp_path):
    source = (
        net("self.fc = nn.Linear(4, 4)")
        + "\n\ndef init(m):\n    if isinstance(m, nn.Linear):\n        nn.init.zeros_(m.weight)\n\n\nmodel = Net()\nmodel.apply(init)\nnn.init.ones_(model.fc.bias)\n"
    )
    found = evidence(tmp_path, source, "model")
    assert call_of(found, "fc.weight")[0] == "zeros_"
    assert call_of(found, "fc.bias")[0] == "ones_"


@pytest.mark.parametrize(
    "doubtful",
    [
        "if torch.cuda.is_available():\n    nn.init.zeros_(self.fc.weight)",
        "helper(self.fc)",
        "self.post_init()",
        "nn.init.normal_(self.fc.weight, std=helper())",
        "self.fc.weight.data.copy_(load())",
        "for layer in helper():\n    nn.init.zeros_(self.fc.weight)",
        "self.load_state_dict(torch.load('w.pt'))",
        "setattr(self.fc, helper(), 3)",
        "self.fc.weight.data.clamp_(min=0)",
    ],
)
def test_what_the_text_does_not_settle_is_left_open(tmp_path, doubtful):
    found = evidence(tmp_path, "from elsewhere import helper, load\n" + net(f"self.fc = nn.Linear(4, 4)\n{doubtful}"))
    assert found.stats("fc.weight") is None


def test_what_is_certain_stays_so_beside_what_is_not(tmp_path):
    found = evidence(
        tmp_path,
        "from elsewhere import helper\n"
        + net("self.a = helper()\nself.b = nn.Linear(4, 4)\nnn.init.zeros_(self.b.weight)\nhelper(self.a)"),
    )
    assert call_of(found, "b.weight")[0] == "zeros_"
    assert found.stats("b.weight").zeros == 16


def test_a_size_that_is_not_known_leaves_the_call(tmp_path):
    source = "class Net(nn.Module):\n    def __init__(self, size):\n        super().__init__()\n        self.fc = nn.Linear(size, 4)\n        nn.init.xavier_uniform_(self.fc.weight)\n"
    found = evidence(tmp_path, source)
    assert call_of(found, "fc.weight")[0] == "xavier_uniform_"
    assert found.record("fc.weight").shape == ()
    assert found.stats("fc.weight") is None


def test_a_call_in_the_file_gives_a_class_its_arguments(tmp_path):
    source = "class Net(nn.Module):\n    def __init__(self, size):\n        super().__init__()\n        self.fc = nn.Linear(size, 4)\n\n\ndef main():\n    Net(size=6).train()\n"
    assert evidence(tmp_path, source).record("fc.weight").shape == (4, 6)


def test_memory_that_nobody_writes_and_rows_that_are_left_out(tmp_path):
    found = evidence(
        tmp_path,
        net(
            "self.a = nn.Parameter(torch.empty(4, 3))\nself.b = nn.Parameter(torch.empty(4, 3))\nself.b.data[:3].zero_()\nself.c = nn.Parameter(torch.empty(4, 3))\nself.c.data[:2].zero_()\nself.c.data[2:].zero_()"
        ),
    )
    assert [found.record(name).unwritten for name in "abc"] == [12, 3, 0]


def test_memory_that_a_larger_model_fills_is_left_open(tmp_path):
    source = net("self.a = nn.Parameter(torch.empty(4, 3))")
    source += "\n\nclass Whole(nn.Module):\n    def _init_weights(self, module):\n        if isinstance(module, Net):\n            nn.init.ones_(module.a)\n"
    found = evidence(tmp_path, source)
    assert found.record("a").unwritten == 0
    assert not found.record("a").ruling().call.known()


def test_tied_weights_are_one_parameter(tmp_path):
    found = evidence(
        tmp_path, net("self.emb = nn.Embedding(9, 4)\nself.out = nn.Linear(4, 9, bias=False)\nself.out.weight = self.emb.weight")
    )
    assert [(record.name, record.tied) for record in found.recording.parameters] == [("emb.weight", ("out.weight",))]


def test_subclasses_run_their_bases_constructor(tmp_path):
    source = """
    class Base(nn.Module):
        def __init__(self, width):
            super().__init__()
            self.fc = nn.Linear(width, width)
            self.reset()

        def reset(self):
            nn.init.zeros_(self.fc.weight)

    class Net(Base):
        def __init__(self):
            super().__init__(6)

        def reset(self):
            nn.init.ones_(self.fc.weight)
    """
    found = evidence(tmp_path, source)
    assert found.record("fc.weight").shape == (6, 6)
    assert call_of(found, "fc.weight")[0] == "ones_"


def test_the_number_of_parameters_is_told_only_when_it_is_known(tmp_path):
    path = tmp_path / "net.py"
    path.write_text(
        HEAD
        + "from elsewhere import Part\n"
        + textwrap.dedent(net("self.fc = nn.Linear(4, 4)"))
        + "\n\nclass Other(Net):\n    def __init__(self):\n        super().__init__()\n        self.more = Part()\n"
    )
    counts = {}
    for name in ("Net", "Other"):
        (target,), _ = readable(f"{path}::{name}")
        counts[name] = parameters_of(read(target))
    assert counts["Net"] == 20
    assert counts["Other"] == 0


def test_what_is_no_module_in_the_text_is_refused(tmp_path):
    path = tmp_path / "net.py"
    path.write_text("from elsewhere import build\nimport torch\nmodel = build()\nmodel.parameters()\n")
    (target,), _ = readable(f"{path}::model")
    with pytest.raises(TargetError, match="the source alone does not say") as caught:
        read(target)
    assert caught.value.name == "not-readable"


def test_endless_code_is_given_up(tmp_path):
    path = tmp_path / "net.py"
    path.write_text(HEAD + net("self.fc = nn.Linear(2, 2)\nfor a in range(1000):\n    for b in range(1000):\n        c = a + b"))
    (target,), _ = readable(f"{path}::Net")
    with pytest.raises(TargetError, match="too large to be read"):
        read(target)
