"""Whether two tensors hold the same bits, and a short proof of the bits of one."""

from __future__ import annotations

import hashlib

import torch


def digest(tensor: torch.Tensor) -> bytes:
    """SHA-256 over the bytes of a tensor in row-major order; empty for tensors that hold no plain bytes here (meta, sparse, quantized)."""
    if tensor.is_meta or tensor.layout is not torch.strided or tensor.is_quantized:
        return b""
    return hashlib.sha256(_bytes(tensor).numpy()).digest()


def same_bits(first: torch.Tensor, second: torch.Tensor) -> bool:
    """Whether both hold the same bits in the number format of the first; NaN equals the same NaN, and zero is not minus zero."""
    if first.shape != second.shape or first.is_meta or second.is_meta:
        return False
    return bool(torch.equal(_bytes(first), _bytes(second.detach().to(first.dtype))))


def _bytes(tensor: torch.Tensor) -> torch.Tensor:
    plain = tensor.detach().resolve_conj().resolve_neg().to("cpu").contiguous()
    return torch.view_as_real(plain).reshape(-1).view(torch.uint8) if plain.is_complex() else plain.reshape(-1).view(torch.uint8)
