import ast

import pytest

from initcheck.fix.source.names import Names
from initcheck.fix.source.text import Source, applied, in_order


def spelled(text, full="torch.nn.init.zeros_"):
    source = Source.of("a.py", text.encode())
    names = Names(source)
    name = names.spelled(full)
    changes = [*names.imports([source.after_line(1, [name])])]
    return name, applied(source.text, in_order(changes))


@pytest.mark.parametrize(
    ("imports", "name"),
    [
        ("from torch import nn\n", "nn.init.zeros_"),
        ("import torch\n", "torch.nn.init.zeros_"),
        ("import torch.nn as tn\n", "tn.init.zeros_"),
        ("import torch.nn.init as I\nimport torch\n", "I.zeros_"),
        ("from torch.nn import init\n", "init.zeros_"),
        ("from torch.nn.init import zeros_\n", "zeros_"),
        ("from torch.nn.init import *\n", "zeros_"),
        ("try:\n    import torch.nn as nn\nexcept ImportError:\n    raise\n", "nn.init.zeros_"),
        ("import torch.nn\n", "torch.nn.init.zeros_"),
    ],
)
def test_names_are_spelled_as_in_the_file(imports, name):
    assert spelled(imports) == (name, imports)


def test_a_missing_import_is_added_among_the_others():
    assert spelled('"""Doc."""\n\nimport os\n\nx = 1\n') == ("nn.init.zeros_", '"""Doc."""\n\nimport os\nfrom torch import nn\n\nx = 1\n')
    assert spelled("from torch import nn\n", "torch.no_grad") == ("torch.no_grad", "import torch\nfrom torch import nn\n")
    assert spelled('"""Doc."""\n') == ("nn.init.zeros_", '"""Doc."""\n\nfrom torch import nn\n')


def test_a_name_that_means_something_else_is_not_used():
    assert spelled("from flax import linen as nn\nimport torch\n")[0] == "torch.nn.init.zeros_"
    name, text = spelled("import torch\nfrom torch.nn import init\n\n\ndef init(m):\n    pass\n")
    assert name == "torch.nn.init.zeros_" and text.startswith("import torch\nfrom torch.nn import init\n\n")


def test_full_names_are_known():
    source = Source.of("a.py", b"import torch.nn as nn\nfrom torch.nn.init import normal_ as n\nnn.init.zeros_(w)\nn(w)\nother.zeros_(w)\n")
    names = Names(source)
    found = [names.dotted(node.func) for node in ast.walk(source.tree) if isinstance(node, ast.Call)]
    assert found == ["torch.nn.init.zeros_", "torch.nn.init.normal_", "other.zeros_"]
