"""Who wrote each parameter, in what order, and from which line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from initcheck.records.arrival import Arrival
from initcheck.records.fact import Fact
from initcheck.records.lookup import find
from initcheck.records.parity import Parity
from initcheck.records.source import Location

Plain: TypeAlias = str | int | float | bool | None

Origin = Literal["framework default", "library", "user", "copied", "loaded", "external", "never written", "unknown"]
LEFT_OUT = "trained weights that were not loaded"
"""Why the call of a write is not known when other values belong there than those that stand there."""
Extent = Literal["full", "partial"]


@dataclass(frozen=True, slots=True)
class InitCall:
    """One initializing call, spelled as torch spells it: `("kaiming_normal_", (("nonlinearity", "relu"),))`.

    For calls of `torch.nn.init` the keyword arguments hold every argument but the tensor, defaults included.
    """

    name: str
    kwargs: tuple[tuple[str, Plain], ...] = ()

    def argument(self, key: str, default: Plain = None) -> Plain:
        """The value of one argument, or `default`."""
        return dict(self.kwargs).get(key, default)

    def __str__(self) -> str:
        return f"{self.name}({', '.join(f'{key}={value!r}' for key, value in self.kwargs)})"


@dataclass(frozen=True, slots=True)
class Write:
    """One write into the memory of a parameter.

    `call` is the outermost initializing function; `location` the line of the user's (else the library's) source that
    asked for it; `lineage` the operations that made the values, oldest first (`randn`, then `mul` by 0.02);
    `sources` the parameters whose memory was read (copies, clones, fused weights). A partial write changed only a part
    of the elements, or rescaled them in place: it does not supersede the full write before it. `source_origin` is the origin of
    the values that a copy took, or that a computation started from (a deep copy of a layer with default weights: `framework default`).
    """

    parameter: str
    call: Fact[InitCall]
    location: Fact[Location]
    origin: Origin
    extent: Extent = "full"
    lineage: tuple[InitCall, ...] = ()
    sources: tuple[str, ...] = ()
    source_origin: Origin = "unknown"


@dataclass(frozen=True, slots=True)
class ParameterRecord:
    """All that is known of one parameter before the first forward pass.

    `name` is the first name of the parameter in `named_parameters()`; `tied` the other names of the same memory.
    `module` is the path of the owning module, `owner` its class name. `unwritten` is the number of elements that
    were never written. `created` is the user's line that created the owning layer.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    trainable: bool
    module: str
    owner: str
    writes: tuple[Write, ...] = ()
    tied: tuple[str, ...] = ()
    unwritten: int = 0
    created: Location | None = None

    def ruling(self) -> Write | None:
        """The last full write, which decides what the parameter is; `None` if there was none."""
        return next((write for write in reversed(self.writes) if write.extent == "full"), None)

    def later(self) -> tuple[Write, ...]:
        """The partial writes and rescalings after the ruling write, in order."""
        full = [index for index, write in enumerate(self.writes) if write.extent == "full"]
        return self.writes[full[-1] + 1 :] if full else self.writes


@dataclass(frozen=True, slots=True)
class TensorRecord:
    """A tensor that a module holds without its being a parameter.

    `kind`: `buffer`; `attribute` (a plain tensor that no state dict knows); `hidden` (the parameter of a module that is itself only a
    plain attribute or a member of a plain list). `trainable`: a leaf that requires a gradient. The rest is as in `ParameterRecord`.
    """

    name: str
    kind: Literal["buffer", "attribute", "hidden"]
    shape: tuple[int, ...]
    dtype: str
    trainable: bool
    module: str
    owner: str
    persistent: bool = False
    writes: tuple[Write, ...] = ()
    unwritten: int = 0
    created: Location | None = None


@dataclass(frozen=True, slots=True)
class Undone:
    """A deliberate write of a whole parameter by the user that a later whole write replaced, so that nothing of it is left.

    refined: a general pass went first and a more specific call followed, as intended by whoever writes both.
    inherited: a base class wrote first, the class that derives from it second.
    elsewhere: the two lines stand in different classes, so that the second may not know of the first.
    """

    parameter: str
    lost: Write
    by: Write
    refined: bool = False
    inherited: bool = False
    elsewhere: bool = False


@dataclass(frozen=True, slots=True)
class Discarded:
    """An initializing call of the user whose result is in no tensor of the model.

    how: `copy` (it wrote into a copy of a parameter), `computed` (into a weight that is recomputed from others), `dropped` (an
    out-of-place result that nobody kept), `replaced` (its parameter no longer belongs to the model). `parameter` is the name of the
    parameter that was meant, empty when it is gone; `by` the line that replaced it. `elsewhere` as in `Undone`.
    """

    how: Literal["copy", "computed", "dropped", "replaced"]
    call: InitCall
    location: Location
    parameter: str = ""
    shape: tuple[int, ...] = ()
    by: Location | None = None
    elsewhere: bool = False


@dataclass(frozen=True, slots=True)
class Applied:
    """A call of `Module.apply` whose function names initializers, and which touched no tensor at all.

    `initializers` and `tests` are the initializing functions and the module classes that the function's code names;
    `present` the classes below `module` that own parameters.
    """

    function: str
    location: Location
    module: str
    initializers: tuple[str, ...]
    tests: tuple[str, ...]
    present: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Untied:
    """Two parameters that shared their memory once (or are declared to) and do not any more.

    `tied` is the line that tied them, `broken` the line that gave one of them other memory, where known.
    """

    first: str
    second: str
    tied: Location | None = None
    broken: Location | None = None
    declared: bool = False


@dataclass(frozen=True, slots=True)
class Recording:
    """Every parameter with its writes, and what was written in vain; `watched` is false for a model built before anyone looked.

    `shallow` holds the lines of initializing calls that stand in a loop over the direct children of a module, `arrivals` the loads of stored
    weights, in their order. `parity` is the comparison with a twin on fresh memory, where that was asked for.
    """

    parameters: tuple[ParameterRecord, ...]
    watched: bool = True
    notes: tuple[str, ...] = ()
    tensors: tuple[TensorRecord, ...] = ()
    undone: tuple[Undone, ...] = ()
    discarded: tuple[Discarded, ...] = ()
    applied: tuple[Applied, ...] = ()
    untied: tuple[Untied, ...] = ()
    shallow: tuple[Location, ...] = ()
    arrivals: tuple[Arrival, ...] = ()
    parity: Parity | None = None

    def parameter(self, name: str) -> ParameterRecord | None:
        """The record of one parameter by its first name or any tied name."""
        return find(self.parameters, _names, name)


def _names(record: ParameterRecord) -> tuple[str, ...]:
    return (record.name, *record.tied)
