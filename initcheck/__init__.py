"""Finds wrong initial weights in PyTorch models before the first training step.

`initcheck.check(model)` gives a `Report`. Importing this package imports neither torch nor the command line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from initcheck.engine import check
    from initcheck.records.loading import LoadReport
    from initcheck.records.report import Report
    from initcheck.remedy.loading import load

__version__ = "0.1.0"

_HOMES = {
    "LoadReport": "initcheck.records.loading",
    "Report": "initcheck.records.report",
    "check": "initcheck.engine",
    "load": "initcheck.remedy.loading",
}

__all__ = ["LoadReport", "Report", "__version__", "check", "load"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
