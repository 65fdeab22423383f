"""From a target to a live model: runs the slice of a file, imports a module, or calls a library's constructor, all under a recorder."""

from __future__ import annotations

import difflib
import importlib
import inspect
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from initcheck.construct.arguments import build, resolve
from initcheck.construct.blame import explained
from initcheck.construct.guard import guarded
from initcheck.construct.loader import code_of, fresh_module
from initcheck.construct.recording.placement import on_cpu
from initcheck.errors import TargetError
from initcheck.records.source import Location
from initcheck.records.target import Built, Recipe, Target

INPUT_FUNCTIONS = ("initcheck_input", "example_inputs")


@dataclass(frozen=True, slots=True)
class Construction:
    """A model, how it was built, and the sample input that its file offers (`None` for none)."""

    model: torch.nn.Module
    built: Built
    inputs: object = None


@dataclass(slots=True)
class _Notes:
    said: list[str] = field(default_factory=list)

    def add(self, text: str) -> None:
        if text not in self.said:
            self.said.append(text)


def construct(target: Target, watch: AbstractContextManager[object]) -> Construction:
    """Builds the model of a target inside `watch`.

    Raises:
        TargetError: when the user's code fails, exits, or gives no module; names the user's line and cause.
    """
    notes = _Notes()
    with guarded(target.path if target.recipe is not None else "", notes.add), on_cpu(notes.add):
        if target.recipe is not None:
            made = _from_file(target, target.recipe, watch, notes)
        elif target.path == "hf":
            made = _hugging_face(target, watch, notes)
        else:
            made = _from_module(target, watch, notes)
    _refuse_size_zero(target, made.model)
    return made


def _from_file(target: Target, recipe: Recipe, watch: AbstractContextManager[object], notes: _Notes) -> Construction:
    code = code_of(target.path, recipe)
    module = fresh_module(target.path)
    with explained(target):
        with watch:
            exec(code, module.__dict__)  # noqa: S102  (running the user's slice is what building a model means)
            model = build(target, resolve(target, module.__dict__))
        inputs = _inputs(module.__dict__)
    location = Location(target.path, recipe.line, recipe.column) if recipe.line else None
    expression = f"{target.qualname}({target.arguments})" if target.arguments else recipe.expression or target.qualname
    built = Built(expression, location, len(recipe.keep), recipe.statements, recipe.skipped, tuple(notes.said))
    return Construction(_module(target, model), built, inputs)


def _from_module(target: Target, watch: AbstractContextManager[object], notes: _Notes) -> Construction:
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
        inputs = _inputs(module.__dict__) if target.path not in ("torchvision", "timm") else None
    call = "" if isinstance(found, torch.nn.Module) else f"({target.arguments})"
    built = Built(f"{target.qualname}{call}", notes=tuple(notes.said))
    return Construction(_module(target, model), built, inputs)


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


def _hugging_face(target: Target, watch: AbstractContextManager[object], notes: _Notes) -> Construction:
    with explained(target):
        transformers = _imported(target, "transformers")
        config = _configuration(target, transformers)
        names = [name for name in (getattr(config, "architectures", None) or []) if hasattr(transformers, name)]
        with watch:
            model = getattr(transformers, names[0])(config) if names else transformers.AutoModel.from_config(config)
    built = Built(f"{type(model).__name__}(config)", notes=("built from the configuration, no weights were loaded", *notes.said))
    return Construction(_module(target, model), built)


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


def _inputs(space: dict[str, Any]) -> object:
    for name in INPUT_FUNCTIONS:
        if callable(space.get(name)):
            return space[name]()
    offered = space.get("example_input_array", space.get("example_inputs"))
    return offered if isinstance(offered, (torch.Tensor, tuple, list, dict)) else None


def _module(target: Target, made: object) -> torch.nn.Module:
    """The module that was made, without the wrappers that only spread it over devices."""
    if isinstance(made, (torch.nn.DataParallel, torch.nn.parallel.DistributedDataParallel)):
        made = made.module
    made = getattr(made, "_orig_mod", made)  # what torch.compile wrapped
    if isinstance(made, torch.nn.Module):
        return made
    message = f"{target.spec} gave a {type(made).__name__}, not a torch.nn.Module"
    if isinstance(made, (tuple, list)) and any(isinstance(item, torch.nn.Module) for item in made):
        message += "; several modules at once cannot be checked"
    raise TargetError(message, "name what builds one model: initcheck model.py::build", name="no-module")


def _refuse_size_zero(target: Target, model: torch.nn.Module) -> None:
    for name, parameter in model.named_parameters():
        lazy = isinstance(parameter, torch.nn.parameter.UninitializedTensorMixin)
        if not lazy and parameter.dim() > 1 and parameter.numel() == 0:
            shape = "x".join(map(str, parameter.shape))
            message = (
                f"{target.spec} has a parameter of size zero: {name} [{shape}]; something that the model's size depends on did not run"
            )
            hint = "put this into the file: def initcheck_model(): return Net(...)  # with real sizes"
            raise TargetError(message, hint, name="zero-size")
