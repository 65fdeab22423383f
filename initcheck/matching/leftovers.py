"""Stored tensors that need no place in a model: counters, masks and tables that every model makes for itself."""

from __future__ import annotations

import re

_HARMLESS = re.compile(
    r"(position_ids|token_type_ids|num_batches_tracked|masked_bias|attn\.bias|attention\.bias|inv_freq|relative_position_index|total_ops|total_params)$"
)


def harmless(name: str) -> bool:
    """Whether a stored tensor of this name can be left over without a loss."""
    return bool(_HARMLESS.search(name))
