"""Reports made by hand: what the voices are tested with."""

from __future__ import annotations

from initcheck.records.finding import Failure, Finding, Fix, Skip
from initcheck.records.report import LayerSummary, ModelReport, Report
from initcheck.records.source import Location
from initcheck.records.target import Built, InputSummary, Target

SOURCE = """\
import torch.nn as nn


class Net(nn.Module):
    def __init__(self, width, depth):
        super().__init__()
        layers = [nn.Linear(784, width), nn.ReLU()]
        for _ in range(depth - 2):
            layers += [nn.Linear(width, width), nn.ReLU()]
        self.body = nn.Sequential(*layers)
        self.mix = nn.Linear(width, width)
\tnn.init.constant_(self.mix.weight, 0.01)
        self.head = nn.Linear(width, 10)  # größer
"""

BODY = tuple(f"body.{index}.weight" for index in range(2, 18, 2))


def layer(name, rms=1.0, gradient=1.0, **other):
    values = dict(
        name=name,
        weight=f"{name}.weight",
        kind="linear",
        shape=(128, 128),
        fan_in=128,
        fan_out=128,
        feeds=("relu",),
        fed_by=("relu",),
        scheme="kaiming_uniform(a=√5)",
        gain=0.577,
        recommended_gain=2**0.5,
        std=0.051,
        second_moment=None if rms is None else rms**2,
        gradient=None if gradient is None else gradient**2,
        path="train.py",
        line=9,
    )
    return LayerSummary(**{**values, **other})


def vanishing(path="train.py", **other):
    values = dict(
        code="IC101",
        name="gradient-vanishes",
        severity="error",
        parameters=BODY,
        message="gradients shrink 4,430× from `mix` back to `body.2`",
        observed="std 0.051 in 8 layers",
        expected="std 0.125, a gain of √2",
        location=Location(path, 9, 24, 47),
        fix=Fix(BODY, None, "safe", 'kaiming_normal_(nonlinearity="relu") for `body`'),
        why="nn.Linear's default is kaiming_uniform(a=√5), a gain of 0.58; ReLU needs √2 = 1.41",
        note="std 0.051; a ReLU stack of this width needs 0.125",
        symptoms=("the loss starts at 4.38, not ln 10 = 2.30",),
    )
    return Finding(**{**values, **other})


def identical(path="train.py", **other):
    values = dict(
        code="IC201",
        name="identical-units",
        severity="warning",
        parameters=("mix.weight",),
        message="all 128 outputs of `mix` are the same function",
        location=Location(path, 12, 2, 42),
        note="units receive the same gradient",
    )
    return Finding(**{**values, **other})


def model(path="train.py", findings=(), **other):
    chain = [layer("body.0", 0.24, 0.4, shape=(128, 784), fan_in=784)]
    chain += [layer(f"body.{index}", 0.2 / index, 0.0002 * index) for index in range(2, 18, 2)]
    chain += [layer("mix", 0.056, 0.54, scheme="constant(0.01)", std=0.0), layer("head", 0.6, 1.0, shape=(10, 128), scheme="normal(0, 1)")]
    values = dict(
        target=Target(f"{path}::model", path, "model", "instance"),
        model="Net",
        parameters=250_378,
        built=Built(
            "Net(width, depth).to(device)",
            Location(path, 30),
            5,
            12,
            ("MNIST download (line 9)", "training loop (line 32)"),
            ("line 6 asks for cuda; built on cpu",),
        ),
        input=InputSummary("float32[32,784]", "inferred from body.0.in_features", 32),
        findings=tuple(findings),
        layers=tuple(chain),
        checked=("IC101", "IC201", "IC301"),
    )
    return ModelReport(**{**values, **other})


def failing(path="train.py"):
    skips = (
        Skip("IC301", "head.weight", "feeds the model's output"),
        Skip("IC201", "body.2.weight", "not used in the run"),
        Skip("IC201", "body.4.weight", "not used in the run"),
    )
    return Report((model(path, (vanishing(path), identical(path)), skips=skips),), version="0.1.0", torch="2.14.1")


def clean():
    return Report((model(),), version="0.1.0", torch="2.14.1")


def broken():
    failure = Failure(
        "build", "net.py::Net", "cannot build net.py::Net — missing: width", "initcheck 'net.py::Net(width=...)'", "needs-args"
    )
    target = Target("net.py::Net", "net.py", "Net", "class")
    return Report((ModelReport(target, failures=(failure,)),))
