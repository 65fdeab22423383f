"""Objects that hold settings, of packages that are missing: their values stand in the file, so they are not lost with the package."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

from initcheck.construct.stand_ins.flags import Flags


class Settings(dict[str, Any]):
    """A dictionary with entries as attributes, and dictionaries in it likewise: EasyDict, CfgNode, ConfigDict, Munch."""

    def __init__(self, values: Any = None, **more: Any) -> None:
        super().__init__()
        for name, value in {**dict(values or {}), **more}.items():
            self[name] = value

    def __setitem__(self, name: str, value: Any) -> None:
        plain = isinstance(value, dict) and not isinstance(value, Settings)
        super().__setitem__(name, type(self)(value) if plain else value)

    def __getattr__(self, name: str) -> Any:
        if name in self:
            return self[name]
        raise AttributeError(name)

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value

    def update(self, *values: Any, **more: Any) -> None:
        """As of a dictionary."""
        for name, value in dict(*values, **more).items():
            self[name] = value

    def clone(self) -> Settings:
        """A deep copy."""
        return copy.deepcopy(self)

    def freeze(self) -> None:
        """Nothing is changed later anyway."""

    defrost = lock = unlock = freeze

    def merge_from_list(self, pairs: list[Any]) -> None:
        """Sets entries: name, value, name, value and so on."""
        for name, value in zip(pairs[::2], pairs[1::2], strict=True):
            *path, last = name.split(".")
            node = self
            for part in path:
                node = node[part]
            node[last] = value

    def merge_from_other_cfg(self, other: Mapping[str, Any]) -> None:
        """The entries of another one, level by level."""
        for name, value in other.items():
            if isinstance(value, Mapping) and isinstance(self.get(name), Settings):
                self[name].merge_from_other_cfg(value)
            else:
                self[name] = value


def _absl_flags() -> dict[str, Any]:
    flags = Flags()
    kinds = "integer float string boolean bool enum list spaceseplist multi_integer multi_float multi_string multi_enum".split()
    return {"FLAGS": flags.FLAGS, **{f"DEFINE_{kind}": getattr(flags, f"DEFINE_{kind}") for kind in kinds}}


def _wandb() -> dict[str, Any]:
    """The configuration that the file hands to `wandb.init` is what it reads back, unless a sweep sets it."""
    held = Settings()

    def init(*_args: Any, config: Any = None, **_options: Any) -> Any:
        given = config if config is None or hasattr(config, "keys") else vars(config)
        held.update(given or {})
        return _Run(held)

    return {"init": init, "config": held}


class _Run:
    """A run that nobody records."""

    def __init__(self, config: Settings) -> None:
        self.config = config
        self.name = self.id = self.dir = self.project = "offline"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return lambda *_args, **_options: None

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: object) -> None:
        return None


SETTINGS: dict[str, Callable[[], dict[str, Any]]] = {
    "absl.flags": _absl_flags,
    "wandb": _wandb,
    "easydict": lambda: {"EasyDict": Settings},
    "munch": lambda: {"Munch": Settings},
    "yacs.config": lambda: {"CfgNode": Settings},
    "ml_collections": lambda: {"ConfigDict": Settings},
    "ml_collections.config_dict": lambda: {"ConfigDict": Settings},
    "ml_collections.config_dict.config_dict": lambda: {"ConfigDict": Settings},
}
"""Module -> what makes the names in it that hold settings."""
