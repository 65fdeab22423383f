"""One seeded training: the same batches in the same order for every variant, losses and scores on the way, stopped when it diverges."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn import functional

from initcheck.records.verification import State, TrainingPlan, TrainingRun
from initcheck.verify.adapters.adapted import Fitting
from initcheck.verify.data.sets import Images
from initcheck.verify.scores import LOOKS, PARTS

EXPLODED = 10.0
"""A loss that many times that of guessing, after a quarter of the run, is taken as diverged."""

MOMENTUM, DECAY = 0.9, 0.01
"""Of SGD, and of AdamW (torch's default)."""

EVALUATED = 256
"""Images in a batch of the evaluation."""

Progress = Callable[[str, float, tuple[float, ...]], None]
"""Told (what is run, present loss, losses so far)."""


class OutOfTime(Exception):
    """The budget ended within a run, which does not count then."""


@dataclass(frozen=True, slots=True)
class Samples:
    """Images [N, 1, height, width] between 0 and 1 with labels [N]: for training, for choosing the rate, and for the figures."""

    train: Tensor
    train_labels: Tensor
    held: Tensor
    held_labels: Tensor
    test: Tensor
    test_labels: Tensor
    chance: float

    @classmethod
    def of(cls, images: Images) -> Samples:
        """The same as tensors."""
        train, held, test = (torch.from_numpy(pixels.copy()) for pixels in (images.train, images.held, images.test))
        labels = [torch.from_numpy(one.copy()).long() for one in (images.train_labels, images.held_labels, images.test_labels)]
        return cls(train, labels[0], held, labels[1], test, labels[2], images.summary.chance)


@dataclass(slots=True)
class Course:
    """What happens along one run."""

    losses: list[float] = field(default_factory=list)
    held: list[float] = field(default_factory=list)
    total: float = 0.0
    steps: int = 0
    first: float = math.nan
    state: State = "finished"


@dataclass(frozen=True, slots=True)
class Trained:
    """A run, and which of the test images it got right (empty for random targets)."""

    run: TrainingRun
    hits: bytes


@dataclass(frozen=True, slots=True)
class Job:
    """One run to be made: `module` is trained in place. `until` is a time of `time.monotonic`, past which it is given up."""

    variant: str
    module: nn.Module
    rate: float
    seed: int
    plan: TrainingPlan
    samples: Samples | None
    until: float


def train(job: Job, progress: Progress) -> Trained:
    """Trains and evaluates once.

    Raises:
        OutOfTime: when the budget ends before the run does.
    """
    with deterministic(job.seed):
        course = _trained(job, progress)
        if course.state == "diverged" or not all_finite(job.module):
            course.state = "diverged"
            score, hits = _guessing(job)
        else:
            score, hits = _final(job)
    size = max(course.steps, 1)
    area = course.total / size if course.state == "finished" else math.inf
    run = TrainingRun(
        job.variant, job.rate, job.seed, course.state, course.steps, course.first, tuple(course.losses), tuple(course.held), score, area
    )
    return Trained(run, hits)


@contextmanager
def deterministic(seed: int) -> Iterator[None]:
    """Random numbers from the seed inside; outside, the random states and gradient mode are as they were."""
    with torch.random.fork_rng(devices=[], device_type="cpu"), torch.inference_mode(mode=False), torch.enable_grad():
        torch.manual_seed(seed)
        yield


@contextmanager
def one_thread() -> Iterator[None]:
    """One thread of torch inside, whatever the machine has: the same numbers everywhere, and no waiting for threads on a busy machine.

    The steps of small models are too short to be shared out: two threads on two cores of which one is busy take ten times as long as one.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def all_finite(module: nn.Module) -> bool:
    """Whether no parameter holds NaN or infinity."""
    return all(bool(torch.isfinite(parameter.detach().sum())) for parameter in module.parameters())


def order(seed: int, samples: int, batch: int) -> Iterator[Tensor]:
    """Batches of positions without end: every epoch all samples in a new order, an incomplete last batch left out."""
    generator = torch.Generator().manual_seed(seed)
    batch = min(batch, samples)
    while True:
        shuffled = torch.randperm(samples, generator=generator)
        yield from shuffled[: samples - samples % batch].split(batch)


def falling(step: int, steps: int) -> float:
    """The share of the rate at a step: all of it in the first half of the run, then less and less, so that the end is not a matter of luck.

    There is no warm-up: it would hide what a bad start does.
    """
    return min(1.0, 2.0 * (steps - step) / steps)


def optimizer_of(module: nn.Module, plan: TrainingPlan, rate: float) -> torch.optim.Optimizer:
    """AdamW as torch has it, or SGD with momentum 0.9, on all parameters that are trained."""
    parameters = [parameter for parameter in module.parameters() if parameter.requires_grad]
    if plan.optimizer == "sgd":
        return torch.optim.SGD(parameters, lr=rate, momentum=MOMENTUM, fused=True)
    return torch.optim.AdamW(parameters, lr=rate, weight_decay=DECAY, fused=True)


def _trained(job: Job, progress: Progress) -> Course:
    course = Course()
    optimizer = optimizer_of(job.module, job.plan, job.rate)
    batches = None if job.samples is None else order(job.seed, len(job.samples.train), job.plan.batch)
    part, since = 0.0, 0
    limit = EXPLODED * (math.log(1 / job.samples.chance) if job.samples is not None else 1.0)
    marks = {round(job.plan.steps * (index + 1) / PARTS) for index in range(PARTS)}
    job.module.train()
    while course.steps < job.plan.steps:
        if time.monotonic() > job.until:
            raise OutOfTime
        _set_rate(optimizer, job.rate * falling(course.steps, job.plan.steps))
        loss = _step(job, optimizer, batches)
        if not course.steps:
            course.first = loss
        course.steps += 1
        if not math.isfinite(loss) or (loss > limit and course.steps > job.plan.steps / 4 and loss > course.first):
            course.state = "diverged"
            return course
        course.total += loss
        part, since = part + loss, since + 1
        if course.steps in marks:
            course.losses.append(part / since)
            over = course.steps == job.plan.steps
            if over or (job.plan.watched and len(course.losses) % (PARTS // LOOKS) == 0):
                course.held.append(_held(job, job.plan.held if over else job.plan.watched))
            part, since = 0.0, 0
            progress(f"{job.variant} at lr {job.rate:g}, seed {job.seed}", course.losses[-1], tuple(course.losses))
    return course


def _set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    for group in optimizer.param_groups:
        group["lr"] = rate


def _step(job: Job, optimizer: torch.optim.Optimizer, batches: Iterator[Tensor] | None) -> float:
    """One step of the optimizer; the loss before it."""
    optimizer.zero_grad(set_to_none=True)
    if job.samples is None or batches is None:
        loss = job.module()
    else:
        picked = next(batches)
        loss = functional.cross_entropy(job.module(pixels(job.samples.train[picked])), job.samples.train_labels[picked])
    value = loss.item()
    if math.isfinite(value):
        loss.backward()
        optimizer.step()
    return float(value)


def pixels(images: Tensor) -> Tensor:
    """Bytes [B, height, width] as floats [B, 1, height, width] between 0 and 1."""
    return images[:, None].float() / 255.0


def _held(job: Job, most: int) -> float:
    """The score on the held-back images, or on the first of them."""
    if job.samples is None:
        return _fit(job.module)
    right = _right(job.module, job.samples.held[:most], job.samples.held_labels[:most], job.until)
    return float(right.float().mean())


def _final(job: Job) -> tuple[float, bytes]:
    if job.samples is None:
        return _fit(job.module), b""
    most = job.plan.tested
    right = _right(job.module, job.samples.test[:most], job.samples.test_labels[:most], job.until)
    return float(right.double().mean()), right.to(torch.uint8).numpy().tobytes()


def _guessing(job: Job) -> tuple[float, bytes]:
    """What a diverged run scores: every tenth image, by no merit of its own; nothing of random targets."""
    if job.samples is None:
        return 0.0, b""
    every = round(1 / job.samples.chance)
    return job.samples.chance, bytes(int(index % every == 0) for index in range(job.plan.tested))


def _right(module: nn.Module, images: Tensor, labels: Tensor, until: float) -> Tensor:
    """Which images are recognised, in evaluation mode."""
    module.eval()
    found = []
    with torch.no_grad():
        for some, truth in zip(images.split(EVALUATED), labels.split(EVALUATED), strict=True):
            if time.monotonic() > until:
                raise OutOfTime
            found.append(module(pixels(some)).argmax(1) == truth)
    module.train()
    return torch.cat(found)


def _fit(module: nn.Module) -> float:
    """The share of the targets' variance that is met, in evaluation mode; 0 for less than nothing."""
    assert isinstance(module, Fitting)
    module.eval()
    with torch.no_grad():
        loss = float(module())
    module.train()
    return max(0.0, 1.0 - loss) if math.isfinite(loss) else 0.0
