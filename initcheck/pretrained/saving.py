"""Writes the state of a model into a file that is there already and empty; whoever made the file puts it in its place."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import torch

from initcheck.errors import TargetError


def save(model: torch.nn.Module, path: str, kind: Literal["safetensors", "torch"]) -> None:
    """Writes the state dict.

    Raises:
        TargetError: `not-written` when the disk or the format refuses.
    """
    state = {name: tensor.detach() for name, tensor in model.state_dict().items() if isinstance(tensor, torch.Tensor)}
    try:
        if kind == "safetensors":
            from safetensors.torch import save as packed

            Path(path).write_bytes(packed({name: tensor.contiguous() for name, tensor in _once(state).items()}, {"format": "pt"}))
        else:
            with Path(path).open("wb") as file:
                torch.save(state, file)
    except ModuleNotFoundError as error:
        raise TargetError(
            "cannot write safetensors: the package is not installed", "pip install safetensors", name="missing-import"
        ) from error
    except (OSError, RuntimeError, ValueError) as error:
        raise TargetError(f"cannot write the weights: {type(error).__name__}: {error}", "df -h .", name="not-written") from error


def _once(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Shared memory under its first name only: safetensors holds no memory twice, and the tie is the model's to make."""
    kept: dict[str, torch.Tensor] = {}
    seen: set[tuple[int, int]] = set()
    for name, tensor in state.items():
        key = (tensor.untyped_storage().data_ptr(), tensor.storage_offset())
        if tensor.numel() and key in seen:
            continue
        seen.add(key)
        kept[name] = tensor
    return kept
