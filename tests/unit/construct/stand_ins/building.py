"""Small files of a user, built in a folder of their own."""

import textwrap
from contextlib import nullcontext

import pytest

from initcheck.construct.builder import construct
from initcheck.discover import targets
from initcheck.errors import TargetError

TORCH = "import torch\nfrom torch import nn\n"


def net(*lines, head="", base="nn.Module"):
    """A file whose class `Net` has these lines in its constructor; with a head of one line the first of them is line 6."""
    body = "".join(f"        {line}\n" for line in ("super().__init__()", *lines, "self.fc = nn.Linear(4, 2)"))
    return f"{TORCH}{head}\nclass Net({base}):\n    def __init__(self, width=4):\n{body}"


@pytest.fixture
def build(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def build(source, name="", watch=None, **others):
        for other, text in others.items():
            path = tmp_path / f"{other.replace('__', '/')}.py"
            path.parent.mkdir(exist_ok=True)
            path.write_text(textwrap.dedent(text))
        (tmp_path / "model.py").write_text(textwrap.dedent(source))
        (target,) = targets.parse("model.py" + (f"::{name}" if name else ""))
        return construct(target, watch or nullcontext())

    return build


@pytest.fixture
def fails(build):
    def fails(source, name="", **others):
        with pytest.raises(TargetError) as caught:
            build(source, name, **others)
        assert caught.value.hint
        return caught.value

    return fails
