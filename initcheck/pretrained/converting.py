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

    It is asked only for a model of its own with a folder of the same kind of model, when tensors are missing and others are left over.
    """
    transformers = sys.modules.get("transformers")
    base: Any = getattr(transformers, "PreTrainedModel", None) if transformers is not None else None
    if base is None or not isinstance(model, base) or not source.folder or not pairing.missing:
        return NOTHING
    if all(map(harmless, pairing.unexpected)):
        return NOTHING
    live: Any = model
    try:
        stored = transformers.AutoConfig.from_pretrained(source.folder, local_files_only=True)  # type: ignore[union-attr]
        if stored.model_type != live.config.model_type:
            return NOTHING
        with _quiet(transformers):
            other, info = type(live).from_pretrained(
                source.folder,
                config=copy.deepcopy(live.config),
                dtype=live.dtype,
                local_files_only=True,
                ignore_mismatched_sizes=True,
                output_loading_info=True,
            )
    except (OSError, ValueError, RuntimeError, KeyError, TypeError, AttributeError):
        return NOTHING  # what its own loader cannot do is left as it is: missing
    absent = {*info["missing_keys"], *(entry[0] for entry in info["mismatched_keys"])}
    state = other.state_dict()
    made = {name: state[name] for name in pairing.missing if name in state and name not in absent}
    return made, frozenset(info["unexpected_keys"]) if made else frozenset(pairing.unexpected)


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
