"""What each weight feeds and what feeds it, from the operations that the forward pass was read to have."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from initcheck.discover.static.reader.machine import Op
from initcheck.discover.static.reader.values import Tensor
from initcheck.errors import NotKnown
from initcheck.records.evidence import NOT_NONLINEAR, Nonlinearity
from initcheck.records.fact import Fact, Known, Unknown

LOST = "the source does not settle what becomes of its output"


@dataclass(slots=True)
class Reach:
    """What the result of an operation reaches: role words, how it is merged on the way, and the operations where each role stands."""

    roles: set[str] = field(default_factory=set)
    merges: set[str] = field(default_factory=set)
    ends: dict[int, str] = field(default_factory=dict)
    weights: list[int] = field(default_factory=list)
    closes: bool = False


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The facts of one use of a weight; all of `Layer`'s names, with its meanings."""

    feeds: Fact[tuple[str, ...]]
    fed_by: Fact[tuple[str, ...]]
    then: tuple[str, ...] = ()
    merges: tuple[str, ...] = ()
    nonlinearity: Fact[Nonlinearity] = Unknown(LOST)
    norm: str = ""
    closes_branch: bool = False
    inside_branch: bool = False
    gates: bool = False
    outgoing: tuple[int, ...] = ()


class Network:
    """The operations of one forward pass; `returned` are those whose results it gives back."""

    def __init__(self, ops: Sequence[Op], returned: Iterable[int]) -> None:
        self.ops, self.returned = ops, frozenset(returned)
        self.readers: dict[int, list[int]] = defaultdict(list)
        self.before: list[frozenset[int]] = []
        for number, op in enumerate(ops):
            for source in op.inputs:
                self.readers[source].append(number)
            self.before.append(frozenset(op.inputs).union(*(self.before[source] for source in op.inputs)))

    def uses(self, tensor: Tensor) -> list[int]:
        """The operations that use a parameter."""
        return [number for number, op in enumerate(self.ops) if any(weight is tensor for weight in op.weights)]

    def around(self, number: int) -> Surroundings:
        """The surroundings of the weight that an operation uses."""
        fed = self._fed(self.ops[number].inputs)
        branch = self._inside_branch(number)
        if self.ops[number].role == "unknown":
            return Surroundings(Unknown(LOST), fed, inside_branch=branch)
        try:
            reach = self.reach(number)
            after = {end: self.reach(end) for end, role in reach.ends.items() if role not in NOT_NONLINEAR}
        except NotKnown as unknown:
            return Surroundings(Unknown(unknown.reason), fed, inside_branch=branch)
        norms = [role for role in reach.ends.values() if role.endswith("_norm")]
        curved = self._curved(reach, after)
        outgoing = self._outgoing(number)
        return Surroundings(
            feeds=Known(tuple(sorted(reach.roles))),
            fed_by=fed,
            then=tuple(sorted({role for inner in after.values() for role in inner.roles})),
            merges=tuple(sorted(reach.merges)),
            nonlinearity=self._nonlinearity(curved, after),
            norm=norms[0] if norms else "",
            closes_branch=reach.closes or any(after[end].closes for end, role in reach.ends.items() if role.endswith("_norm")),
            inside_branch=branch,
            gates=any("gate_multiply" in self.reach(end).roles for end in curved if self._settled(end)),
            outgoing=tuple(outgoing),
        )

    def reach(self, start: int) -> Reach:
        """What the result of an operation feeds.

        Raises:
            NotKnown: when something reads it that the text does not settle.
        """
        found = Reach()
        waiting, seen = [start], {start}
        while waiting:
            here = waiting.pop()
            if self.ops[here].doubt:
                raise NotKnown(self.ops[here].doubt)
            if here in self.returned:
                found.roles.add("output")
            for reader in self.readers[here]:
                if self._arrive(here, reader, found) and reader not in seen:
                    seen.add(reader)
                    waiting.append(reader)
        return found

    def _arrive(self, here: int, reader: int, found: Reach) -> bool:
        """Notes the role of a reader; True when it is transparent."""
        op = self.ops[reader]
        if op.role == "unknown" or op.doubt:
            raise NotKnown(op.doubt or LOST)
        if op.role == "sum":
            if not self._residual(reader):
                found.merges.add("sum")
                return True
            found.merges.add("residual_add")
            others = [source for source in op.inputs if source != here]
            found.closes |= any(other in self.before[here] for other in others)
            found.roles.add("residual_add")
            found.ends[reader] = "residual_add"
            return False
        if op.role == "join":
            found.merges.add("concat")
            return True
        if op.role in ("bias", "scale"):
            return True
        if op.role == "product":
            found.merges.add("gate_multiply")
        role = {"weight": "weight_layer", "product": "gate_multiply"}.get(op.role, op.role)
        if role == "weight_layer" and op.kind == "embedding":
            role = "embedding"
        found.roles.add(role)
        found.ends[reader] = role
        if role == "weight_layer":
            found.weights.append(reader)
        return False

    def _residual(self, number: int) -> bool:
        """Whether a sum may close a residual branch: its operands have an operation, or the input, in common."""
        one, *others = self.ops[number].inputs
        return any((self.before[one] | {one}) & (self.before[other] | {other}) for other in others)

    def _inside_branch(self, number: int) -> bool:
        """Whether a shortcut may lead around an operation to a sum behind it."""
        for later, op in enumerate(self.ops):
            if len(op.inputs) < 2 or op.role not in ("sum", "unknown", "product") or number not in self.before[later]:
                continue
            around = [source for source in op.inputs if number != source and number not in self.before[source]]
            mine = self.before[number]
            if any((self.before[source] | {source}) & mine for source in around):
                return True
        return False

    def _curved(self, reach: Reach, after: dict[int, Reach]) -> dict[int, str]:
        """The nonlinearities behind an operation, looking through a normalization."""
        found = {end: role for end, role in reach.ends.items() if role not in NOT_NONLINEAR and not role.endswith("_norm")}
        for end, role in reach.ends.items():
            if role.endswith("_norm"):
                found |= {
                    later: word for later, word in after[end].ends.items() if word not in NOT_NONLINEAR and not word.endswith("_norm")
                }
        return found

    def _nonlinearity(self, curved: dict[int, str], after: dict[int, Reach]) -> Fact[Nonlinearity]:
        kinds = {(role, self.ops[end].parameter) for end, role in curved.items()}
        if len(kinds) != 1:
            return Unknown("no nonlinearity follows" if not kinds else "several nonlinearities follow")
        for end in curved:
            try:
                beyond = after[end] if end in after else self.reach(end)
            except NotKnown as unknown:
                return Unknown(unknown.reason)
            if any(role not in NOT_NONLINEAR and not role.endswith("_norm") for role in beyond.roles):
                return Unknown("two nonlinearities follow each other")
        role, parameter = kinds.pop()
        return Known(Nonlinearity(role, parameter))

    def _settled(self, end: int) -> bool:
        try:
            self.reach(end)
        except NotKnown:
            return False
        return True

    def _fed(self, inputs: Iterable[int]) -> Fact[tuple[str, ...]]:
        roles: set[str] = set()
        waiting, seen = list(inputs), set()
        while waiting:
            here = waiting.pop()
            if here in seen:
                continue
            seen.add(here)
            op = self.ops[here]
            if op.role == "unknown" or op.doubt:
                return Unknown("the source does not settle what it reads")
            if op.role in ("join", "bias", "scale") or (op.role == "sum" and not self._residual(here)):
                waiting += op.inputs
                continue
            named = {"weight": "embedding" if op.kind == "embedding" else "weight_layer", "sum": "residual_add", "product": "gate_multiply"}
            roles.add(named.get(op.role, op.role))
        return Known(tuple(sorted(roles)))

    def _outgoing(self, start: int) -> list[int]:
        """The weighted operations reached through nonlinearities, norms and transparent operations; empty where that is not settled."""
        found: list[int] = []
        waiting, seen = [start], {start}
        while waiting:
            here = waiting.pop()
            for reader in self.readers[here]:
                op = self.ops[reader]
                if op.role == "unknown" or op.doubt:
                    return []
                if op.role == "weight":
                    found.append(reader)
                elif (
                    reader not in seen
                    and op.role not in ("product", "recurrent", "attention")
                    and not (op.role == "sum" and self._residual(reader))
                ):
                    seen.add(reader)
                    waiting.append(reader)
        return found
