"""What was loaded into a model: which stored tensor went where, what stayed without one, and whether it is still there."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from initcheck.records.source import Location

State: TypeAlias = Literal["loaded", "overwritten", "changed", "missing", "mismatched", "unexpected"]
STATES: tuple[State, ...] = ("loaded", "overwritten", "changed", "missing", "mismatched", "unexpected")
"""All states, in the order in which a report shows them."""

How: TypeAlias = Literal["load_state_dict", "from_pretrained", "initcheck load", "recognised"]


@dataclass(frozen=True, slots=True)
class Arrived:
    """One tensor of a model, or of what was loaded into it.

    state: `loaded` (the model holds the stored numbers at the end of its construction, bit for bit but for a cast to its own number
        format), `overwritten` (it was loaded, and then numbers were written over it that do not rest on the stored ones), `changed` (it
        was loaded, and holds other numbers now that rest on those, or nobody saw who wrote them), `missing` (the model's, without a
        stored tensor), `mismatched` (the stored tensor of this name has another shape and was left out), `unexpected` (stored, without
        a place in the model).
    name: in the model, in the file for `unexpected`; key: in the file where it differs; kind: what it is in the model.
    because: what the shapes tell, or why it changed. by, call: the line that wrote over it, and the scheme that it wrote.
    tied: the name of the parameter whose memory it shares. drawn: the scheme by which it was drawn because it got nothing.
    """

    name: str
    state: State
    key: str = ""
    kind: Literal["parameter", "buffer", "stored"] = "parameter"
    shape: tuple[int, ...] = ()
    stored_shape: tuple[int, ...] = ()
    dtype: str = ""
    stored_dtype: str = ""
    because: str = ""
    by: Location | None = None
    call: str = ""
    tied: str = ""
    drawn: str = ""

    @property
    def numel(self) -> int:
        """The number of elements in the model; of the stored tensor where the model has none."""
        return math.prod(self.stored_shape if self.kind == "stored" else self.shape)


@dataclass(frozen=True, slots=True)
class Rename:
    """A change of names that would give `tensors` more tensors a place: `old` at the start of stored names becomes `new`."""

    old: str
    new: str
    tensors: int = 0

    def __str__(self) -> str:
        return f"{self.old}={self.new}"


@dataclass(frozen=True, slots=True)
class Arrival:
    """One load of stored weights into a model or a part of it.

    source: the file, or what stands for it; module, owner: the path and class of what it was loaded into. location: the line that
    asked for it. stripped, added: what was taken from, or put before, all stored names. renames: what else would fit.
    """

    source: str
    how: How
    module: str = ""
    owner: str = ""
    location: Location | None = None
    tensors: tuple[Arrived, ...] = ()
    stripped: str = ""
    added: str = ""
    renames: tuple[Rename, ...] = ()
    notes: tuple[str, ...] = ()

    def of(self, *states: State) -> tuple[Arrived, ...]:
        """The tensors in these states."""
        return tuple(one for one in self.tensors if one.state in states)

    @property
    def named(self) -> tuple[Arrived, ...]:
        """The tensors that had a stored counterpart, whatever became of it since."""
        return self.of("loaded", "overwritten", "changed")


def elements(tensors: Iterable[Arrived]) -> int:
    """The number of elements in these tensors together; names that share memory count once."""
    return sum(one.numel for one in tensors if not one.tied)


def random_share(arrival: Arrival) -> float:
    """The share of the parameters' elements that do not come from the file, from 0 to 1."""
    parameters = [one for one in arrival.tensors if one.kind == "parameter"]
    total = elements(parameters)
    return elements(one for one in parameters if one.state in ("missing", "mismatched", "overwritten")) / total if total else 0.0
