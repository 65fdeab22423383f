"""The order in which inputs are tried: what was prepared, and in between what the failures so far suggest."""

from __future__ import annotations

import heapq
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import Module

from initcheck.construct.inputs.blame import Blame, blame, input_sizes
from initcheck.construct.inputs.image_size import estimated_size
from initcheck.construct.inputs.modalities import repaired
from initcheck.construct.inputs.repair import Setback, changed, probe, proposals
from initcheck.construct.inputs.repair.changes import Edits, forms_of, undrawn
from initcheck.construct.inputs.samples import Drawer, Guess, describe
from initcheck.construct.inputs.working import suggestion
from initcheck.errors import TargetError

REPAIRS = 60
"""Inputs that follow from failures, at most."""
_COMPUTED = 6
"""Image sizes and placeholders that are computed from failures, at most."""
_DECLARED = 16
"""Repairs of inputs that the model itself declares, at most: it is rarely the sizes that are wrong there."""
_LOOKED_AT = 4
"""Declared inputs whose failure is looked at, at most."""
_SECONDS = 10.0
"""Processor time after which nothing more is repaired."""
_SAME = 3
"""Inputs that come to the same mismatch from which on it is not the input's."""
_PATIENCE = 8
"""Repairs in a row that come no further, before the next prepared input has its turn."""

_Wish = tuple[int, int, Guess, Edits]


class Search:
    """What the failures so far tell, and what is tried next."""

    def __init__(self, model: Module, prepared: Iterator[Guess]) -> None:
        self._model = model
        self._prepared = prepared
        self._computed: deque[Guess] = deque()
        self._wishes: list[_Wish] = []
        self._later: list[_Wish] = []
        self._points: dict[int, list[tuple[int, float]]] = {}
        self._edges: set[int] = set()
        self._tried: set[str] = set()
        self._far: dict[str, int] = {}
        self._came: dict[int, int] = {}
        self._diagnosed = 0
        self._begun = time.process_time()
        self._count = self._order = self._stale = self._best = 0
        self.failures: list[tuple[Blame, Guess]] = []

    def take(self) -> tuple[Guess, bool] | None:
        """The next input, and whether it is a repair of another one."""
        if self._computed:
            return self._computed.popleft(), False
        if self._stale < _PATIENCE and (guess := self._wished()) is not None:
            return guess, True
        self._stale = 0
        guess = next(self._prepared, None)
        if guess is not None:
            self._tried.add(repr(forms_of(guess)))
            return guess, False
        for wish in self._later:
            heapq.heappush(self._wishes, wish)
        self._later.clear()
        guess = self._wished()
        return None if guess is None else (guess, True)

    def pass_over(self) -> None:
        """The last input ran by accident: the next prepared one has its turn."""
        self._stale = _PATIENCE

    def learn(self, guess: Guess, error: BaseException, setback: Setback | None = None) -> None:
        """Notes a failure and what it suggests."""
        found = blame(self._model, error, guess.summary.batch)
        kept = undrawn(guess)
        self.failures.append((found, kept))
        if (mended := self._mended(guess, found)) is not None:
            self._computed.append(mended)
        if guess.given or self._late() or (not guess.inferred and self._diagnosed >= _LOOKED_AT):
            return
        self._diagnosed += not guess.inferred
        if setback is None:
            setback = probe(self._model, guess.args, guess.kwargs)
            setback.progress += 1
        if setback.error is None:
            return
        self._came[len(self.failures) - 1] = setback.progress
        self._stale = 0 if setback.progress > self._best else self._stale + 1
        self._best = max(self._best, setback.progress)
        # a repair may fail earlier for another reason, and still be half of what is needed
        far = max(setback.progress, self._far.get(repr(forms_of(guess)), 0))
        into = self._wishes if guess.inferred else self._later
        for edits in proposals(setback, guess):
            self._order += 1
            heapq.heappush(into, (-far, self._order, kept, edits))

    def error(self) -> TargetError:
        """The error to raise when nothing ran."""
        if not self.failures:
            hint = "give one: --input 1,28,28 or --input 'int64[8,16]<1000'"
            return TargetError(f"no sample input is known for {type(self._model).__name__}", hint, name="input-unknown")
        far = max(self._came.values(), default=0)
        furthest = [failure for index, (failure, _) in enumerate(self.failures) if self._came.get(index, 0) == far]
        told = next((failure for failure in furthest if failure.sentence), furthest[0])
        if not any(failure.mends for failure, _ in self.failures):
            told = self.failures[0][0]
        code = not any(guess.inferred for _, guess in self.failures) or not any(failure.mends for failure, _ in self.failures)
        count = "the forward pass failed" if code else f"none of {len(self.failures)} sample inputs runs"
        first = self.failures[0][1]
        last = first.summary.text if told is self.failures[0][0] else ""
        cause = ": ".join(part for part in (told.where, told.text) if part)
        message = "; ".join(part for part in (f"{count}: {told.sentence}" if told.sentence else count, cause) if part)
        file = told.where.rpartition(":")[0]
        alone = f"; what the source alone tells:\ninitcheck --static {file}" if file else ""
        own = "pass the real input: --input 3,32,32 or initcheck_input() in the file"
        hint = (told.hint or (f"the input was {last}; " if last else "") + own) + alone
        if code and not first.given and told.where:
            hint = f"mend {told.where}{alone}"
        elif self._always(told):
            hint = f"it gets that from every input: make the sizes of the layers fit each other; or {own}{alone}"
        if first.given and (text := suggestion(self._model)):
            hint = f"Try {text}"
        return TargetError(message, hint, name="forward-failed" if code else "input-unknown")

    def _always(self, told: Blame) -> bool:
        """Whether inputs of several shapes come to the same mismatch, which then lies between two layers of the model."""
        met = {guess.summary.text for failure, guess in self.failures if failure.sentence == told.sentence}
        return bool(told.sentence) and bool(told.wanted) and len(met) >= _SAME and told.module in self._inner()

    def _inner(self) -> set[str]:
        """The modules that are not the first of the model."""
        leaves = [name for name, module in self._model.named_modules() if next(module.children(), None) is None]
        return set(leaves[1:])

    def _late(self) -> bool:
        return time.process_time() - self._begun > _SECONDS

    def _wished(self) -> Guess | None:
        """The change of the run that came furthest, unless it has been tried."""
        while self._wishes and self._count < REPAIRS and not self._late():
            far, _, parent, edits = heapq.heappop(self._wishes)
            if not parent.inferred and self._count >= _DECLARED:
                return None
            guess = changed(parent, edits, Drawer(self._count, self._model))
            mark = repr(forms_of(guess))
            self._far.setdefault(mark, -far)
            if mark in self._tried:
                continue
            self._tried.add(mark)
            self._count += 1
            return guess
        return None

    def _mended(self, guess: Guess, found: Blame) -> Guess | None:
        """Placeholders that the failure counts, or images of the size that it is computed to want."""
        if len(self._edges) > _COMPUTED + 1:
            return None
        mended = repaired(self._model, guess, found)
        if mended is not None:
            self._edges.add(-len(self._edges))
            return mended
        edge = input_sizes(guess.args[0]) if guess.inferred and guess.args and not guess.kwargs else 0
        self._edges.add(edge)
        if not edge or not found.wanted:
            return None
        points = self._points.setdefault(found.wanted, [])
        points.append((edge, found.got))
        size = estimated_size(points, found.wanted)
        if not 4 <= size <= 640 or size in self._edges:
            return None
        return _resized(guess, size, found)


def _resized(guess: Guess, size: int, failure: Blame) -> Guess:
    """The same images at another size, drawn like the first."""
    old = guess.args[0]
    generator = torch.Generator().manual_seed(size)

    def drawn(value: object) -> object:
        if not isinstance(value, Tensor) or value.shape[-2:] != old.shape[-2:]:
            return value
        return torch.randn((*value.shape[:2], size, size), generator=generator).to(device=value.device, dtype=value.dtype)

    args = tuple(drawn(value) for value in guess.args)
    origin = f"computed from {failure.module or failure.kind}, which wants {failure.wanted} features"
    return replace(guess, args=args, summary=describe(args, {}, origin, guess.summary.batch), forms=(), named={})
