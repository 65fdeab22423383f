"""How a dataflow case is stated: a model, an input, and the exact roles of its weights."""

from __future__ import annotations

import torch

import initcheck


def roles(build, inputs, **settings):
    """{weight: (feeds, fed_by)} of every weight of the model."""
    report = initcheck.check(build, inputs, **settings)
    assert not report.all_failures, report.all_failures
    return {layer.weight: (set(layer.feeds), set(layer.fed_by)) for layer in report.layers}


def expect(build, inputs, expected):
    """`expected` maps weights to "feeds <- fed_by" with words separated by spaces."""
    found = roles(build, inputs)
    wanted = {}
    for weight, text in expected.items():
        feeds, _, fed_by = text.partition("<-")
        wanted[weight] = (set(feeds.split()), set(fed_by.split()))
    assert {weight: found[weight] for weight in expected} == wanted


def x(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


def ids(below, *shape):
    return torch.randint(0, below, shape, generator=torch.Generator().manual_seed(0))
