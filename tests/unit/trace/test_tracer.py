"""The graph of one forward pass: versions of storages, parts, regions, and what stays untouched."""

import json
import subprocess
import sys

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from initcheck.records.graph import Graph
from initcheck.records.serial import from_plain, to_plain
from initcheck.trace.session import preserved
from initcheck.trace.tracer import ForwardError, trace


class Watcher:
    """An observer that remembers which outputs it was shown."""

    def __init__(self, *ops):
        self.ops = set(ops)
        self.seen = {}
        self.inputs = {}
        self.gradients = {}

    def wants(self, op):
        return not self.ops or op in self.ops

    def forward(self, node, op, output, inputs):
        self.seen[node] = (op, tuple(output.shape))
        self.inputs[node] = inputs

    def backward(self, node, gradient):
        self.gradients[node] = gradient.clone()


class Function(nn.Module):
    def __init__(self, body, **layers):
        super().__init__()
        for name, layer in layers.items():
            setattr(self, name, layer)
        self.body = body

    def forward(self, *args, **kwargs):
        return self.body(self, *args, **kwargs)


def graph(body, *args, **layers):
    return trace(Function(body, **layers), args, {}, Watcher("none")).graph


def ops(found):
    return [node.op for node in found.nodes if node.op not in ("input", "parameter", "constant")]


def test_views_make_no_nodes():
    found = graph(lambda m, x: torch.relu(x.view(2, 8).t().reshape(4, 4)[None].expand(3, 4, 4).permute(1, 0, 2)), torch.randn(4, 4))
    assert ops(found) == ["clone", "relu"]  # the reshape of a transposed tensor copies


def test_equal_parts_are_spelled_equally():
    def body(m, x):
        a, b = x.chunk(2, -1)
        return torch.relu(a) + torch.tanh(x[..., :3]) + torch.sigmoid(b)

    found = graph(body, torch.randn(2, 6))
    views = {node.op: node.inputs[0].view for node in found.nodes if node.op in ("relu", "tanh", "sigmoid")}
    assert views["relu"] == views["tanh"] != ""
    assert views["sigmoid"] not in ("", views["relu"])


def test_a_whole_permuted_value_has_no_part():
    found = graph(lambda m, x: torch.relu(x.transpose(0, 1)[None]), torch.randn(2, 6))
    assert next(node for node in found.nodes if node.op == "relu").inputs[0].view == ""


def test_in_place_writes_make_new_versions():
    def body(m, x):
        y = x + 1
        before = torch.tanh(y)
        y.relu_()
        return before + torch.sigmoid(y)

    found = graph(body, torch.randn(3))
    by_op = {node.op: node for node in found.nodes}
    add = next(node for node in found.nodes if node.op == "add")
    assert by_op["tanh"].inputs[0].node == add.id
    assert by_op["relu"].inputs[0].node == add.id
    assert by_op["sigmoid"].inputs[0].node == by_op["relu"].id


def test_partial_write_leaves_old_and_new():
    def body(m, x):
        y = x * 2
        y[:, :2] = torch.relu(x[:, :2])
        return torch.sigmoid(y), torch.tanh(y[:, :2])

    found = graph(body, torch.randn(2, 4))
    by_op = {node.op: node for node in found.nodes}
    merged = by_op["slice_scatter"]
    assert {found.nodes[edge.node].op for edge in merged.inputs} == {"mul", "copy"}
    assert by_op["sigmoid"].inputs[0].node == merged.id
    assert by_op["tanh"].inputs[0].node == by_op["copy"].id


def test_canonical_names_and_attributes():
    def body(m, x):
        return F.relu6(F.selu(F.celu(F.elu(F.leaky_relu(x.clamp(min=0), 0.2), 0.5), 2.0)))

    found = graph(body, torch.randn(3))
    assert ops(found) == ["relu", "leaky_relu", "elu", "celu", "selu", "hardtanh"]
    by_op = {node.op: dict(node.attributes) for node in found.nodes}
    assert by_op["leaky_relu"]["negative_slope"] == pytest.approx(0.2)
    assert by_op["elu"]["alpha"] == pytest.approx(0.5)
    assert by_op["hardtanh"]["max_val"] == 6


def test_recurrent_module_is_one_node():
    found = trace(Function(lambda m, x: torch.relu(m.rnn(x)[0]), rnn=nn.GRU(3, 4, num_layers=2)), (torch.randn(5, 2, 3),), {}, Watcher())
    node = next(node for node in found.graph.nodes if node.op == "recurrent")
    assert ops(found.graph) == ["recurrent", "relu"]
    assert (node.module, dict(node.attributes)["cell"], node.shape) == ("rnn", "gru", (5, 2, 4))
    names = {found.graph.nodes[edge.node].parameters for edge in node.inputs if found.graph.nodes[edge.node].op == "parameter"}
    assert len(names) == 8
    assert found.observer.seen[node.id] == ("recurrent", (5, 2, 4))


class Double(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return torch.tanh(x) * 2

    @staticmethod
    def backward(ctx, gradient):
        return gradient


class Setup(torch.autograd.Function):
    @staticmethod
    def forward(x):
        return torch.tanh(x) * 2

    @staticmethod
    def setup_context(ctx, inputs, output):
        pass

    @staticmethod
    def backward(ctx, gradient):
        return gradient


@pytest.mark.parametrize("kind", [Double, Setup])
def test_each_custom_function_call_is_one_node(kind):
    found = trace(Function(lambda m, x: torch.relu(kind.apply(kind.apply(m.a(x)))), a=nn.Linear(3, 3)), (torch.randn(2, 3),), {}, Watcher())
    assert ops(found.graph) == ["addmm", "custom", "custom", "relu"]
    customs = [node for node in found.graph.nodes if node.op == "custom"]
    assert [dict(node.attributes)["name"] for node in customs] == [kind.__name__] * 2
    assert [found.observer.seen[node.id] for node in customs] == [("custom", (2, 3))] * 2
    assert customs[1].inputs[0].node == customs[0].id


def test_module_paths_and_reached_parameters():
    model = nn.Sequential(nn.Linear(3, 3), nn.Sequential(nn.Linear(3, 3)))
    model.spare = nn.Linear(2, 2)
    model.forward = lambda x: model[1](model[0](x))
    found = trace(model, (torch.randn(2, 3),), {}, Watcher())
    assert [node.module for node in found.graph.nodes if node.op == "addmm"] == ["0", "1.0"]
    assert set(found.reached) == {"0.weight", "0.bias", "1.0.weight", "1.0.bias"}


def test_parameters_that_share_a_flat_buffer():
    flat = torch.randn(12)
    model = Function(lambda m, x: (x @ m.a) @ m.b)
    model.a, model.b = nn.Parameter(flat[:6].view(2, 3)), nn.Parameter(flat[6:].view(3, 2))
    model.a.data, model.b.data = flat[:6].view(2, 3), flat[6:].view(3, 2)
    found = trace(model, (torch.randn(4, 2),), {}, Watcher()).graph
    used = [found.nodes[node.inputs[1].node].parameters for node in found.nodes if node.op == "mm"]
    assert used == [("a",), ("b",)]


def test_failing_module_is_named():
    model = nn.Sequential(nn.Linear(3, 4), nn.Sequential(nn.Linear(5, 2)))
    with pytest.raises(ForwardError) as caught, preserved(model):
        trace(model, (torch.randn(2, 3),), {}, Watcher())
    assert (caught.value.module, caught.value.kind) == ("1.0", "Linear")
    assert isinstance(caught.value.cause, RuntimeError)
    assert not torch.nn.modules.module._global_forward_hooks
    assert not torch.nn.modules.module._global_forward_pre_hooks


def test_overwritten_input_is_not_shown():
    watcher = Watcher("relu")
    trace(Function(lambda m, x: (x + 1).relu_()), (torch.randn(3),), {}, watcher)
    assert list(watcher.inputs.values()) == [(None,)]


def test_random_stream_is_the_same():
    def body(m, x):
        return F.dropout(m.a(x), 0.5) + torch.randn(4)

    model = Function(body, a=nn.Linear(4, 4))
    torch.manual_seed(3)
    plain = model(torch.ones(2, 4))
    torch.manual_seed(3)
    traced = trace(model, (torch.ones(2, 4),), {}, Watcher()).outputs[0][1]
    assert torch.equal(plain, traced)


def test_graph_survives_json():
    found = graph(lambda m, x: F.max_pool2d(m.c(x), 2), torch.randn(2, 3, 8, 8), c=nn.Conv2d(3, 4, 3, padding=1))
    assert from_plain(Graph, json.loads(json.dumps(to_plain(found)))) == found


def test_compiler_is_not_imported():
    code = (
        "import sys, torch\n"
        "from initcheck.trace.session import preserved\n"
        "from initcheck.trace.tracer import trace\n"
        "class O:\n    def wants(self, op): return False\n"
        "model = torch.nn.Linear(3, 3)\n"
        "with preserved(model): trace(model, (torch.randn(2, 3),), {}, O())\n"
        "sys.exit('torch._dynamo' in sys.modules)\n"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
