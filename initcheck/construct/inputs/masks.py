"""Masks the other way round: some models keep what is true, some hide it."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import Module

from initcheck.construct.inputs.accident import evaluation, mapped, outputs
from initcheck.construct.inputs.repair.probe import places
from initcheck.construct.inputs.samples import Guess


def unmasked(model: Module, guess: Guess) -> Guess | None:
    """The guess with its masks turned round, where they hide everything from the outputs; None where they do not.

    Hidden means: every floating output is zero, or not a number, and with the masks turned round it is neither.
    """
    if not guess.inferred or not any(_all_true(tensor) for _, tensor in places(guess.args, guess.kwargs)):
        return None
    turned = replace(guess, args=mapped(guess.args, _turned), kwargs=mapped(guess.kwargs, _turned), forms=(), named={})
    with evaluation(model):
        hidden = _dark(outputs(model, guess.args, guess.kwargs))
        seen = hidden and not _dark(outputs(model, turned.args, turned.kwargs))
    return turned if seen else None


def _dark(found: list[Tensor]) -> bool:
    return all(bool(((one == 0) | one.isnan()).all()) for one in found)


def _all_true(tensor: Tensor) -> bool:
    return tensor.dtype is torch.bool and tensor.numel() > 1 and bool(tensor.all())


def _turned(tensor: Tensor) -> Tensor:
    return ~tensor if _all_true(tensor) else tensor
