"""What users call on a LightningModule while they build it, without Lightning."""

from __future__ import annotations

import inspect
import sys
from types import FrameType
from typing import Any

import torch


class Hyperparameters(dict[str, Any]):
    """A dictionary whose entries are attributes too."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError as error:
            raise AttributeError(name) from error

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value


class Lightning(torch.nn.Module):
    """A module with hyperparameters; logging does nothing, and there is no trainer."""

    automatic_optimization = True
    current_epoch = global_step = global_rank = local_rank = 0
    trainer = logger = None
    on_gpu = False

    def __init__(self, *_args: Any, **_kwargs: Any) -> None:
        super().__init__()
        self.__dict__["_hparams"] = Hyperparameters()

    @property
    def hparams(self) -> Hyperparameters:
        """What `save_hyperparameters` saved."""
        found = self.__dict__.setdefault("_hparams", Hyperparameters())
        assert isinstance(found, Hyperparameters)
        return found

    @hparams.setter
    def hparams(self, values: Any) -> None:
        self.__dict__["_hparams"] = _entries(values)

    def save_hyperparameters(self, *wanted: Any, ignore: Any = (), frame: FrameType | None = None, logger: bool = True) -> None:
        """The arguments of the constructors that are running for this module, some of them by name, or what is handed in."""
        del logger
        left_out = {ignore} if isinstance(ignore, str) else set(ignore or ())
        values = _constructor_arguments(self, frame or sys._getframe(1))  # noqa: SLF001  (Lightning itself reads the caller)
        names = [item for item in wanted if isinstance(item, str)]
        if names:
            values = {name: values[name] for name in names if name in values}
        elif wanted:
            values = dict(_entries(wanted[0]))
        self.hparams.update({name: value for name, value in values.items() if name not in left_out})

    @property
    def device(self) -> torch.device:
        """Where the first parameter is."""
        return next((parameter.device for parameter in self.parameters()), torch.device("cpu"))

    @property
    def dtype(self) -> torch.dtype:
        """The type of the first parameter."""
        return next((parameter.dtype for parameter in self.parameters()), torch.get_default_dtype())

    def log(self, *_args: Any, **_kwargs: Any) -> None:
        """Nothing is logged."""

    def log_dict(self, *_args: Any, **_kwargs: Any) -> None:
        """Nothing is logged."""

    def print(self, *_args: Any, **_kwargs: Any) -> None:
        """Nothing is printed."""

    def freeze(self) -> None:
        """Takes all parameters out of training."""
        for parameter in self.parameters():
            parameter.requires_grad = False
        self.eval()

    def unfreeze(self) -> None:
        """Puts all parameters back into training."""
        for parameter in self.parameters():
            parameter.requires_grad = True
        self.train()


def _entries(values: Any) -> Hyperparameters:
    """A namespace, a dataclass or a mapping as a dictionary."""
    if hasattr(values, "keys"):
        return Hyperparameters({key: values[key] for key in values.keys()})  # noqa: SIM118  (any mapping of the user's)
    return Hyperparameters(vars(values))


def _constructor_arguments(module: object, frame: FrameType | None) -> dict[str, Any]:
    """The arguments of `__init__`, those of derived classes last, so that what the user passed wins."""
    found: dict[str, Any] = {}
    while frame is not None and frame.f_code.co_name == "__init__":
        values = inspect.getargvalues(frame)
        if not values.args or values.locals.get(values.args[0]) is not module:
            break
        code = frame.f_code
        names = code.co_varnames[1 : code.co_argcount + code.co_kwonlyargcount]
        found.update({name: values.locals[name] for name in names if name in values.locals})
        if values.keywords:
            found.update(values.locals.get(values.keywords, {}))
        frame = frame.f_back
    return found
