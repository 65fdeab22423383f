"""Inputs that the model itself declares: example inputs, image sizes, configurations, the rules of detectors."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.nn import Module

from initcheck.construct.inputs.grammar import normalise
from initcheck.construct.inputs.samples import Form, Tree

_DETECTORS = frozenset({"GeneralizedRCNN", "RetinaNet", "FCOS", "SSD"})
_EDGE = 128


@dataclass(frozen=True, slots=True)
class Plan:
    """One input before its tensors are drawn; `cost` is the edge length of its images, 0 for other data."""

    args: tuple[Tree, ...]
    kwargs: dict[str, Tree]
    origin: str
    batch: int
    prepare: Callable[[], AbstractContextManager[None]] = field(default=nullcontext)
    inferred: bool = False
    shown: bool = False


def declared(model: Any, batch: int, *, exact: bool) -> Iterator[Plan]:
    """The inputs that attributes of the model speak of, most explicit first."""
    example = getattr(model, "example_input_array", None)
    if isinstance(example, (Tensor, tuple, list, dict)):
        args, kwargs = normalise(example)
        yield Plan(args, kwargs, "example_input_array", 0)
    if any(base.__name__ in _DETECTORS for base in type(model).__mro__):
        yield _detection(model)
    shape = declared_image(model)
    if shape:
        yield Plan((Form((batch if exact else min(batch, 4), *shape)),), {}, "declared image size", batch if exact else min(batch, 4))


def declared_image(model: Any) -> tuple[int, ...]:
    """(channels, height, width) as timm's configuration or torchvision's `image_size` say; empty for none."""
    for name in ("pretrained_cfg", "default_cfg"):
        config = getattr(model, name, None)
        size = config.get("input_size") if isinstance(config, dict) else getattr(config, "input_size", None)
        if isinstance(size, (tuple, list)) and len(size) == 3:
            return tuple(int(edge) for edge in size)
    for name in ("image_size", "img_size"):
        size = getattr(model, name, None)
        if isinstance(size, int) and size > 0:
            return (_channels(model), size, size)
        if isinstance(size, (tuple, list)) and len(size) == 2 and all(isinstance(edge, int) for edge in size):
            return (_channels(model), *size)
    return ()


def _channels(model: Any) -> int:
    for module in model.modules():
        channels = getattr(module, "in_channels", None)
        if isinstance(channels, int):
            return channels
    return 3


def arguments_of(model: Module) -> list[inspect.Parameter]:
    """The parameters of forward() without `self`; empty when they cannot be read."""
    try:
        return list(inspect.signature(model.forward).parameters.values())
    except (TypeError, ValueError):
        return []


def _detection(model: Any) -> Plan:
    """Two small images with two boxes each. The model would scale them up to 800 pixels, a hundred times the work."""
    images = [Form((3, _EDGE, _EDGE)), Form((3, _EDGE, _EDGE))]
    heads = getattr(model, "roi_heads", None)
    targets = [_target(heads), _target(heads)]
    return Plan((images, targets), {}, "images and boxes for a detector", 2, lambda: _small_images(model))


def _target(heads: Any) -> dict[str, Tree]:
    boxes = _boxes()
    target: dict[str, Tree] = {"boxes": boxes, "labels": Form((2,), "int64", fill=1.0)}
    if heads is not None and getattr(heads, "mask_predictor", None) is not None:
        target["masks"] = Form((2, _EDGE, _EDGE), "uint8", fill=1.0)
    if heads is not None and getattr(heads, "keypoint_predictor", None) is not None:
        target["keypoints"] = Form((2, 17, 3), fill=40.0)
    return target


def _boxes() -> Tensor:
    return torch.tensor([[10.0, 12.0, 60.0, 70.0], [30.0, 40.0, 110.0, 120.0]])


@contextmanager
def _small_images(model: Any) -> Iterator[None]:
    transform = getattr(model, "transform", None)
    fixed = getattr(transform, "fixed_size", None)
    if transform is None or fixed is not None:
        yield
        return
    before = transform.min_size, transform.max_size
    transform.min_size, transform.max_size = (_EDGE,), 160
    try:
        yield
    finally:
        transform.min_size, transform.max_size = before
