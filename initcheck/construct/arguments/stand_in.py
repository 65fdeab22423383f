"""Objects that stand for a configuration, a vocabulary or an environment: each field is filled in when it is read, and remembered.

None of them is a number: a stand-in used as one raises, it never ends in the model as a size.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from initcheck.construct.arguments.holes import Node, Uses


@dataclass(slots=True)
class State:
    """What a stand-in knows: how a field is filled in, how long it is, and what was read so far."""

    name: str
    ask: Callable[[str], Node]
    uses: Uses
    length: int = 0
    nodes: dict[str, Node] = field(default_factory=dict)
    entries: dict[Any, int] = field(default_factory=dict)

    def text(self) -> str:
        """The fields that were read, as shown to the user."""
        fields = ", ".join(f"{name}: {node.text()}" for name, node in self.nodes.items())
        entries = f"{self.length} entries" if self.length else ""
        return "{" + "; ".join(part for part in (entries, fields) if part) + "}"


def state_of(thing: StandIn) -> State:
    """What a stand-in knows."""
    state = object.__getattribute__(thing, "_state")
    assert isinstance(state, State)
    return state


class StandIn:
    """A namespace, which can be read as a mapping as well."""

    __slots__ = ("__dict__", "__weakref__", "_state")

    def __init__(self, state: State) -> None:
        object.__setattr__(self, "_state", state)

    def __getattr__(self, name: str) -> Any:
        state = state_of(self)
        if name.startswith("__") or (name in state.uses.optional and name not in state.uses.demanded):
            raise AttributeError(f"{state.name} has no field {name}")
        node = state.nodes[name] = state.ask(name)
        self.__dict__[name] = node.value
        return node.value

    def __getitem__(self, key: Any) -> Any:
        if not isinstance(key, str):
            raise TypeError(f"'StandIn' object is not subscriptable: {state_of(self).name}")
        return getattr(self, key)

    def __setitem__(self, key: str, value: Any) -> None:
        self.__dict__[key] = value

    def __contains__(self, key: object) -> bool:
        return key in self.__dict__ or key in state_of(self).uses.demanded

    def __iter__(self) -> Iterator[Any]:
        state = state_of(self)
        if not state.uses.keyed:
            raise TypeError(f"'StandIn' object is not iterable: {state.name}")
        return iter(self.keys())

    def keys(self) -> list[Any]:
        """The names of the fields that the source reads, and of those that were set."""
        return list(dict.fromkeys([*sorted(state_of(self).uses.demanded), *self.__dict__]))

    def values(self) -> list[Any]:
        """Their values."""
        return [self[key] for key in self.keys()]

    def items(self) -> list[tuple[Any, Any]]:
        """Names and values."""
        return [(key, self[key]) for key in self.keys()]

    def get(self, key: str, default: Any = None) -> Any:
        """A field; the default of the source where there is one."""
        known = key in self.__dict__ or (default is None and key in state_of(self).uses.demanded)
        return self[key] if known else default

    def pop(self, key: str, *default: Any) -> Any:
        """The same, taken out."""
        return self.__dict__.pop(key) if key in self.__dict__ else default[0] if default else self[key]

    def update(self, *others: Any, **fields: Any) -> None:
        """Sets fields."""
        self.__dict__.update(*others, **fields)

    def copy(self) -> StandIn:
        """Another one that is filled in alike."""
        return copy.copy(self)

    def to_dict(self) -> dict[str, Any]:
        """The fields as a dictionary."""
        return dict(self.items())

    def __copy__(self) -> StandIn:
        other = type(self)(state_of(self))
        other.__dict__.update(self.__dict__)
        return other

    def __deepcopy__(self, memo: dict[int, Any]) -> StandIn:
        return self.__copy__()

    def __repr__(self) -> str:
        return state_of(self).text()


class Vocabulary(StandIn):
    """A stand-in with a length, which gives each key an index below it."""

    __slots__ = ()

    def __len__(self) -> int:
        return state_of(self).length

    def __getitem__(self, key: Any) -> Any:
        state = state_of(self)
        if isinstance(key, int):
            return f"token{key % state.length}"
        return state.entries.setdefault(key, len(state.entries) % state.length)

    def __call__(self, key: Any) -> Any:
        """The index of a token, the indices of a list of them."""
        return [self[each] for each in key] if isinstance(key, list) else self[key]

    def __contains__(self, key: object) -> bool:
        return True

    def __iter__(self) -> Iterator[Any]:
        return iter(self.keys())

    def keys(self) -> list[Any]:
        """The tokens."""
        return [f"token{index}" for index in range(len(self))]

    def values(self) -> list[Any]:
        """The indices."""
        return list(range(len(self)))

    def get(self, key: str, default: Any = None) -> Any:
        """The index of a token."""
        return default if key in state_of(self).uses.optional else self[key]


class Discrete(StandIn):
    """A stand-in for a space of actions: programs ask for the name of its class."""

    __slots__ = ()
