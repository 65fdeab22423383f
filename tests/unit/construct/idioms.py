"""What the tests of write idioms share: recording a build, and finding the line that a test marks."""

import math
import pathlib
import sys

import pytest
from torch import nn

from initcheck.construct.recording.recorder import Recorder
from initcheck.records.recording import InitCall

KAIMING = InitCall("kaiming_uniform_", (("a", math.sqrt(5)), ("mode", "fan_in"), ("nonlinearity", "leaky_relu")))


class One(nn.Module):
    """A module around one parameter."""

    def __init__(self, p):
        super().__init__()
        self.p = p


def watch(build):
    """The recording of what `build` returns: a module, or a tensor that becomes the parameter `p`."""
    with Recorder() as recorder:
        made = build()
        if not isinstance(made, nn.Module):
            made = One(made if isinstance(made, nn.Parameter) else nn.Parameter(made))
    return recorder.resolve(made)


def record_of(build, name="p"):
    record = watch(build).parameter(name)
    assert record is not None
    return record


def line(marker):
    """The number of the line of the calling test's file that ends in `# <marker>`."""
    source = pathlib.Path(caller()).read_text(encoding="utf-8").splitlines()
    found = [number for number, text in enumerate(source, 1) if text.rstrip().endswith(f"# {marker}")]
    assert len(found) == 1, marker
    return found[0]


def caller():
    """The file of the nearest frame outside of this module."""
    frame = sys._getframe(1)
    while frame.f_code.co_filename == __file__:
        frame = frame.f_back
    return frame.f_code.co_filename


def names(write):
    return [call.name for call in write.lineage]


def the_write(record):
    assert len(record.writes) == 1
    return record.writes[0]


def ruled(record, name, *, origin="user", at=None, **kwargs):
    """The ruling write, after checking its call, origin and line."""
    write = record.ruling()
    assert write is not None
    call = write.call.get()
    assert call.name == name
    for key, value in kwargs.items():
        assert call.argument(key) == (pytest.approx(value) if isinstance(value, float) else value)
    assert write.origin == origin
    if at:
        assert write.location.get().path == caller()
        assert write.location.get().line == line(at)
    return write


def linear():
    return nn.Linear(6, 8)
