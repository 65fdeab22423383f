"""Names that installed packages have lost since the file was written."""

import sys

import pytest

from tests.unit.construct.stand_ins.building import build, fails, net

__all__ = ["build", "fails"]

REMOVED = [
    ("import collections; assert issubclass(dict, collections.Mapping)", "collections.Mapping"),
    ("from collections import Iterable; assert isinstance([], Iterable)", "collections.Iterable"),
    ("import numpy as np; assert np.zeros(2, np.float).dtype == 'float64'", "numpy.float "),
    ("from torch._six import string_classes, container_abcs, inf; assert isinstance('a', string_classes) and inf > 1", "torch._six"),
    ("import torch._six; assert torch._six.inf > 1", "torch._six"),
    ("from torchvision.models.utils import load_state_dict_from_url", "torchvision.models.utils"),
    ("from torchvision.models.resnet import load_state_dict_from_url, BasicBlock", "torchvision.models.resnet.load_state_dict_from_url"),
    ("from torchvision.transforms import Scale", "torchvision.transforms.Scale"),
]


@pytest.mark.parametrize(("line", "name"), REMOVED)
def test_names_that_newer_versions_have_lost(build, line, name):
    if "torchvision" in line:
        pytest.importorskip("torchvision")
    made = build(net(line), "Net")
    (note,) = made.built.notes
    assert note.startswith(name)
    assert "is gone from the installed version" in note


def test_nothing_is_left_of_the_lost_names(build):
    import collections

    import numpy as np

    build(net("import collections; collections.Mapping"), "Net")
    assert not hasattr(collections, "Mapping")
    assert not hasattr(np, "float")
    assert "torch._six" not in sys.modules


def test_what_an_installed_package_does_not_have(fails):
    pytest.importorskip("torchvision")
    error = fails(net("nobody_knows", head="from torchvision.models import nobody_knows"), "Net")
    assert error.name == "import-failed"
    assert error.message.startswith(
        "cannot build model.py::Net: model.py:3: ImportError: cannot import name 'nobody_knows' from 'torchvision.models'"
    )
    error = fails(net("t.y", head="import torchvision.nobody_knows as t"), "Net")
    assert error.name == "import-failed"
    assert error.message.startswith("cannot build model.py::Net: model.py:3 imports torchvision.nobody_knows, which torchvision ")
    assert error.hint == "install the version of torchvision that the file was written for, or change line 3"
