"""A model from an importable module: a package of the user, torchvision, timm, or a configuration of transformers."""

from __future__ import annotations

import difflib
import importlib
import inspect
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import torch

from initcheck.construct.arguments.literal import build, resolve
from initcheck.construct.blame import explained
from initcheck.construct.made import Construction, Notes, offered_inputs, the_module
from initcheck.errors import TargetError
from initcheck.records.target import Built, Target


def from_module(target: Target, watch: AbstractContextManager[object], notes: Notes) -> Construction:
    """The model that an importable name makes."""
    name = "torchvision.models" if target.path == "torchvision" else target.path
    with explained(target):
        module = _imported(target, name)
        if target.path == "torchvision":
            space = {target.qualname: _torchvision(target, module)}
        elif target.path == "timm":
            space = {
                target.qualname: lambda *args, **kwargs: module.create_model(target.qualname, *args, **{"pretrained": False, **kwargs})
            }
        else:
            space = module.__dict__
        with watch:
            found = resolve(target, space)
            model = build(target, found)
        inputs = offered_inputs(module.__dict__) if target.path not in ("torchvision", "timm") else None
    call = "" if isinstance(found, torch.nn.Module) else f"({target.arguments})"
    built = Built(f"{target.qualname}{call}", notes=tuple(notes.said))
    return Construction(the_module(target, model), built, inputs)


def _torchvision(target: Target, models: Any) -> Any:
    """A constructor by its registered name, without weights."""
    known = models.list_models()
    if target.qualname not in known:
        close = difflib.get_close_matches(target.qualname, known, 1)
        hint = f"did you mean torchvision:{close[0]}?" if close else "torchvision.models.list_models() lists them"
        raise TargetError(f"torchvision has no model {target.qualname}", hint, name="unknown-name")
    constructor = models.get_model_builder(target.qualname)
    extra = {"weights_backbone": None} if "weights_backbone" in inspect.signature(constructor).parameters else {}
    return lambda *args, **kwargs: constructor(*args, **{"weights": None, **extra, **kwargs})


def hugging_face(target: Target, watch: AbstractContextManager[object], notes: Notes) -> Construction:
    """The model of a configuration in the Hugging Face format, without weights."""
    with explained(target):
        transformers = _imported(target, "transformers")
        config = _configuration(target, transformers)
        names = [name for name in (getattr(config, "architectures", None) or []) if hasattr(transformers, name)]
        with watch:
            model = getattr(transformers, names[0])(config) if names else transformers.AutoModel.from_config(config)
    built = Built(f"{type(model).__name__}(config)", notes=("built from the configuration, no weights were loaded", *notes.said))
    return Construction(the_module(target, model), built)


def _configuration(target: Target, transformers: Any) -> Any:
    reference = target.qualname
    if Path(reference).expanduser().is_dir():
        return transformers.AutoConfig.from_pretrained(str(Path(reference).expanduser()), local_files_only=True)
    try:
        return transformers.AutoConfig.from_pretrained(reference, local_files_only=True)
    except OSError as error:
        message = f"cannot find the configuration of {reference}: it is no folder, and not in the local Hugging Face cache"
        raise TargetError(message, f"hf download {reference} config.json", name="offline") from error


def _imported(target: Target, name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        missing = error.name or name
        own = missing == target.path or target.path.startswith(f"{missing}.")
        if target.path == "hf" or (own and target.path in ("torchvision", "timm")):
            hint = f"pip install {missing.split('.')[0]}"
        elif own:
            hint = f"run from the folder that contains {missing.split('.')[0]}/, or pip install -e ."
        else:
            raise
        raise TargetError(
            f"cannot import {name}: no module named {missing} (looked from {Path.cwd()})", hint, name="missing-import"
        ) from error
