"""The image size that a convolutional network was made for, as far as its layers tell."""

from __future__ import annotations

import inspect
import itertools
import linecache
import math
from typing import Any

from torch import nn
from torch.nn import Module

_COMMON = (64, 32, 28, 224, 96, 128, 256, 299, 16, 48, 84, 512, 8)
_FLATTENING = (32, 28, 64, 224, 96, 128, 16, 48, 84, 256, 299, 227, 512, 8)
_MAPS = (nn.Conv2d, nn.MaxPool2d, nn.AvgPool2d)
_ADAPTIVE = (nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d)


def images_first(model: Module) -> tuple[int, ...]:
    """Edge lengths to try. A network that flattens without adaptive pooling takes one size only, usually a small one."""
    adaptive = any(isinstance(module, _ADAPTIVE) for module in model.modules())
    return _COMMON if adaptive or _averages(model) or _head(model) is None else _FLATTENING


def solved_sizes(model: Module) -> tuple[int, ...]:
    """At most two edge lengths at which the registered convolutions and poolings, in order, give what the first linear layer wants."""
    found = None if _averages(model) else _head(model)
    if found is None:
        return ()
    steps, channels, wanted = found
    edge = math.isqrt(wanted // channels)
    if edge < 2 or channels * edge * edge != wanted:
        return ()
    fitting = [size for size in range(8, 521) if _through(steps, size) == edge]
    return tuple(sorted(fitting, key=_plainness)[:2])


def estimated_size(points: list[tuple[int, float]], wanted: float) -> int:
    """The edge length at which `wanted` features would come out, from (edge length, features) pairs; 0 when there is no telling.

    The root of the number of features is nearly linear in the edge length: proportional with one point, a secant with two.
    """
    known = sorted(
        {edge: math.sqrt(features) for edge, features in points if features > 0}.items(), key=lambda p: abs(p[1] - math.sqrt(wanted))
    )
    if not known:
        return 0
    (edge, root), *others = known
    slope = root / edge
    if others and others[0][1] != root:
        slope = (others[0][1] - root) / (others[0][0] - edge)
    if slope <= 0:
        return 0
    return _rounded(edge + (math.sqrt(wanted) - root) / slope)


def _averages(model: Module) -> bool:
    """Whether the source of the model speaks of pooling to a fixed size."""
    kind = type(model)
    try:
        lines = linecache.getlines(inspect.getsourcefile(kind) or "")
    except (OSError, TypeError):
        return False
    # a plain search: inspect.getsource parses the whole file to find a class
    start = next(
        (index for index, line in enumerate(lines) if line.startswith((f"class {kind.__name__}(", f"class {kind.__name__}:"))), len(lines)
    )
    body = itertools.takewhile(lambda line: not line.strip() or line[0].isspace() or line.startswith(")"), lines[start + 1 :])
    return any("adaptive_" in line or ".mean(" in line for line in body)


def _rounded(size: float) -> int:
    """The plainest whole number nearby: strides round down, so several lengths give the same result."""
    near = range(max(round(size) - 2, 1), round(size) + 4)
    return min(near, key=lambda edge: (_plainness(edge)[0], abs(edge - size))) if size >= 1 else 0


def _plainness(size: int) -> tuple[int, int]:
    return (next(rank for rank, factor in enumerate((32, 28, 16, 8, 4, 2, 1)) if size % factor == 0), size)


def _head(model: Module) -> tuple[list[Any], int, int] | None:
    """The layers on images before the first linear layer, their last channels and its width."""
    steps: list[Any] = []
    channels = 0
    for module in model.modules():
        if isinstance(module, _ADAPTIVE):
            return None
        if isinstance(module, _MAPS):
            steps.append(module)
            channels = module.out_channels if isinstance(module, nn.Conv2d) else channels
        elif isinstance(module, nn.Linear) and channels:
            return steps, channels, module.in_features
    return None


def _through(steps: list[Any], size: int) -> int:
    for step in steps:
        if step.__dict__.get("padding") == "same":
            continue
        kernel, stride, dilation = (_one(getattr(step, name, 1)) for name in ("kernel_size", "stride", "dilation"))
        padding = 0 if isinstance(step.padding, str) else _one(step.padding)
        span = size + 2 * padding - dilation * (kernel - 1) - 1
        if span < 0:
            return 0
        size = (-(-span // stride) if getattr(step, "ceil_mode", False) else span // stride) + 1
    return size


def _one(value: Any) -> int:
    return int(value[0] if isinstance(value, (tuple, list)) else value)
