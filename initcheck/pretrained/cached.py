"""Weights that libraries have downloaded before: where they lie, or the command that fetches them. Nothing is downloaded here."""

from __future__ import annotations

import difflib
import hashlib
import re
from pathlib import Path
from urllib.parse import urlparse

import torch

from initcheck.construct.catalogues import library
from initcheck.construct.weights.content import damaged
from initcheck.errors import TargetError

_HASH = re.compile(r"-([0-9a-f]{8,})\.")
_STEP = 1 << 20
_FILES = ("model.safetensors", "pytorch_model.bin", "open_clip_model.safetensors")


def torchvision_file(reference: str) -> str:
    """The file of `NAME[:WEIGHTS]`, the default weights if none are named.

    Raises:
        TargetError: `unknown-name`, `offline`, `damaged` or `missing-import`.
    """
    name, _, wanted = reference.partition(":")
    models = library("torchvision.models")
    if name not in models.list_models():
        raise _unknown("torchvision", name, models.list_models())
    offered = models.get_model_weights(name)
    if wanted and wanted != "DEFAULT" and wanted not in offered.__members__:
        hint = f"it has: {', '.join(offered.__members__)}"
        raise TargetError(f"torchvision:{name} has no weights {wanted}", hint, name="unknown-name")
    chosen = offered[wanted] if wanted and wanted != "DEFAULT" else offered.DEFAULT
    get = f"python -c \"from torchvision.models import get_model; get_model('{name}', weights='{chosen.name}')\""
    return _of_the_hub(chosen.url, f"the weights {chosen.name} of torchvision:{name}", get)


def timm_file(reference: str) -> str:
    """The file of a model of timm.

    Raises:
        TargetError: `unknown-name`, `offline`, `damaged` or `missing-import`.
    """
    timm = library("timm")
    if not timm.is_model(reference.partition(".")[0]):
        raise _unknown("timm", reference, timm.list_models())
    configuration = timm.get_pretrained_cfg(reference)
    get = f"python -c \"import timm; timm.create_model('{reference}', pretrained=True)\""
    repository = getattr(configuration, "hf_hub_id", "") or ""
    url = getattr(configuration, "url", "") or ""
    what = f"the weights of timm:{reference}"
    if repository:
        repository = f"{repository}{reference}" if repository.endswith("/") else repository
        found = _in_cache(repository)
        if found:
            return found
    if url:
        return _of_the_hub(url, what, get)
    raise TargetError(f"{what} are not on this machine, and initcheck works offline", f"fetch them once:\n{get}", name="offline")


def hub_folder(reference: str) -> str:
    """The folder in the local cache that holds a repository of the hub.

    Raises:
        TargetError: `offline` or `missing-import`.
    """
    found = _in_cache(reference)
    if not found:
        message = (
            f"the weights of {reference} are in no folder of that name and not in the local Hugging Face cache; initcheck works offline"
        )
        raise TargetError(message, f"hf download {reference}", name="offline")
    return str(Path(found).parent)


def _in_cache(repository: str) -> str:
    """A file of weights of a repository, or the index of them; empty for none."""
    hub = library("huggingface_hub")
    for name in (*(f"{name}.index.json" for name in _FILES[:2]), *_FILES):
        try:
            found = hub.try_to_load_from_cache(repository, name)
        except (ValueError, OSError):  # no name that a repository can have
            return ""
        if isinstance(found, str):
            return found
    return ""


def _of_the_hub(url: str, what: str, get: str) -> str:
    """The file that torch's own hub keeps of an address; its name holds the start of its SHA-256."""
    path = Path(torch.hub.get_dir()) / "checkpoints" / Path(urlparse(url).path).name
    if not path.is_file():
        raise TargetError(f"{what} are not on this machine, and initcheck works offline", f"fetch them once:\n{get}", name="offline")
    stated = _HASH.search(path.name)
    if stated is not None and not _sha256(path).startswith(stated[1]):
        raise damaged(str(path), f"its bytes are not those that its name promises ({stated[1]})", f"fetch it again:\nrm {path}\n{get}")
    return str(path)


def _sha256(path: Path) -> str:
    found = hashlib.sha256()
    with path.open("rb") as file:
        while part := file.read(_STEP):
            found.update(part)
    return found.hexdigest()


def _unknown(library: str, name: str, known: list[str]) -> TargetError:
    near = difflib.get_close_matches(name.lower(), known, 3)
    hint = f"did you mean {' or '.join(f'{library}:{other}' for other in near)}?" if near else f"see {library}'s list_models()"
    return TargetError(f"{library} has no model {name}", hint, name="unknown-name")
