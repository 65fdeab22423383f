"""Finds wrong initial weights in PyTorch models before the first training step.

`initcheck.check(model)` gives a `Report`. Importing this package imports neither torch nor the command line.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from initcheck.engine import check
    from initcheck.records.loading import LoadReport
    from initcheck.records.report import Report
    from initcheck.remedy.healing import fix
    from initcheck.remedy.loading import load
    from initcheck.remedy.starting import initialize
    from initcheck.remedy.verifying import verify

__version__ = "0.1.0"

_HOMES = {
    "LoadReport": "initcheck.records.loading",
    "Report": "initcheck.records.report",
    "check": "initcheck.engine",
    "fix": "initcheck.remedy.healing",
    "initialize": "initcheck.remedy.starting",
    "load": "initcheck.remedy.loading",
    "verify": "initcheck.remedy.verifying",
}

__all__ = ["LoadReport", "Report", "__version__", "check", "fix", "initialize", "load", "verify"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)


class _Package(ModuleType):
    """A verb keeps its name although a room of the house has the same: `initcheck.fix` is the function, also once `initcheck.fix.plan` is imported."""

    def __setattr__(self, name: str, value: object) -> None:
        if not (name in _HOMES and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
