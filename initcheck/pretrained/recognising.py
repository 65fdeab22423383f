"""Trained weights in a live model that nobody watched being built: told by comparing it with the folder that its configuration names."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import torch

from initcheck.construct.arrivals.bits import same_bits
from initcheck.errors import InitcheckError
from initcheck.matching.pairing import paired
from initcheck.pretrained.cached import hub_folder
from initcheck.pretrained.converting import converted, outermost
from initcheck.pretrained.sources import Source, opened_source
from initcheck.records.arrival import Arrival, Arrived

_HALF = 0.5


def recognised(model: torch.nn.Module) -> tuple[Arrival, ...]:
    """The loads that `from_pretrained` of transformers must have made: at least half of the tensors are those of the file, bit for bit.

    Only equal tensors count as loaded. What differs may have been trained since, and nothing is said of it.
    """
    return tuple(arrival for path, part in outermost(model) if (arrival := _arrival(path, part)) is not None)


def _arrival(path: str, part: Any) -> Arrival | None:
    reference = str(getattr(part.config, "_name_or_path", "") or "")
    source = _source(reference) if reference else None
    if source is None:
        return None
    own = {name: tensor for name, tensor in part.state_dict(keep_vars=True).items() if isinstance(tensor, torch.Tensor)}
    pairing = paired(
        {name: tuple(tensor.shape) for name, tensor in own.items()}, {key: entry.shape for key, entry in source.entries.items()}
    )
    start = f"{path}." if path else ""
    equal = [name for name, key in pairing.pairs.items() if same_bits(own[name], source.entries[key].read())]
    more, _ = converted(part, source, pairing)
    equal += [name for name, tensor in more.items() if same_bits(own[name], tensor)]
    if not equal or len(equal) < _HALF * (len(pairing.pairs) + len(more)):
        return None
    memory = {own[name].data_ptr() for name in equal}
    missing = [name for name in pairing.missing if name not in more and own[name].data_ptr() not in memory]
    tensors = [_one(start + name, own[name], "loaded") for name in equal] + [_one(start + name, own[name], "missing") for name in missing]
    return Arrival(reference, "recognised", path, type(part).__name__, tensors=tuple(tensors))


def _one(name: str, tensor: torch.Tensor, state: Any) -> Arrived:
    kind: Any = "parameter" if isinstance(tensor, torch.nn.Parameter) else "buffer"
    return Arrived(name, state, kind=kind, shape=tuple(tensor.shape), dtype=str(tensor.dtype).removeprefix("torch."))


def _source(reference: str) -> Source | None:
    """The opened weights behind a name, as far as they are on this machine and can be read safely."""
    try:
        local = Path(reference).is_dir()
        if not local and ("huggingface_hub" not in sys.modules or reference.startswith((".", "/", "~"))):
            return None
        return opened_source(reference if local else hub_folder(reference))
    except InitcheckError:
        return None  # the model is there; what it came from is not, or not any more
