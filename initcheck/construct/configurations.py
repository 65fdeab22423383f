"""A model of transformers from its configuration: of a folder, of the local cache, or as it was published. Nothing is downloaded."""

from __future__ import annotations

import importlib
import json
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from initcheck.construct.blame import explained
from initcheck.construct.made import Construction, Notes, the_module
from initcheck.construct.stand_ins.packages import install_command
from initcheck.construct.stand_ins.transformers_models import published
from initcheck.errors import TargetError
from initcheck.records.target import Built, Target

_BUILT = "built from the configuration"
_ALONE = f"{_BUILT}, no weights were loaded"


def hugging_face(target: Target, watch: AbstractContextManager[object], notes: Notes) -> Construction:
    """The model of a configuration in the Hugging Face format, without weights.

    Raises:
        TargetError: when there is no configuration on this machine, or it asks for code or a model that is not there.
    """
    with explained(target):
        transformers = _transformers()
        config = _configuration(target, transformers, notes)
        wanted = list(getattr(config, "architectures", None) or [])
        names = [name for name in wanted if hasattr(transformers, name)]
        if wanted and not names:
            notes.add(f"transformers has no {wanted[0]}; the model is without its head")
        with watch:
            model = getattr(transformers, names[0])(config) if names else transformers.AutoModel.from_config(config)
    built = Built(f"{type(model).__name__}(config)", notes=(_BUILT if target.fill is not None else _ALONE, *notes.said))
    return Construction(the_module(target, model), built)


def _transformers() -> Any:
    try:
        return importlib.import_module("transformers")
    except ModuleNotFoundError as error:
        missing = (error.name or "transformers").partition(".")[0]
        needs = "" if missing == "transformers" else f", which needs {missing}"
        message = f"cannot import transformers{needs}: it is not installed"
        raise TargetError(message, install_command(missing), name="missing-import") from error


def _configuration(target: Target, transformers: Any, notes: Notes) -> Any:
    folder = Path(target.qualname).expanduser()
    reference = str(folder) if folder.is_dir() else target.qualname
    if folder.is_dir():
        _check_readable(folder / "config.json")
    try:
        # the cache alone, whatever the network: an answer at once, and the same one tomorrow
        return transformers.AutoConfig.from_pretrained(reference, local_files_only=True, trust_remote_code=False)
    except OSError as error:
        known = published(reference)
        if known is not None:
            notes.add("not in the local cache; its configuration is known as published")
            return known
        message = f"cannot find the configuration of {reference}: it is no folder, and not in the local Hugging Face cache"
        raise TargetError(message, f"hf download {reference} config.json", name="offline") from error
    except (ValueError, KeyError, ImportError) as error:
        raise _explained(reference, error) from error


def _check_readable(path: Path) -> None:
    try:
        json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        message = f"cannot read {path}: it is no JSON ({type(error).__name__}: {error})"
        raise TargetError(message, "save it again: model.config.save_pretrained(...)", name="damaged") from error


def _explained(reference: str, error: Exception) -> TargetError:
    text = " ".join(str(error).split())
    if "trust_remote_code" in text:
        message = f"{reference} brings Python code of its own, which initcheck does not run"
        hint = "put it into a file: def initcheck_model(): return AutoModel.from_config(config, trust_remote_code=True)"
        return TargetError(message, hint, name="refused")
    if "model type" in text or "model_type" in text:
        message = f"transformers does not know the model of {reference}: {text[:160]}"
        return TargetError(message, "pip install -U transformers", name="import-failed")
    return TargetError(
        f"cannot read the configuration of {reference}: {type(error).__name__}: {text[:200]}",
        f"initcheck rule damaged; ls {reference}",
        name="damaged",
    )
