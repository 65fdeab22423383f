"""Which parameters receive gradient: at once, after a temporary step or two, or never."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor
from torch.nn import Module, Parameter

from initcheck.records.stats import GradientFlow

_STEP = 1e-2
"""Length of a temporary step relative to the weight (dimensionless); far above rounding, far below a change of regime."""
_STEPS, _MOST_STEPS = 2, 6
"""A zero factor blocks everything behind it for one step; two such barriers in a row are a common healthy start, and more of them are
followed for as long as each step wakes something."""

Run = Callable[[], Sequence[Tensor]]
Gradients = dict[str, Tensor | None]


def gradient_flow(
    model: Module,
    parameters: Mapping[str, Parameter],
    run: Run,
    seed: int,
    first: Mapping[str, Tensor | None] | None = None,
) -> tuple[GradientFlow, ...]:
    """Finds the parameters whose gradient is exactly zero, and whether two temporary steps wake them.

    The cotangent at the outputs is standard normal. Weights, `requires_grad` and `.grad` are as before when this returns or
    raises; buffers and the random state are the caller's to preserve. A gradient that is not finite counts as flowing.
    When a temporary run raises, parameters that were still undecided are left out of the result.

    Args:
        model: the model that `run` runs.
        parameters: the parameters in question, by name.
        run: one forward pass, returns the float outputs.
        seed: of the cotangent.
        first: the gradients of the first backward pass (random cotangent), if they are at hand; spares a pass.
    """
    # a frozen zero stays zero; only where everything is frozen do all of them move
    movable = {name: parameter for name, parameter in parameters.items() if parameter.requires_grad} or parameters
    with _all_trainable(model, parameters):
        gradients: Gradients = dict(first) if first is not None else _gradients(parameters, run(), seed)
        states = {name: _state(gradients.get(name)) for name in parameters}
        steps: dict[str, int] = {}
        if "zero" in states.values():
            states = _wake(parameters, movable, run, seed, gradients, states, steps)
    return tuple(GradientFlow(name, state, steps.get(name, 0)) for name, state in states.items() if state != "zero")


def _state(gradient: Tensor | None) -> str:
    if gradient is None:
        return "unreached"
    return "zero" if _is_zero(gradient) else "flows"


def _wake(
    parameters: Mapping[str, Parameter],
    movable: Mapping[str, Parameter],
    run: Run,
    seed: int,
    gradients: Gradients,
    states: dict[str, str],
    steps: dict[str, int],
) -> dict[str, str]:
    """Decides between `late` and `dead` for all that are `zero`; what cannot be decided stays `zero`. Notes the steps of the late ones."""
    states = dict(states)
    with _restored(parameters):
        woke = False
        for attempt in range(_MOST_STEPS):
            if (attempt >= _STEPS and not woke) or not _step(movable, gradients):
                break
            woke = False
            try:
                gradients = _gradients(parameters, run(), seed + attempt + 1)
            except Exception:  # noqa: BLE001  (the user's forward may assert on anything; undecided is the honest answer)
                return states
            for name, state in states.items():
                if state == "zero" and _state(gradients.get(name)) == "flows":
                    states[name], steps[name], woke = "late", attempt + 1, True
            if "zero" not in states.values():
                break
    return {name: "dead" if state == "zero" else state for name, state in states.items()}


def _gradients(parameters: Mapping[str, Parameter], outputs: Sequence[Tensor], seed: int) -> Gradients:
    live = [output for output in outputs if output.requires_grad and output.numel()]
    if not live:
        return {}
    generator = torch.Generator().manual_seed(seed)
    cotangents = [_cotangent(output, generator) for output in live]
    asked = {name: parameter for name, parameter in parameters.items() if parameter.requires_grad}
    found = torch.autograd.grad(live, list(asked.values()), cotangents, allow_unused=True) if asked else ()
    return dict(zip(asked, found, strict=True))


def _cotangent(output: Tensor, generator: torch.Generator) -> Tensor:
    dtype = output.dtype if output.dtype.is_complex or output.dtype is torch.float64 else torch.float32
    values: Tensor = torch.randn(output.shape, generator=generator, dtype=dtype)
    return values.to(device=output.device, dtype=output.dtype)


def _is_zero(gradient: Tensor) -> bool:
    values = gradient.detach()
    if values.layout is not torch.strided:
        values = values.coalesce().values() if values.layout is torch.sparse_coo else values.to_dense()
    if values.numel() == 0:
        return True
    # The norm is one fast read; only a norm of zero needs the exact answer, since small squares underflow.
    return float(torch.linalg.vector_norm(values)) == 0.0 and not bool(values.ne(0).any())


def _step(parameters: Mapping[str, Parameter], gradients: Gradients) -> bool:
    """Moves every weight with a finite nonzero gradient against it; tells whether any moved."""
    moved = False
    with torch.no_grad():
        for name, parameter in parameters.items():
            gradient = gradients.get(name)
            if gradient is None or _is_zero(gradient):
                continue
            direction = _direction(gradient.to_dense())
            if direction is not None:
                parameter.sub_((direction * _length(parameter)).to(parameter.dtype))
                moved = True
    return moved


def _direction(gradient: Tensor) -> Tensor | None:
    """The gradient at a root mean square of 1; `None` when it is not finite."""
    values = gradient if gradient.dtype.is_complex or gradient.dtype is torch.float64 else gradient.float()
    largest = float(values.abs().max())
    if not math.isfinite(largest):
        return None
    scaled = values / largest
    return scaled / float(scaled.abs().square().mean().sqrt())


def _length(parameter: Parameter) -> float:
    values = parameter.detach()
    size = float(torch.linalg.vector_norm(values.to(values.dtype if values.dtype.is_complex else torch.float32))) / math.sqrt(
        values.numel()
    )
    if size > 0.0 and math.isfinite(size):
        return _STEP * size
    fan_in = values[0].numel() if values.dim() > 1 else 1
    return _STEP / math.sqrt(fan_in)


@contextmanager
def _restored(parameters: Mapping[str, Parameter]) -> Iterator[None]:
    """Puts the very bits back, whatever happens."""
    kept = [(parameter, parameter.detach().clone()) for parameter in parameters.values()]
    try:
        yield
    finally:
        with torch.no_grad():
            for parameter, values in kept:
                parameter.copy_(values)


@contextmanager
def _all_trainable(model: Module, parameters: Mapping[str, Parameter]) -> Iterator[None]:
    """Frozen parameters are asked as well: being frozen says nothing about the initialization."""
    frozen = [p for p in (*parameters.values(), *model.parameters()) if not p.requires_grad and (p.is_floating_point() or p.is_complex())]
    for parameter in frozen:
        parameter.requires_grad_(True)
    try:
        yield
    finally:
        for parameter in frozen:
            parameter.requires_grad_(False)
