"""The whole trial: both variants adapted, weighed, trained seed by seed at every rate, and compared."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor, nn

from initcheck.construct.recording.placement import on_cpu
from initcheck.errors import TargetError
from initcheck.records.verification import (
    AFTER,
    BEFORE,
    DataSummary,
    Task,
    TrainingPlan,
    VariantSummary,
    Verification,
    Wish,
)
from initcheck.verify.adapters.adapted import Digits
from initcheck.verify.adapters.choosing import Adapter, adapter
from initcheck.verify.adapters.own_input import Given
from initcheck.verify.comparison import compare, result, same, undecided, unfinished
from initcheck.verify.data.sets import load
from initcheck.verify.planning import FULL, plan
from initcheck.verify.scores import DECIDES
from initcheck.verify.training import Job, OutOfTime, Progress, Samples, Trained, all_finite, pixels, train
from initcheck.verify.work import work_of

_CLASSES = 10
_SHOWN = 8
"""Images that an adapter is tried on."""


@dataclass(frozen=True, slots=True)
class Made:
    """A model as it starts, with what is known of its input and of how it came to be."""

    model: nn.Module
    given: Given = field(default_factory=Given)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Variant:
    """One side: `make` gives the model for a seed, each time a fresh one that may be trained. `what` names it for the reader.

    `derived`: it is the other side's model with other values, so that equal values mean equal models.
    """

    name: str
    what: str
    make: Callable[[int], Made]
    derived: bool = False


@dataclass(frozen=True, slots=True)
class Side:
    """A variant that is ready to be trained. `placed`: its forward pass asks for an accelerator, and is answered with the CPU."""

    variant: Variant
    adapter: Adapter
    summary: VariantSummary
    placed: bool

    @contextmanager
    def running(self) -> Iterator[None]:
        """The surroundings in which its model runs."""
        with self.adapter.prepare(), on_cpu(lambda _: None) if self.placed else nullcontext():
            yield


@dataclass(frozen=True, slots=True)
class Setting:
    """What both sides share."""

    wish: Wish
    seed: int
    until: float
    samples: Samples
    progress: Progress


def trial(target: str, before: Variant, after: Variant, wish: Wish, seed: int, progress: Progress) -> Verification:
    """Trains both variants on the same batches and compares them. Random states are as they were afterwards.

    Raises:
        TargetError: when a variant cannot be trained, both take different tasks, or the budget is too small; `data-missing` and `damaged`
            for the images.
    """
    began = time.monotonic()
    images = load(wish)
    setting = Setting(wish, seed, began + wish.budget, Samples.of(images), progress)
    first = [variant.make(seed) for variant in (before, after)]
    made = [_trainable(one) for one in first]
    sides = [_side(variant, one, setting.samples) for variant, one in zip((before, after), made, strict=True)]
    task = _task(sides)
    data = images.summary if task == "digits" else DataSummary("random targets", sides[0].summary.adapter[1], 0, 0, 0, 0.0)
    notes = _start_notes(before.what, [one.model for one in made])
    verification = Verification(target, wish, task, data, None, tuple(side.summary for side in sides), (), same(), (), notes)
    if after.derived and _same_values(made[0].model, made[1].model):
        return verification
    batch = min(FULL.batch, data.train) if data.train else FULL.batch
    chosen = setting.samples if task == "digits" else None
    costs: list[tuple[float, float]] = []
    for side, one in zip(sides, made, strict=True):
        if costs and after.derived:  # the same model with other values costs the same
            costs.append(costs[0])
            continue
        with side.running():
            work = work_of(side.adapter.module(one.model, seed), chosen, batch)
        costs.append((work.step, work.image))
    planned = plan(wish, seed, data, costs, max(_matrices(one.model) for one in made))
    done, counted = _rounds(sides, planned, setting, chosen, made)
    used = replace(data, held_back=planned.held, test=planned.tested)
    return _concluded(replace(verification, data=used), planned, done, counted)


def _rounds(
    sides: list[Side], planned: TrainingPlan, setting: Setting, samples: Samples | None, first: list[Made]
) -> tuple[list[Trained], tuple[int, ...]]:
    """The runs of all seeds that were complete when the budget ended."""
    done: list[Trained] = []
    counted: list[int] = []
    for seed in planned.seeds:
        own = first if seed == setting.seed else [_trainable(side.variant.make(seed)) for side in sides]
        try:
            done += _round(sides, own, seed, _Round(planned, setting, samples, len(done)))
        except OutOfTime:
            break
        counted.append(seed)
    return done, tuple(counted)


@dataclass(frozen=True, slots=True)
class _Round:
    """What the runs of one seed share; `before` runs were made before them."""

    plan: TrainingPlan
    setting: Setting
    samples: Samples | None
    before: int


def _round(sides: list[Side], own: list[Made], seed: int, about: _Round) -> list[Trained]:
    """All runs of one seed. Variants alternate, so that neither has the quieter time."""
    modules = [side.adapter.module(one.model, seed) for side, one in zip(sides, own, strict=True)]
    starts = [_Start(module) for module in modules]
    found: list[Trained] = []
    for rate in about.plan.rates:
        for side, module, start in zip(sides, modules, starts, strict=True):
            start.restore()
            number = about.before + len(found) + 1
            job = Job(side.variant.name, module, rate, seed, about.plan, about.samples, about.setting.until)
            with side.running():
                found.append(train(job, _numbered(about.setting.progress, number, about.plan.runs)))
    return found


def _concluded(verification: Verification, planned: TrainingPlan, done: list[Trained], counted: tuple[int, ...]) -> Verification:
    runs = tuple(one.run for one in done)
    complete = len(counted) == len(planned.seeds)
    results = tuple(result(name, runs, planned) for name in (BEFORE, AFTER)) if counted else ()
    if len(counted) < min(DECIDES, len(planned.seeds)):
        comparison = unfinished(len(counted), len(planned.seeds))
    elif all(run.state == "diverged" for run in runs):
        comparison = undecided("every run of both variants diverged: the loss is not finite, or grows, at any rate", len(counted))
    else:
        hits = {(one.run.variant, one.run.rate, one.run.seed): one.hits for one in done}
        comparison = compare(runs, hits, counted)
    notes = verification.notes
    if not complete and counted:
        left = len(planned.seeds) - len(counted)
        notes += (
            f"the budget of {verification.wish.budget:g} s ended after {len(counted)} of {len(planned.seeds)} seeds; {left} left out",
        )
    return replace(verification, plan=planned, results=results, comparison=comparison, runs=runs, notes=notes, complete=complete)


class _Start:
    """The values with which a module starts, put back before each run."""

    def __init__(self, module: nn.Module) -> None:
        self._module = module
        self._tensors = [(tensor, tensor.detach().clone()) for tensor in self._all()]
        self._flags = [(one, one.training) for one in module.modules()]

    def restore(self) -> None:
        """As it was at the start; no gradient is left."""
        with torch.no_grad():
            for tensor, value in self._tensors:
                tensor.copy_(value)
        for parameter in self._module.parameters():
            parameter.grad = None
        for one, flag in self._flags:
            one.training = flag

    def _all(self) -> Iterator[Tensor]:
        yield from self._module.parameters()
        yield from self._module.buffers()


def _side(variant: Variant, made: Made, samples: Samples) -> Side:
    model = made.model
    if not any(parameter.requires_grad for parameter in model.parameters()):
        hint = "leave requires_grad on for at least one parameter"
        raise TargetError(f"{variant.what} has no parameter that can be trained", hint, name="nothing-to-train")
    placed: list[str] = []
    try:
        with on_cpu(placed.append, "trained on cpu"):
            found = adapter(model, made.given, pixels(samples.train[:_SHOWN]), _CLASSES)
    except TargetError as error:
        raise TargetError(f"{variant.name}: {error.message}", error.hint, name=error.name) from error
    size = sum(parameter.numel() for parameter in model.parameters())
    summary = VariantSummary(variant.name, variant.what, type(model).__name__, size, found.told, (*made.notes, *placed))
    return Side(variant, found, summary, bool(placed))


def _task(sides: list[Side]) -> Task:
    """What both are trained on.

    Raises:
        TargetError: when one takes digits and the other does not, or their outputs differ in shape.
    """
    kinds = {isinstance(side.adapter, Digits) for side in sides}
    shapes = {tuple(target.shape for target in side.adapter.targets) for side in sides if not isinstance(side.adapter, Digits)}
    if len(kinds) > 1 or len(shapes) > 1:
        what = "; ".join(f"{side.variant.name}: {side.summary.adapter[0]}" for side in sides)
        raise TargetError(f"the two variants cannot be trained on the same task: {what}", "compare models that do the same", name="unlike")
    return "digits" if kinds == {True} else "random targets"


def _trainable(made: Made) -> Made:
    """The same in single precision on the CPU with dense gradients, as it is trained."""
    parameters = list(made.model.parameters())
    if any(parameter.is_meta for parameter in parameters):
        raise TargetError("the model is on the meta device: its weights have no values", "build it on the CPU", name="nothing-to-train")
    notes = list(made.notes)
    model = made.model
    others = {parameter.dtype for parameter in parameters if parameter.is_floating_point()} - {torch.float32}
    if others or any(parameter.device.type != "cpu" for parameter in parameters):
        names = ", ".join(sorted(str(dtype).removeprefix("torch.") for dtype in others)) or "on its device"
        notes.append(f"trained in float32 on the CPU, not {names}")
        model = model.to("cpu").float()
    for module in model.modules():
        if isinstance(module, (nn.Embedding, nn.EmbeddingBag)) and module.sparse:
            module.sparse = False
            notes.append("the sparse gradients of its embeddings are made dense")
    return Made(model, made.given, tuple(dict.fromkeys(notes)))


def _start_notes(what: str, models: list[nn.Module]) -> tuple[str, ...]:
    finite = [all_finite(model) for model in models]
    notes = tuple(
        f"{name} holds NaN or infinity before the first step" for name, good in zip((BEFORE, AFTER), finite, strict=True) if not good
    )
    if not any(finite):
        hint = "`initcheck check` says where they come from"
        raise TargetError(f"{what}: both variants hold NaN or infinite weights before the first step", hint, name="not-finite")
    return notes


def _matrices(model: nn.Module) -> int:
    return sum(parameter.requires_grad and parameter.dim() > 1 for parameter in model.parameters())


def _same_values(one: nn.Module, other: nn.Module) -> bool:
    mine, theirs = dict(one.named_parameters()), dict(other.named_parameters())
    return mine.keys() == theirs.keys() and all(torch.equal(mine[name], theirs[name]) for name in mine)


def _numbered(progress: Progress, number: int, runs: int) -> Progress:
    return lambda what, loss, losses: progress(f"{number}/{runs} {what}", loss, losses)
