"""A script that makes its model in functions, as one list of statements."""

import ast
import textwrap

import pytest

from initcheck.source.flattening import GUARD, chains, flattened, is_main_guard


def tree(source):
    return ast.parse(textwrap.dedent(source))


def flat(source, *chain):
    module = flattened(tree(source), chain)
    compile(module, "flat.py", "exec")
    return [ast.unparse(statement) for statement in module.body]


GUARDED = """
    import torch

    def train(model, rate=0.1):
        for epoch in range(3):
            model.step()

    def main(args, depth=2):
        net = build(args.width, depth)
        train(net)
        return net

    if __name__ == "__main__":
        options = parse()
        main(options, depth=4)
"""


def test_the_ways_into_a_file():
    assert chains(tree(GUARDED)) == ((GUARD,), (GUARD, "main"), (GUARD, "main", "train"))
    assert chains(tree("def f():\n    g()\ndef g(): pass\n")) == (("f",),)
    assert chains(tree("def f():\n    pass\nf()\n")) == (("f",),)


def test_arguments_become_assignments():
    lines = flat(GUARDED, GUARD, "main")
    assert lines[-5:] == ["depth = 4", "args = options", "net = build(args.width, depth)", "train(net)", "net"]
    assert "options = parse()" in lines
    assert not any(line.startswith("if __name__") for line in lines)


def test_statements_keep_their_lines():
    module = flattened(tree(GUARDED), (GUARD, "main"))
    made = next(node for node in ast.walk(module) if isinstance(node, ast.Assign) and ast.unparse(node).startswith("net = "))
    assert made.lineno == 9


def test_a_call_at_the_top_level():
    assert flat("x = 1\ndef main():\n    y = x\nmain()\nz = 3\n", "main") == ["x = 1", "def main():\n    y = x", "y = x"]


def test_a_function_that_is_handed_on():
    source = "import torch\ndef work(rank, size=2):\n    net = make(rank)\nif __name__ == '__main__':\n    torch.multiprocessing.spawn(work, nprocs=2)\n"
    assert flat(source, GUARD, "work")[-2:] == ["size = 2", "net = make(rank)"]


def test_defaults_of_click_options():
    source = "import click\n@click.command()\n@click.option('-h', '--hidden-size', default=64)\n@click.option('--layers', 'depth', default=3)\ndef main(hidden_size, depth, other):\n    net = make(hidden_size)\nmain()\n"
    assert set(flat(source, "main")[-3:]) == {"depth = 3", "hidden_size = 64", "net = make(hidden_size)"}


@pytest.mark.parametrize(
    ("block", "first"),
    [
        ("for fold in range(5):\n        net = Net(fold)\n        net.parameters()\n        train(net)", "fold = next(iter(range(5)))"),
        ("with start() as run:\n        net = Net()\n        net.parameters()\n        loss.backward()", "run = start()"),
        (
            "try:\n        net = Net()\n        net.parameters()\n        loss.backward()\n    except Exception:\n        raise",
            "net = Net()",
        ),
        ("if mode:\n        net = Net()\n        net.parameters()\n        loss.backward()\n    else:\n        test()", "net = Net()"),
    ],
)
def test_blocks_that_make_and_train_are_opened(block, first):
    lines = flat(f"def main():\n    {block}\n", "main")
    assert lines[1] == first
    assert any(line.startswith("net = Net(") for line in lines)


def test_a_block_that_only_changes_the_model_stays_whole():
    lines = flat("def main():\n    net = Net()\n    with torch.no_grad():\n        net.fc.weight.fill_(0)\n    net.parameters()\n", "main")
    assert lines[2].startswith("with torch.no_grad():")


def test_what_only_a_function_may_hold():
    source = """
        def main():
            count = 0
            def inner():
                nonlocal count
                return count
            if not inner():
                return
            net = Net()
    """
    assert "net = Net()" in flat(source, "main")


def test_generators_and_coroutines_are_left_alone():
    assert chains(tree("def f():\n    yield 1\nasync def g():\n    pass\nf()\n")) == ()


@pytest.mark.parametrize(
    ("text", "guard"),
    [
        ("if __name__ == '__main__': pass", True),
        ("if '__main__' == __name__: pass", True),
        ("if __name__ != '__main__': pass", False),
        ("if name == '__main__': pass", False),
    ],
)
def test_the_guard(text, guard):
    assert is_main_guard(ast.parse(text).body[0]) is guard
