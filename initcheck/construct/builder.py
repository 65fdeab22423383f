"""From a target to a live model: runs the slice of a file, imports a module, or calls a library's constructor, all under a recorder."""

from __future__ import annotations

import ast
import hashlib
import importlib
import inspect
import sys
import traceback
import types
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from initcheck.construct.guard import guarded, on_cpu
from initcheck.errors import InitcheckError, TargetError
from initcheck.records.source import Location
from initcheck.records.target import Built, Recipe, Target

INPUT_FUNCTIONS = ("initcheck_input", "example_inputs")
PRIVATE = "__initcheck_target__"


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
        self.said.append(text)


def construct(target: Target, watch: AbstractContextManager[object]) -> Construction:
    """Builds the model of a target inside `watch`.

    Raises:
        TargetError: when the user's code fails, exits, or gives no module; names the user's line and cause.
    """
    notes = _Notes()
    with guarded(target.path if target.recipe is not None else ""), on_cpu(notes.add):
        if target.recipe is not None:
            return _from_file(target, target.recipe, watch, notes)
        if target.path == "hf":
            return _hugging_face(target, watch, notes)
        return _from_module(target, watch, notes)


def _from_file(target: Target, recipe: Recipe, watch: AbstractContextManager[object], notes: _Notes) -> Construction:
    source = Path(target.path).read_bytes()
    if recipe.digest and hashlib.blake2b(source, digest_size=8).hexdigest() != recipe.digest:
        raise TargetError(f"{target.path} changed while it was read", "run initcheck again", name="changed")
    tree = ast.parse(source, target.path)
    body = [tree.body[index] for index in recipe.keep]
    code = compile(ast.Module(body=body, type_ignores=[]), target.path, "exec")
    module = types.ModuleType(PRIVATE)
    module.__file__ = target.path
    module.__dict__["__package__"] = None
    sys.modules[PRIVATE] = module
    try:
        with _explained(target, "cannot build"):
            with watch:
                exec(code, module.__dict__)  # noqa: S102  (running the user's slice is what building a model means)
                model = _model(target, module.__dict__)
            inputs = _inputs(module.__dict__)
    finally:
        sys.modules.pop(PRIVATE, None)
    location = Location(target.path, recipe.line, recipe.column) if recipe.line else None
    skipped = recipe.skipped
    built = Built(recipe.expression or target.qualname, location, len(recipe.keep), recipe.statements, skipped, tuple(notes.said))
    return _checked(target, Construction(model, built, inputs))


def _from_module(target: Target, watch: AbstractContextManager[object], notes: _Notes) -> Construction:
    name = "torchvision.models" if target.path == "torchvision" else target.path
    with _explained(target, "cannot build"):
        module = _imported(target, name)
        if target.path == "timm":
            with watch:
                model: object = module.create_model(target.qualname, pretrained=False, **_keywords(target.arguments))
        else:
            space = _constructors(target, module) if target.path == "torchvision" else module.__dict__
            with watch:
                model = _model(target, space)
    shown = target.qualname + (f"({target.arguments})" if target.arguments else "")
    inputs = _inputs(module.__dict__) if target.path not in ("torchvision", "timm") else None
    return _checked(target, Construction(model, Built(shown, notes=tuple(notes.said)), inputs))  # type: ignore[arg-type]


def _constructors(target: Target, module: Any) -> dict[str, Any]:
    """torchvision's constructors by their registered names, without weights."""
    if target.qualname not in module.list_models():
        import difflib

        close = difflib.get_close_matches(target.qualname, module.list_models(), 1)
        hint = f"did you mean torchvision:{close[0]}?" if close else "torchvision.models.list_models() lists them"
        raise TargetError(f"torchvision has no model {target.qualname}", hint, name="unknown-name")
    build = module.get_model_builder(target.qualname)
    extra = {"weights_backbone": None} if "weights_backbone" in inspect.signature(build).parameters else {}
    return {target.qualname: lambda *args, **kwargs: build(*args, **{"weights": None, **extra, **kwargs})}


def _hugging_face(target: Target, watch: AbstractContextManager[object], notes: _Notes) -> Construction:
    with _explained(target, "cannot build"):
        transformers = _imported(target, "transformers")
        config = transformers.AutoConfig.from_pretrained(target.qualname, local_files_only=True)
        names = [name for name in (getattr(config, "architectures", None) or []) if hasattr(transformers, name)]
        with watch:
            model = getattr(transformers, names[0])(config) if names else transformers.AutoModel.from_config(config)
    built = Built(f"{type(model).__name__}(config)", notes=("built from the configuration, no weights were loaded", *notes.said))
    return _checked(target, Construction(model, built))


def _imported(target: Target, name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        missing = error.name or name
        hint = f"pip install {missing.split('.')[0]}"
        if missing == target.path.split(".")[0] and target.path not in ("torchvision", "timm", "hf"):
            hint = f"run from the folder that contains {missing}/, or pip install -e ."
        raise TargetError(f"cannot import {name}: no module named {missing}", hint, name="missing-import") from error


def _model(target: Target, space: dict[str, Any]) -> Any:
    found: Any = space
    for index, part in enumerate(target.qualname.split(".")):
        if index == 0 and part not in space:
            raise TargetError(f"{target.path} has no {part} after its slice ran", f"initcheck {target.path}", name="unknown-name")
        found = space[part] if index == 0 else getattr(found, part)
    if isinstance(found, torch.nn.Module):
        return found
    if not callable(found):
        raise TargetError(
            f"{target.spec} is a {type(found).__name__}, not a module", "name a module, a class or a function", name="no-module"
        )
    args, kwargs = _positional(target.arguments), _keywords(target.arguments)
    return found(*args, **kwargs)


def _call(arguments: str) -> ast.Call:
    node = ast.parse(f"f({arguments})", mode="eval").body
    if not isinstance(node, ast.Call):
        raise TargetError(
            f"cannot read the arguments {arguments!r}", "write them as in Python: 'model.py::Net(64, depth=4)'", name="target-syntax"
        )
    return node


def _positional(arguments: str) -> list[Any]:
    return [ast.literal_eval(value) for value in _call(arguments).args]


def _keywords(arguments: str) -> dict[str, Any]:
    return {item.arg: ast.literal_eval(item.value) for item in _call(arguments).keywords if item.arg}


def _inputs(space: dict[str, Any]) -> object:
    for name in INPUT_FUNCTIONS:
        if callable(space.get(name)):
            return space[name]()
    offered = space.get("example_input_array", space.get("example_inputs"))
    return offered if isinstance(offered, (torch.Tensor, tuple, list, dict)) else None


def _checked(target: Target, made: Construction) -> Construction:
    if not isinstance(made.model, torch.nn.Module):
        kind = type(made.model).__name__
        raise TargetError(
            f"{target.spec} gave a {kind}, not a torch.nn.Module", "name what builds the model: initcheck model.py::build", name="no-module"
        )
    for name, parameter in made.model.named_parameters():
        lazy = isinstance(parameter, torch.nn.parameter.UninitializedTensorMixin)
        if not lazy and parameter.dim() > 1 and parameter.numel() == 0:
            shape = "x".join(map(str, parameter.shape))
            message = (
                f"{target.spec} has a parameter of size zero: {name} [{shape}]; something that the model's size depends on did not run"
            )
            raise TargetError(
                message, "put this into the file: def initcheck_model(): return Net(...)  # with real sizes", name="zero-size"
            )
    return made


@contextmanager
def _explained(target: Target, what: str) -> Iterator[None]:
    """Turns whatever the user's code raises into one error with the user's own line and cause."""
    try:
        yield
    except InitcheckError:
        raise
    except SystemExit as error:
        where = _line(target, error)
        raise TargetError(
            f"{what} {target.spec}: {where} calls sys.exit({error.code!r})", _exit_hint(target, error), name="exits"
        ) from error
    except KeyboardInterrupt:
        raise
    except ModuleNotFoundError as error:
        where = _line(target, error)
        missing = (error.name or "").split(".")[0]
        raise TargetError(
            f"{what} {target.spec}: {where} imports {missing}, which is not installed", f"pip install {missing}", name="missing-import"
        ) from error
    except BaseException as error:
        where = _line(target, error)
        message = f"{what} {target.spec}: {where}: {type(error).__name__}: {error}"
        raise TargetError(message, _hint(target), name="build-failed") from error


def _line(target: Target, error: BaseException) -> str:
    """The last line of the user's own file in the traceback, else the last line of all."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if frame.filename == target.path]
    if own:
        return f"{target.path}:{own[-1].lineno}"
    away = [frame for frame in frames if "initcheck/construct" not in frame.filename.replace("\\", "/")]
    return f"{away[-1].filename}:{away[-1].lineno}" if away else target.spec


def _hint(target: Target) -> str:
    if target.recipe is None:
        return "call it yourself in Python to see the whole traceback, or name another constructor"
    return f"put this into {target.path}: def initcheck_model(): return ...  # builds the model without data or files"


def _exit_hint(target: Target, error: SystemExit) -> str:
    if error.code == 2:
        return f"a required command line option is missing; {_hint(target)}"
    return _hint(target)
