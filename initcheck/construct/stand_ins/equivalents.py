"""Small things of missing packages whose meaning is known exactly, so that they can be given instead of a stand-in."""

from __future__ import annotations

import collections.abc
import functools
import itertools
from typing import Any

import torch

from initcheck.construct.stand_ins.settings_objects import SETTINGS


class DropPath(torch.nn.Module):
    """Drops whole samples of a residual branch while training; has no parameters."""

    def __init__(self, drop_prob: float = 0.0, scale_by_keep: bool = True) -> None:
        super().__init__()
        self.drop_prob = drop_prob
        self.scale_by_keep = scale_by_keep

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The branch, or zeros in its place for some samples."""
        return drop_path(x, self.drop_prob, self.training, self.scale_by_keep)


def drop_path(x: torch.Tensor, drop_prob: float = 0.0, training: bool = False, scale_by_keep: bool = True) -> torch.Tensor:
    """As `DropPath`, as a function."""
    if not drop_prob or not training:
        return x
    keep = 1 - drop_prob
    mask = x.new_empty((x.shape[0],) + (1,) * (x.ndim - 1)).bernoulli_(keep)
    return x * (mask.div_(keep) if keep > 0 and scale_by_keep else mask)


def _repeated(count: int, value: Any) -> tuple[Any, ...]:
    if isinstance(value, collections.abc.Iterable) and not isinstance(value, str):
        return tuple(value)
    return tuple(itertools.repeat(value, count))


def _iterated(iterable: Any = (), *_args: Any, **_kwargs: Any) -> Any:
    return iterable


def _counted(*args: Any, **_kwargs: Any) -> range:
    return range(*args)


_TIMM: dict[str, Any] = {
    "DropPath": DropPath,
    "drop_path": drop_path,
    "trunc_normal_": torch.nn.init.trunc_normal_,
    **{f"to_{count}tuple": functools.partial(_repeated, count) for count in (1, 2, 3, 4)},
}
_PROGRESS: dict[str, Any] = {"tqdm": _iterated, "trange": _counted, "tqdm_notebook": _iterated}
_EQUIVALENTS: dict[str, dict[str, Any]] = {
    "timm.layers": _TIMM,
    "timm.models.layers": _TIMM,
    "timm.layers.weight_init": _TIMM,
    "timm.layers.drop": _TIMM,
    "timm.layers.helpers": _TIMM,
    "timm.models.layers.weight_init": _TIMM,
    "timm.models.layers.drop": _TIMM,
    "timm.models.layers.helpers": _TIMM,
    "tqdm": _PROGRESS,
    "tqdm.auto": _PROGRESS,
    "tqdm.notebook": _PROGRESS,
    "cached_property": {"cached_property": functools.cached_property},
    "overrides": {"overrides": lambda function: function, "override": lambda function: function},
}
_PASSING = frozenset(
    {
        "apex.amp.initialize",
        "apex.parallel.DistributedDataParallel",
        "apex.parallel.convert_syncbn_model",
        "accelerate.Accelerator().prepare",
        "accelerate.Accelerator().prepare_model",
        "accelerate.Accelerator().unwrap_model",
        "lightning.fabric.Fabric().setup",
        "lightning.Fabric().setup",
        "lightning_fabric.Fabric().setup",
    }
)
"""Calls that hand the model back with the weights that it had."""


def equivalent(module: str, name: str) -> Any:
    """What stands for `module.name` exactly, None when nothing does."""
    return _EQUIVALENTS.get(module, {}).get(name)


def has_equivalents(module: str) -> bool:
    """Whether a module, or one below it, has names that something stands for exactly."""
    return any(name == module or name.startswith(f"{module}.") for name in (*_EQUIVALENTS, *SETTINGS))


def passed_through(name: str, args: tuple[Any, ...]) -> tuple[Any] | None:
    """The result of a call that hands its arguments back, in a tuple of its own; None for any other call."""
    if name not in _PASSING or not args:
        return None
    return (args[0] if len(args) == 1 or name.startswith("apex.parallel") else args,)
