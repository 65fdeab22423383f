"""The one place where initcheck itself loads weights: not noticed as a load of the user's code."""

from __future__ import annotations

import warnings
from collections.abc import Mapping

import torch


def fill(model: torch.nn.Module, state: Mapping[str, torch.Tensor]) -> None:
    """Copies tensors into a model by name, through its own `load_state_dict`; tensors on the meta device are replaced by them."""
    empty = any(tensor.is_meta for tensor in (*model.parameters(), *model.buffers()))
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.load_state_dict(dict(state), strict=False, assign=empty)
