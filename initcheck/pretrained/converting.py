"""Models of transformers whose files hold other names than they do: transformers itself knows how to convert them."""

from __future__ import annotations

import copy
import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import Any

import torch

from initcheck.matching.leftovers import harmless
from initcheck.matching.pairing import Pairing
from initcheck.pretrained.sources import Source

NOTHING: tuple[dict[str, torch.Tensor], frozenset[str]] = ({}, frozenset())


def converted(model: torch.nn.Module, source: Source, pairing: Pairing) -> tuple[dict[str, torch.Tensor], frozenset[str]]:
    """The tensors that the loader of transformers makes of stored ones that have no place under their own names, and what it leaves over.

    It is asked only for the one model of its own in `model` that is of the folder's kind, when tensors are missing and others are left over.
    """
    if not source.folder or not pairing.missing or all(map(harmless, pairing.unexpected)):
        return NOTHING
    made: dict[str, torch.Tensor] = {}
    over: frozenset[str] = frozenset()
    parts = list(outermost(model))
    if len(parts) == 1:
        made, over = _loaded(parts[0][1], source.folder)
        start = f"{parts[0][0]}." if parts[0][0] else ""
        made = {
            name: made[name.removeprefix(start)] for name in pairing.missing if name.startswith(start) and name.removeprefix(start) in made
        }
    return (made, over) if made else NOTHING


def outermost(model: torch.nn.Module) -> Iterator[tuple[str, Any]]:
    """The models of transformers in a model, by path, without those inside of others."""
    base: Any = getattr(sys.modules.get("transformers.modeling_utils"), "PreTrainedModel", None)
    inside = ""
    for path, module in model.named_modules():
        if base is None or (inside and path.startswith(inside)) or not isinstance(module, base):
            continue
        inside = f"{path}."
        yield path, module
        if not path:
            return


def _loaded(part: Any, folder: str) -> tuple[dict[str, torch.Tensor], frozenset[str]]:
    """What the loader fills in a model like this one, by name, and the stored names that it has no use for."""
    transformers: Any = sys.modules["transformers"]
    try:
        stored = transformers.AutoConfig.from_pretrained(folder, local_files_only=True)
        if stored.model_type != part.config.model_type:
            return NOTHING
        with _quiet(transformers), torch.random.fork_rng(devices=[], device_type="cpu"):
            other, info = type(part).from_pretrained(
                folder,
                config=copy.deepcopy(part.config),
                dtype=part.dtype,
                local_files_only=True,
                ignore_mismatched_sizes=True,
                output_loading_info=True,
            )
    except (OSError, ValueError, RuntimeError, KeyError, TypeError, AttributeError):
        return NOTHING  # what its own loader cannot do is left as it is: missing
    absent = {*info["missing_keys"], *(entry[0] for entry in info["mismatched_keys"])}
    return {name: value for name, value in other.state_dict().items() if name not in absent}, frozenset(info["unexpected_keys"])


@contextmanager
def _quiet(transformers: Any) -> Iterator[None]:
    """Without the report and the bars of transformers: what it would say is said here."""
    level = transformers.logging.get_verbosity()
    transformers.logging.set_verbosity(100)
    try:
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            yield
    finally:
        transformers.logging.set_verbosity(level)
