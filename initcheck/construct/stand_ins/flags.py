"""The flags of absl where it is not installed: each definition holds its default, for the command line is empty."""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any


class FlagHolder:
    """What a definition gives back."""

    def __init__(self, name: str, value: Any) -> None:
        self.name = name
        self.value = value
        self.default = value


class Values(types.SimpleNamespace):
    """`FLAGS`."""

    def __getitem__(self, name: str) -> FlagHolder:
        return FlagHolder(name, getattr(self, name))

    def __call__(self, _arguments: Any = (), **_options: Any) -> list[str]:
        """Nothing is parsed: the command line is empty."""
        return []


class Flags(types.ModuleType):
    """Stands for the module `absl.flags`."""

    def __init__(self) -> None:
        super().__init__("absl.flags")
        self.FLAGS = Values()

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("DEFINE_"):
            return self._define
        if name.startswith("mark_") or name in ("register_validator", "declare_key_flag", "adopt_module_key_flags"):
            return lambda *_args, **_kwargs: None
        raise AttributeError(f"module 'absl.flags' has no attribute {name!r}")

    def _define(self, name: str, default: Any = None, *_args: Any, **_kwargs: Any) -> FlagHolder:
        setattr(self.FLAGS, name, default)
        return FlagHolder(name, default)
