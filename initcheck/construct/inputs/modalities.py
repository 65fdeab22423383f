"""Images and sounds beside text: flattened patches with their grids, and the placeholder tokens whose place they take."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor
from torch.nn import Module

from initcheck.construct.inputs.blame import Blame
from initcheck.construct.inputs.declared import arguments_of
from initcheck.construct.inputs.samples import Form, Guess, Tree, describe

SIDE = 4
"""Patches along each edge of an image that is given as patches."""

GRIDS = ("image_grid_thw", "grid_thw")
"""Arguments that tell (time, height, width) in patches for each image."""

_SHAPES = "spatial_shapes"
_MISMATCH = re.compile(r"(Image|Video|Audio) features and \w+ tokens do not match[,:] tokens: (\d+),? features:? (\d+)")


def patches(config: Any, batch: int, names: Collection[str]) -> dict[str, Tree]:
    """Forms for networks that take images as rows of flattened patches; empty for those that take images whole."""
    size = getattr(config, "vision_config", None) or config
    grids = [name for name in GRIDS if name in names]
    edge = _first(size, ("patch_size",))
    if edge is None or not (grids or _SHAPES in names):
        return {}
    channels = _first(size, ("in_channels", "in_chans", "num_channels")) or 3
    width = channels * (_first(size, ("temporal_patch_size",)) or 1) * edge * edge
    if grids:
        pixels = Form((batch * SIDE * SIDE, width))
        return {"pixel_values": pixels, "hidden_states": pixels} | {name: torch.tensor([[1, SIDE, SIDE]] * batch) for name in grids}
    shapes = torch.tensor([[SIDE, SIDE]] * batch)
    mask = Form((batch, SIDE * SIDE), "int64", fill=1.0)
    return {"pixel_values": Form((batch, SIDE * SIDE, width)), _SHAPES: shapes, "pixel_attention_mask": mask}


def repaired(model: Module, guess: Guess, failure: Blame) -> Guess | None:
    """The input as the failure of a model with several modalities asks for it; `None` when it asks for nothing of the kind."""
    changed = _with_placeholders(model, guess, failure.text) or _with_one_image_each(guess, failure.text) or _with_frames(guess, failure)
    if changed is None:
        return None
    kwargs = {**guess.kwargs, **changed}
    return replace(guess, kwargs=kwargs, summary=describe(guess.args, kwargs, guess.summary.origin, guess.summary.batch))


def _with_one_image_each(guess: Guess, failure: str) -> dict[str, Tensor] | None:
    """Some take several images for each text: an axis between batch and channels."""
    pixels = guess.kwargs.get("pixel_values")
    if "expected 5, got 4" not in failure or not isinstance(pixels, Tensor) or pixels.dim() != 4:
        return None
    return {"pixel_values": pixels.unsqueeze(1)}


def _with_frames(guess: Guess, failure: Blame) -> dict[str, Tensor] | None:
    """Sound as (batch, frames, features) instead of (batch, features, frames), with the number of features that a layer wants."""
    sound = guess.kwargs.get("input_features")
    if not failure.wanted or not failure.got or not isinstance(sound, Tensor) or sound.dim() != 3:
        return None
    width = failure.wanted / failure.got * sound.shape[2]
    if width != int(width) or width == sound.shape[2]:
        return None
    generator = torch.Generator().manual_seed(int(width))
    return {"input_features": torch.randn((sound.shape[0], sound.shape[2], int(width)), generator=generator).to(sound)}


def _with_placeholders(model: Module, guess: Guess, failure: str) -> dict[str, Tensor] | None:
    """As many placeholder tokens as the model said it has features."""
    told = _MISMATCH.search(failure)
    ids = guess.kwargs.get("input_ids")
    if told is None or not isinstance(ids, Tensor) or ids.dim() != 2:
        return None
    config = getattr(model, "config", None)
    word, wanted = told[1].lower(), int(told[3])
    token = _first(config, (f"{word}_token_id", f"{word}_token_index"))
    if told[2] == told[3]:  # what was counted as features were their elements
        wanted //= _first(getattr(config, "text_config", config), ("hidden_size",)) or wanted
    rows = ids.shape[0]
    if token is None or wanted < rows or wanted % rows or int((ids == token).sum()) == wanted:
        return None
    plain = ids[:, (ids != token).any(0)]
    plain = plain.masked_fill(plain == token, 1 if token != 1 else 2)
    placed = torch.cat([plain[:, :1], plain.new_full((rows, wanted // rows), token), plain[:, 1:]], 1)
    changed = {"input_ids": placed}
    if any(parameter.name == "mm_token_type_ids" for parameter in arguments_of(model)):
        changed["mm_token_type_ids"] = (placed == token).to(torch.int32)
    return changed


def _first(config: Any, names: tuple[str, ...]) -> int | None:
    """The first whole number among some fields of a configuration."""
    values = (getattr(config, name, None) for name in names)
    return next((value for value in values if isinstance(value, int) and not isinstance(value, bool)), None)
