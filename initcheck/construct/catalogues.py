"""Models that torchvision and timm build by name, always without trained weights."""

from __future__ import annotations

import difflib
import importlib
import inspect
from collections.abc import Callable
from typing import Any

from initcheck.construct.arguments.literal import literals
from initcheck.construct.stand_ins.packages import install_command
from initcheck.errors import TargetError
from initcheck.records.target import Target

CATALOGUES = ("torchvision", "timm")
"""The libraries whose models are named after their own name and a colon."""


def builder(target: Target) -> Callable[[], object]:
    """What makes the model that a target of such a library names.

    Raises:
        TargetError: when the library is not installed or knows no such model; names the nearest one.
    """
    args, kwargs = literals(target.arguments)
    if target.path == "timm":
        timm = library("timm")
        if not timm.is_model(target.qualname):
            raise _unknown(target, timm.list_models())
        return lambda: timm.create_model(target.qualname, *args, **{"pretrained": False, **kwargs})
    models = library("torchvision.models")
    if target.qualname not in models.list_models():
        raise _unknown(target, models.list_models())
    constructor = models.get_model_builder(target.qualname)
    extra = {"weights_backbone": None} if "weights_backbone" in inspect.signature(constructor).parameters else {}
    return lambda: constructor(*args, **{"weights": None, **extra, **kwargs})


def library(name: str) -> Any:
    """The module of that name.

    Raises:
        TargetError: `missing-import` when it, or what it needs, is not installed.
    """
    package = name.partition(".")[0]
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        missing = (error.name or name).partition(".")[0]
        needs = "" if missing == package else f", which needs {missing}"
        raise TargetError(
            f"cannot import {package}{needs}: it is not installed", install_command(missing), name="missing-import"
        ) from error


def _unknown(target: Target, known: list[str]) -> TargetError:
    wanted = target.qualname.lower()
    plain = {name.replace("_", ""): name for name in known}
    same = plain.get(wanted.replace("_", "").replace("-", ""))
    near = [same] if same else difflib.get_close_matches(wanted.partition(".")[0], known, 3)
    names = " or ".join(f"{target.path}:{name}" for name in near)
    listing = "torchvision.models.list_models()" if target.path == "torchvision" else "timm.list_models()"
    hint = f"did you mean {names}?" if near else f'python -c "import {listing.rpartition(".")[0]}; print(*{listing})"'
    return TargetError(f"{target.path} has no model {target.qualname}", hint, name="unknown-name")
