"""A model's start against that of its twin on fresh memory, as built on the meta device and materialised."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from initcheck.records.source import Location


@dataclass(frozen=True, slots=True)
class Unlike:
    """One tensor that the twin does not start with as the model does.

    how: `skipped` (nothing wrote it again), `partly` (some of its elements), `differs` (other values, or another scheme), `stays` (a plain
        attribute, which neither `to_empty` nor a state dict reaches).
    owner: the class of the module that holds it; module: its path; asked: whether that class has an initializer that was called.
    built, again: what it is in the model and in the twin. by: the line that wrote it where the model was built.
    """

    name: str
    how: Literal["skipped", "partly", "differs", "stays"]
    kind: Literal["parameter", "buffer", "attribute"]
    owner: str
    module: str = ""
    asked: bool = False
    built: str = ""
    again: str = ""
    by: Location | None = None


@dataclass(frozen=True, slots=True)
class Parity:
    """`way`: what was called on the twin (`reset_parameters of each module`, `init_weights`); `reason`: why there is no twin, if so."""

    way: str = ""
    unlike: tuple[Unlike, ...] = ()
    compared: int = 0
    reason: str = ""
