"""Marks fresh memory with NaNs of a known bit pattern, so that elements that nobody writes can be counted afterwards."""

from __future__ import annotations

import torch
from torch.utils._mode_utils import no_dispatch

PATTERNS: dict[torch.dtype, tuple[torch.dtype, int]] = {
    torch.float32: (torch.int32, 0x7FC0DEAD),
    torch.float64: (torch.int64, 0x7FF8DEADBEEF0001),
    torch.bfloat16: (torch.int16, 0x7FCD),
    torch.float16: (torch.int16, 0x7ECD),
    torch.complex64: (torch.int32, 0x7FC0DEAD),
    torch.complex128: (torch.int64, 0x7FF8DEADBEEF0001),
}
"""For each markable dtype the integer of its width and the quiet NaN that is written."""


def can_mark(tensor: torch.Tensor) -> bool:
    """Whether the tensor has real memory of a dtype that holds NaNs."""
    return (
        type(tensor) in (torch.Tensor, torch.nn.Parameter)
        and tensor.dtype in PATTERNS
        and tensor.device.type != "meta"
        and tensor.layout is torch.strided
    )


def mark(tensor: torch.Tensor) -> bool:
    """Fill the whole storage of a tensor with the mark; false if it cannot be marked.

    Writes through a tensor of its own, so that version counter and autograd state of the given one stay as they are.
    """
    if not can_mark(tensor):
        return False
    integer, pattern = PATTERNS[tensor.dtype]
    # Other modes (fake tensors) must not see these operations.
    with torch.no_grad(), no_dispatch():
        torch.empty(0, dtype=integer, device=tensor.device).set_(tensor.untyped_storage()).fill_(pattern)
    return True


def marked(tensor: torch.Tensor) -> int:
    """The number of elements that still hold the mark (real NaNs of another pattern do not count)."""
    integer, pattern = PATTERNS[tensor.dtype]
    plain = tensor.detach()
    if plain.is_complex():
        return int((torch.view_as_real(plain).view(integer) == pattern).all(-1).sum())
    return int((plain.view(integer) == pattern).sum())
