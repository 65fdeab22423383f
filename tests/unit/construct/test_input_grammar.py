import numpy as np
import pytest
import torch
from torch import nn

from initcheck.construct.inputs import describe, normalise, parse
from initcheck.errors import TargetError, UsageError


def test_grammar():
    (x,), named = parse(("1,28,28", "y=float64[3,2]", "input_ids=int64[2,128]<30522", "m=bool[4]", "z=7"), 16, 0)
    assert (x.shape, x.dtype) == ((16, 1, 28, 28), torch.float32)
    assert (named["y"].shape, named["y"].dtype) == ((3, 2), torch.float64)
    assert named["input_ids"].shape == (2, 128)
    assert 25000 < named["input_ids"].max() < 30522
    assert named["m"].dtype == torch.bool
    assert named["z"].shape == (16, 7)
    assert torch.equal(parse(("784",), 4, 0)[0][0], parse(("784",), 4, 0)[0][0])


def test_saved_inputs(tmp_path):
    path = tmp_path / "batch.pt"
    torch.save({"x": torch.ones(2), "y": torch.zeros(3)}, path)
    assert set(parse((str(path),), 4, 0)[1]) == {"x", "y"}
    torch.save((torch.ones(2), torch.zeros(3)), path)
    assert len(parse((str(path),), 4, 0)[0]) == 2
    torch.save(torch.ones(2), path)
    assert parse((f"x={path}",), 4, 0)[1]["x"].tolist() == [1, 1]
    torch.save(nn.Linear(1, 1), path)
    with pytest.raises(TargetError) as caught:
        parse((str(path),), 4, 0)
    assert caught.value.name == "unsafe-pickle"


@pytest.mark.parametrize(
    "text", ["", "abc", "1,x", "float33[2]", "float32[2,0]", "float32[2]<4", "int64[2]<0", "missing.pt", "1,-2", "int64[a]"]
)
def test_what_is_not_understood_comes_with_examples(text):
    with pytest.raises(UsageError) as caught:
        parse((text,), 4, 0)
    assert "--input 1,28,28" in caught.value.hint


def test_a_name_twice_is_an_error():
    with pytest.raises(UsageError, match="twice"):
        parse(("x=3", "x=4"), 4, 0)


def test_normalise():
    x = torch.ones(2)
    assert normalise(x) == ((x,), {})
    assert normalise([x, 3]) == ((x, 3), {})
    assert normalise({"a": x}) == ((), {"a": x})
    assert normalise(((x,), {"k": x})) == ((x,), {"k": x})
    assert normalise(lambda: (x, x)) == ((x, x), {})
    assert normalise(np.zeros(3, dtype=np.float32))[0][0].dtype == torch.float32
    with pytest.raises(UsageError, match="not str"):
        normalise("1,28,28")


def test_descriptions():
    x = torch.ones(2, 3)
    assert describe((x,), {"ids": x.long()}, "given").text == "float32[2,3], ids=int64[2,3]"
    assert describe(([x, x],), {}, "given").text == "2 × float32[2,3]"
    assert describe((x,), {}, "given").batch == 2
    assert describe((), {}, "given").text == "no arguments"
