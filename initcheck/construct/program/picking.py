"""Which of the modules that were seen are the program's models."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch

from initcheck.construct.made import the_module
from initcheck.construct.plumbing.holdings import held
from initcheck.construct.program.roots import Call, Root
from initcheck.construct.program.stopping import Stopping
from initcheck.construct.recording.frames import storage_key
from initcheck.records.target import Target

INFERRED = "its input is inferred: the program calls only its methods or its parts"
NEVER = "its input is inferred: the program did not call it"


@dataclass(frozen=True, slots=True)
class Pick:
    """A model, the root that it is or belongs to, and what it was called with."""

    module: torch.nn.Module
    root: Root
    call: Call | None
    notes: tuple[str, ...] = ()


def picked(target: Target, stopping: Stopping) -> list[Pick]:
    """The models, in the order in which they were built."""
    trained = stopping.trained() if stopping.halt is not None or stopping.weights else []
    roots = [root for root in trained or stopping.roots.found.values() if root.parameters()]
    roots = [root for root in roots if not any(_hides(other, root) for other in roots if other is not root)]
    if (stopping.halt is None or not trained) and any(root.call is not None or root.parts for root in roots):
        roots = [root for root in roots if root.call is not None or root.parts]
    return [pick for root in roots for pick in _of(target, root, stopping)]


def overlooked(stopping: Stopping, picks: Sequence[Pick]) -> Iterator[str]:
    """Notes on models that ran with gradients and are not checked, because no optimizer holds them."""
    mine = {id(pick.root) for pick in picks}
    for root in stopping.roots.found.values():
        if id(root) not in mine and root.used and root.parameters() and not any(_hides(pick.root, root) for pick in picks):
            yield f"{type(root.module).__name__} is in no optimizer and was not checked"


def _of(target: Target, root: Root, stopping: Stopping) -> list[Pick]:
    if root.call is not None:
        return [Pick(the_module(target, root.module), root, root.call)]
    wanted = {id(parameter) for parameter in root.module.parameters() if parameter.requires_grad} or root.parameters()
    parts = [(module, call) for module, call in root.parts.values() if next(module.children(), None) is not None]
    whole = [Pick(module, root, call) for module, call in parts if wanted <= _identities(module)]
    if whole:
        return whole[:1]
    if parts and (not _has_forward(root.module) or _apart(parts, stopping)) and _together(parts, wanted):
        return [Pick(module, root, call) for module, call in parts]
    return [Pick(the_module(target, root.module), root, None, (INFERRED if root.parts else NEVER,))]


def _together(parts: Sequence[tuple[torch.nn.Module, Call]], wanted: set[int]) -> bool:
    """Whether the parts hold all that is wanted, and none of it twice."""
    sets = [_identities(module) for module, _ in parts]
    union: set[int] = set().union(*sets)
    return wanted <= union and len(union) == sum(map(len, sets))


def _identities(module: torch.nn.Module) -> set[int]:
    return {id(parameter) for parameter in module.parameters()}


def _has_forward(module: torch.nn.Module) -> bool:
    """Whether a class of its own says what calling the module means; LightningModule only raises there."""
    owner = next((kind for kind in type(module).__mro__ if "forward" in vars(kind)), torch.nn.Module)
    return owner is not torch.nn.Module and owner.__name__ != "LightningModule"


def _apart(parts: Sequence[tuple[torch.nn.Module, Call]], stopping: Stopping) -> bool:
    """Whether each part has an optimizer of its own, as the two networks of a GAN have."""
    sets = [stopping.held_by(optimizer) for optimizer in stopping.optimizers]
    return len(parts) > 1 and all(sum(not mine.isdisjoint(_identities(module)) for module, _ in parts) <= 1 for mine in sets)


def _hides(owner: Root, root: Root) -> bool:
    """Whether a module holds all parameters of another one in a plain attribute or list, or shares them."""
    keys = {storage_key(parameter) for parameter in root.module.parameters()}
    own = {storage_key(parameter) for parameter in owner.module.parameters()}
    if keys <= own:
        return len(own) > len(keys)
    return keys <= own | {storage_key(one.tensor) for one in held(owner.module) if one.kind == "hidden"}
