"""What is evaluated of an expression, what is a hole, what is said about it, and what is never done."""

import linecache
import textwrap
import types

import pytest
import torch

from initcheck.construct.arguments.expression import Unbuilt, make

_count = iter(range(10_000))


def space_of(source):
    """The namespace of some source text, which `inspect` and tracebacks find."""
    text = "import torch\nfrom torch import nn\n" + textwrap.dedent(source)
    path = f"/user/case_{next(_count)}.py"
    linecache.cache[path] = (len(text), None, text.splitlines(keepends=True), path)
    module = types.ModuleType("case")
    exec(compile(text, path, "exec"), module.__dict__)
    return module.__dict__


def made(source, expression, hints=None, attempt=lambda thunk: thunk()):
    return make(expression, space_of(source), hints or {}, attempt)


NET = """
class Net(nn.Module):
    def __init__(self, features, hidden, classes=10):
        super().__init__()
        self.a, self.b = nn.Linear(features, hidden), nn.Linear(hidden, classes)
WIDTH = 48
sizes = {"hidden": 24}
"""


def test_a_complete_expression_guesses_nothing():
    got = made(NET, "Net(784, WIDTH * 2, classes=sizes['hidden'])")
    assert got.guessed == ()
    assert got.text == "Net(784, WIDTH * 2, classes=sizes['hidden'])"
    assert (got.value.a.in_features, got.value.a.out_features, got.value.b.out_features) == (784, 96, 24)


@pytest.mark.parametrize(
    "expression", ["Net(784, ...)", "Net(784, hidden=...)", "Net(784)", "Net(784, args.hidden)", "Net(784, hidden=len(data))"]
)
def test_what_is_not_known_is_filled_in_and_said(expression):
    got = made(NET, expression)
    assert got.guessed == ("hidden=128",)
    assert "784" in got.text
    assert got.value.a.in_features == 784


def test_a_sole_ellipsis_says_nothing_about_any_argument():
    got = made(NET, "Net(...)")
    assert got.guessed == ("features=128", "hidden=128")
    assert got.text == "Net(features=128, hidden=128)"


def test_values_of_the_users_source_come_before_the_table_and_are_still_guesses():
    got = made(NET, "Net(784, args.n_units)", {"n_units": (72,)})
    assert got.value.a.out_features == 72
    assert got.guessed == ("hidden=72",)


def test_a_constant_of_the_file_with_the_same_name_is_taken():
    assert made(NET + "HIDDEN = 40\n", "Net(784)").value.a.out_features == 40


def test_the_same_name_given_elsewhere_in_the_expression_is_taken():
    source = """
    class Enc(nn.Module):
        def __init__(self, vocab, hid_dim):
            super().__init__()
            self.fc = nn.Embedding(vocab, hid_dim)
    class Both(nn.Module):
        def __init__(self, one, two):
            super().__init__()
            self.one, self.two = one, two
    """
    got = made(source, "Both(Enc(100, 320), Enc(50, ...))")
    assert got.value.two.fc.embedding_dim == 320
    assert got.guessed == ("hid_dim=320",)


def test_nothing_but_the_small_language_is_evaluated(tmp_path):
    touched = tmp_path / "touched"
    for expression in (
        f"Net(784, __import__('pathlib').Path({str(touched)!r}).touch())",
        f"Net(784, [open({str(touched)!r}, 'w') for _ in range(1)])",
        f"Net(784, (lambda: open({str(touched)!r}, 'w'))())",
        "Net(784, Net.__subclasses__())",
    ):
        got = made(NET, expression)
        assert got.guessed == ("hidden=128",)
    assert not touched.exists()


@pytest.mark.parametrize(
    ("body", "holds"),
    [
        ("assert (n - 4) % 6 == 0 and n > 20", lambda n: (n - 4) % 6 == 0 and n > 20),
        ("if n not in (18, 34): raise ValueError(n)", lambda n: n in (18, 34)),
        ("if n == 'a': pass\n        elif n == 'b': pass\n        else: raise NotImplementedError", lambda n: n in ("a", "b")),
        ("{'small': 1, 'large': 2}[n]", lambda n: n in ("small", "large")),
        ("table = {7: 1, 9: 2}\n        table[n]", lambda n: n in (7, 9)),
        ("[a for a, b, c in n]", lambda n: all(len(row) == 3 for row in n)),
        ("n[4]", lambda n: len(n) > 4),
        ("n + [1]", lambda n: isinstance(n, list)),
        ("getattr(nn, n)(64)", lambda n: hasattr(torch.nn, n)),
        ("n(64)", callable),
        ("one, two, three = n", lambda n: len(n) == 3),
        ("torch.zeros(n // 8, 512 % n == 0)\n        assert 512 % n == 0", lambda n: 512 % n == 0),
    ],
)
def test_the_value_is_one_that_the_constructor_accepts(body, holds):
    source = f"""
class Net(nn.Module):
    def __init__(self, n):
        super().__init__()
        {body}
        self.n = n
        self.fc = nn.Linear(64, 64)
"""
    got = made(source, "Net(...)")
    assert holds(got.value.n)
    assert len(got.guessed) == 1


def test_heads_divide_a_width_that_is_given_and_a_width_is_divided_by_its_heads():
    source = """
    class Net(nn.Module):
        def __init__(self, d_model, nhead):
            super().__init__()
            self.attn = nn.MultiheadAttention(d_model, nhead)
    """
    assert made(source, "Net(90, ...)").value.attn.num_heads == 2
    assert made(source, "Net(nhead=6)").value.attn.embed_dim % 6 == 0


def test_what_a_function_cannot_give_without_its_data_is_a_hole():
    source = (
        NET
        + """
def read_vocabulary(path):
    return len(open(path).read())

def twice(number):
    return 2 * number
"""
    )
    got = made(source, "Net(read_vocabulary('no/such/file'), twice(32))")
    assert got.value.a.out_features == 64
    assert got.guessed == ("features=128",)


def test_a_number_from_a_stand_in_is_named():
    source = """
    class Net(nn.Module):
        def __init__(self, config):
            super().__init__()
            self.fc = nn.Linear(config.hidden_size, config['num_classes'])
            self.p = getattr(config, 'p', 0.25)
    """
    got = made(source, "Net(config)")
    assert got.guessed == ("config={hidden_size: 128, num_classes: 10}",)
    assert got.value.p == 0.25


def test_the_users_exception_is_carried_when_nothing_helps():
    source = """
    class Net(nn.Module):
        def __init__(self, hidden):
            super().__init__()
            raise RuntimeError('the moon is not full')
    """
    tries = []
    with pytest.raises(Unbuilt, match="the moon is not full") as caught:
        made(source, "Net(...)", attempt=lambda thunk: (tries.append(1), thunk())[1])
    assert isinstance(caught.value.error, RuntimeError)
    assert caught.value.holes == ("hidden",)
    assert caught.value.attempts == len(tries) <= 40
    assert "hidden=" in caught.value.text


def test_a_failure_without_holes_is_tried_once():
    tries = []
    with pytest.raises(Unbuilt) as caught:
        made(NET, "Net(784, 'wide')", attempt=lambda thunk: (tries.append(1), thunk())[1])
    assert len(tries) == 1
    assert caught.value.holes == ()


def test_a_missing_package_ends_the_search():
    source = """
    class Net(nn.Module):
        def __init__(self, hidden):
            super().__init__()
            import package_that_nobody_has
    """
    with pytest.raises(Unbuilt) as caught:
        made(source, "Net(...)")
    assert isinstance(caught.value.error, ModuleNotFoundError)
    assert caught.value.attempts == 1


def test_a_guessed_model_has_no_size_of_zero():
    source = """
    class Net(nn.Module):
        def __init__(self, n):
            super().__init__()
            self.fc = nn.Linear(max(n, 0) if n > 3 else 0, 64)
    """
    assert made(source, "Net(...)").value.fc.in_features > 3


def test_methods_of_the_model_are_called_on_it():
    got = made(NET, "nn.DataParallel(Net(784, ...).to(device)).eval()")
    assert got.guessed == ("hidden=128", "device='cpu'")
    assert got.text == "nn.DataParallel(Net(784, 128).to('cpu')).eval()"
    assert not got.value.training


def test_a_call_of_a_built_in_that_is_the_whole_expression_gets_its_holes_filled():
    got = make("together(vocab_size=..., hidden=...)", {"together": dict}, {}, lambda thunk: thunk())
    assert got.value == {"vocab_size": 1000, "hidden": 128}
    assert got.guessed == ("vocab_size=1000", "hidden=128")
