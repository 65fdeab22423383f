"""Initializing calls, made on plain tensors with a generator of their own."""

from __future__ import annotations

import hashlib
import inspect
import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from initcheck.errors import InitcheckError
from initcheck.records.finding import Step
from initcheck.records.recording import InitCall

_NAMED = (
    "uniform_",
    "normal_",
    "trunc_normal_",
    "constant_",
    "ones_",
    "zeros_",
    "eye_",
    "dirac_",
    "xavier_uniform_",
    "xavier_normal_",
    "kaiming_uniform_",
    "kaiming_normal_",
    "orthogonal_",
    "sparse_",
)


def supported(call: InitCall) -> bool:
    """Whether the call is one that can be made here."""
    return call.name in _NAMED or call.name in _OWN


def seeded(seed: int, name: str) -> torch.Generator:
    """A generator for one parameter: its draws depend on the seed and the name alone, not on what else is drawn."""
    digest = hashlib.sha256(f"{seed}:{name}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "little") & (2**63 - 1))


def made(step: Step, value: Tensor, generator: torch.Generator) -> Tensor:
    """What a parameter holds after one step.

    Draws are made on the CPU in double or single precision, so that they are the same on every device and low precision loses no tails.

    Args:
        step: the call and its blocks.
        value: what it holds now, with its whole shape.
        generator: for the draws.

    Raises:
        InitcheckError: when the call does not fit the shape, or is not known here.
    """
    if not supported(step.call):
        raise InitcheckError(f"`{step.call.name}` is no function of torch.nn.init", "make that call in your own code")
    precise = torch.float64 if value.dtype == torch.float64 else torch.float32
    result = value.detach().to("cpu", precise, copy=True)
    rows = result.shape[0] if result.dim() else 1
    if step.blocks > 1 and rows % step.blocks:
        raise InitcheckError(f"{rows} rows do not make {step.blocks} equal blocks", "draw it in your own code")
    blocks = result.chunk(step.blocks) if step.blocks > 1 else (result,)
    with torch.no_grad():
        for index, block in enumerate(blocks):
            if step.block is None or step.block == index:
                _call(step.call, block, generator)
    return result


def _call(call: InitCall, block: Tensor, generator: torch.Generator) -> None:
    if call.name in _OWN:
        _OWN[call.name](block, call)
        return
    function = getattr(nn.init, call.name)
    kwargs = {key: value for key, value in call.kwargs if key != "generator"}
    if "generator" in inspect.signature(function).parameters:
        kwargs["generator"] = generator
    try:
        if block.numel() and not block.is_contiguous():
            copy = block.contiguous()
            function(copy, **kwargs)
            block.copy_(copy)
        else:
            function(block, **kwargs)
    except (ValueError, TypeError, RuntimeError) as error:
        shape = "x".join(map(str, block.shape))
        raise InitcheckError(
            f"`{call}` does not fit a tensor of shape {shape or 'one number'}: {error}", "draw it in your own code"
        ) from error


def _multiply(block: Tensor, call: InitCall) -> None:
    factor = call.argument("factor", 1.0)
    if isinstance(factor, (int, float)) and math.isfinite(factor):
        block.mul_(float(factor))


def _blank_row(block: Tensor, call: InitCall) -> None:
    row = call.argument("row", 0)
    block[int(row) if isinstance(row, (int, float)) else 0].zero_()


def _fill(block: Tensor, call: InitCall) -> None:
    value = call.argument("value", call.argument("val", 0.0))
    block.fill_(float(value) if isinstance(value, (int, float)) else 0.0)


_OWN: dict[str, Callable[[Tensor, InitCall], None]] = {
    "mul_": _multiply,
    "zero_row_": _blank_row,
    "fill_": _fill,
    "zero_": lambda block, _: _fill(block, InitCall("fill_", (("value", 0.0),))),
}
"""Calls that are not functions of torch.nn.init."""
