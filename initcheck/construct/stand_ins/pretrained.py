"""Requests for trained weights: answered from what lies on this machine, else by the random initialization, which is marked as not the user's."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import torch

from initcheck.construct.guard import changed
from initcheck.construct.guard.reading import looked_for
from initcheck.construct.recording.frames import Kind, asked_by
from initcheck.construct.stand_ins.missing import user_site
from initcheck.construct.stand_ins.transformers_models import Pretrained
from initcheck.construct.stand_ins.unloaded import Loading, Note
from initcheck.errors import TargetError

_LOADERS = ("load_state_dict_from_url", "load_url")
_TORCHVISION = "pytorch/vision"


@contextlib.contextmanager
def without_downloads(note: Note) -> Iterator[Callable[[Any], None]]:
    """Inside, weights that are not on this machine are left out; gives what has to be told of each library that is loaded meanwhile."""
    loading = Loading(torch.nn.Module.load_state_dict, note)
    original = torch.hub.load_state_dict_from_url
    from_address = _from_address(original, loading)
    hugging_face = Pretrained(loading)
    with contextlib.ExitStack() as stack:
        stack.enter_context(changed(torch.nn.Module, "load_state_dict", loading.function()))
        stack.enter_context(changed(torch, "load", _load(torch.load, loading)))
        stack.enter_context(changed(torch.hub, "load", _hub(torch.hub.load)))
        _rebind(original, from_address)
        stack.callback(_rebind, from_address, original)
        stack.callback(hugging_face.restore)
        for name in (*hugging_face.MODULES, *_LIBRARIES):
            if name in sys.modules:
                _hook(sys.modules[name], stack, loading, hugging_face)
        yield lambda module: _hook(module, stack, loading, hugging_face)


def watched() -> frozenset[str]:
    """The modules that have to be told of when they are loaded."""
    return frozenset((*Pretrained.MODULES, *_LIBRARIES))


def _rebind(old: Any, new: Any) -> None:
    """Replaces a function wherever a module has imported it."""
    for module in list(sys.modules.values()):
        space = getattr(module, "__dict__", {})
        for name in _LOADERS:
            if space.get(name) is old:
                space[name] = new


def _from_address(original: Callable[..., Any], loading: Loading) -> Callable[..., Any]:
    def load_state_dict_from_url(url: str, model_dir: str | None = None, *args: Any, **kwargs: Any) -> Any:
        folder = model_dir or os.path.join(torch.hub.get_dir(), "checkpoints")  # noqa: PTH118  (as torch.hub itself does)
        name = kwargs.get("file_name") or os.path.basename(urlparse(url).path)  # noqa: PTH119
        if (Path(folder) / name).is_file():
            return original(url, model_dir, *args, **kwargs)
        return loading.absent(url)

    return load_state_dict_from_url


def _load(original: Callable[..., Any], loading: Loading) -> Callable[..., Any]:
    """`torch.load` of the user's own code: a file that is missing is left out, one that is there is opened on the CPU."""

    def load(f: Any, *args: Any, **kwargs: Any) -> Any:
        if asked_by(sys._getframe(1)) is not Kind.USER or not isinstance(f, (str, os.PathLike)):  # noqa: SLF001
            return original(f, *args, **kwargs)
        looked_for(f)
        if not Path(f).exists():
            return loading.absent(os.fspath(f), downloaded=False)
        if not torch.cuda.is_available():
            args, kwargs = args[1:], {**kwargs, "map_location": "cpu"}
        return original(f, *args, **kwargs)

    return load


def _hub(original: Callable[..., Any]) -> Callable[..., Any]:
    def load(repo_or_dir: Any, model: str, *args: Any, **kwargs: Any) -> Any:
        if kwargs.get("source", "github") == "local":
            return original(repo_or_dir, model, *args, **kwargs)
        if str(repo_or_dir).split(":")[0] != _TORCHVISION:
            site = user_site()
            message = f"{f'{site} loads' if site else 'the file loads'} {model} from github.com/{repo_or_dir}; initcheck works offline"
            hint = f"clone it, then torch.hub.load('path/to/clone', {model!r}, source='local')"
            if site:
                hint += f"; what the source alone tells:\ninitcheck --static {str(site).rpartition(':')[0]}"
            raise TargetError(message, hint, name="offline")
        from torchvision import models

        ours = {name: value for name, value in kwargs.items() if name not in _HUB_OPTIONS}
        return models.get_model_builder(model)(*args, **ours)

    return load


_HUB_OPTIONS = frozenset({"source", "trust_repo", "force_reload", "verbose", "skip_validation"})


def _hook(module: Any, stack: contextlib.ExitStack, loading: Loading, hugging_face: Pretrained) -> None:
    """Fits one library that is loaded now."""
    name = module.__name__
    if name in hugging_face.MODULES:
        hugging_face.hook(module)
    elif name in _LIBRARIES:
        _LIBRARIES[name](module, stack, loading)


def _timm(module: Any, stack: contextlib.ExitStack, loading: Loading) -> None:
    """timm builds the model first and then asks one function for its weights."""

    def load_pretrained(model: Any, pretrained_cfg: Any = None, *_args: Any, **_kwargs: Any) -> None:
        config = pretrained_cfg or getattr(model, "pretrained_cfg", None) or {}
        title = config.get("architecture") if isinstance(config, dict) else getattr(config, "architecture", None)
        loading.mark(model, loading.absent(title or type(model).__name__).absence)

    stack.enter_context(changed(module, "load_pretrained", load_pretrained))


def _safetensors(module: Any, stack: contextlib.ExitStack, loading: Loading) -> None:
    original = module.load_file

    def load_file(filename: Any, *args: Any, **kwargs: Any) -> Any:
        asks = asked_by(sys._getframe(1)) is Kind.USER  # noqa: SLF001
        if asks and not Path(filename).exists():
            return loading.absent(os.fspath(filename), downloaded=False)
        return original(filename, *args, **kwargs)

    stack.enter_context(changed(module, "load_file", load_file))


_LIBRARIES: dict[str, Callable[[Any, contextlib.ExitStack, Loading], None]] = {
    "timm.models._builder": _timm,
    "safetensors.torch": _safetensors,
}
