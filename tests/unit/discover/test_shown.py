"""Values that a source connects with names."""

import ast
import textwrap

import pytest

from initcheck.discover import shown


def tree(source):
    return ast.parse(textwrap.dedent(source))


def test_options_of_all_parsers():
    found = shown.options(
        tree("""
            parser.add_argument("-s", "--hidden-size", type=int, default=64)
            parser.add_argument("--lr", dest="rate", default=1e-3)
            parser.add_argument("--data", required=True)
            parser.add_argument("--none", default=None)
            flags.DEFINE_integer("depth", 4, "layers")
            click.option("--drop", default=0.5)
            parser.add_argument("--made", default=make())
        """)
    )
    assert {name: ast.unparse(value) for name, value in found.items()} == {
        "hidden_size": "64",
        "rate": "0.001",
        "depth": "4",
        "drop": "0.5",
    }


def test_constants_that_change_are_none():
    found = shown.constants(tree("WIDTH = 3\nx = 1\nx = 2\ndef f():\n    depth, heads = 2, 4\n    name: str = 'a'\n    made = g()\n"))
    assert {name: ast.literal_eval(value) for name, value in found.items()} == {"WIDTH": 3, "depth": 2, "heads": 4, "name": "a"}


def test_hints_are_written_small_and_options_win():
    assert shown.hints(tree("HIDDEN = 3\nparser.add_argument('--hidden', default=5)\nEMPTY = None\n")) == (("hidden", "5"),)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("net(torch.randn(1, 3, 32, 32))", "float32[1,3,32,32]"),
        ("x = torch.rand(2, 16).cuda()\nmodel(x)", "float32[2,16]"),
        ("SIZE = (4, 1, 28, 28)\nmodel(torch.zeros(SIZE))", "float32[4,1,28,28]"),
        ("n = 8\nNet()(torch.ones([n, 5]))", "float32[8,5]"),
        ("ids = torch.randint(0, 100, (2, 7))\nmask = torch.ones(2, 7)\nencoder(ids, mask)", "int64[2,7]<100; float32[2,7]"),
        ("summary(net, (3, 32, 32))", "3,32,32"),
        ("summary(net, input_size=(1, 3, 32, 32))", "float32[1,3,32,32]"),
        ("x = Variable(torch.randn(10, 3))\nnet(x)", "float32[10,3]"),
    ],
)
def test_sample_inputs(source, text):
    (found,) = shown.examples(tree(source))
    assert found.split("  # line ")[0] == text


@pytest.mark.parametrize(
    "source", ["criterion(torch.randn(1, 3))", "net(x)", "net(torch.randn(n, 3))", "nn.Softmax(1)(torch.randn(2, 3))", "net()"]
)
def test_what_is_no_sample_input(source):
    assert shown.examples(tree(source)) == ()
