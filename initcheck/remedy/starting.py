"""`initcheck.initialize`: a whole model by one policy, by theory or with data."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import torch
from torch import nn
from torch.nn.parameter import is_lazy

from initcheck.construct.inputs import candidates, choose_batch, first_that_runs, normalise
from initcheck.construct.recording.provenance import unwatched
from initcheck.engine import observe, settings_of
from initcheck.fix.module.applying import Applied, apply
from initcheck.fix.module.balancing import balance
from initcheck.fix.module.slots import hindrance
from initcheck.fix.policy import LSUV, RECOMMENDED, Policy
from initcheck.fix.policy import policy as policy_of
from initcheck.records.fixing import InitializeResult, Refused
from initcheck.records.settings import Settings
from initcheck.records.target import Target
from initcheck.trace.session import preserved

SYNTHETIC = "The data-dependent pass ran on synthesised inputs; give `inputs` to use your own."


def initialize(model: nn.Module, inputs: object = None, policy: str = RECOMMENDED, *, seed: int = 0, **settings: Any) -> InitializeResult:
    """Starts every parameter of a model anew by one policy, in place.

    The model is run once to see what each weight feeds. Weights go by the nonlinearity that follows (He, Xavier, LeCun), recurrent
    matrices are orthogonal gate by gate, residual branches start at zero, deep plain stretches at the point where signal and
    gradient both keep their size. What the run does not show is left as it was and listed.

    Args:
        model: the live model.
        inputs: a sample input, as for `initcheck.check`; synthesised when left out. With it, `recommended` also corrects the scale of deep
            plain stretches on the data, and `lsuv` that of every layer.
        policy: `recommended`, `kaiming_normal`, `kaiming_uniform`, `xavier_normal`, `xavier_uniform`, `orthogonal`, `lecun_normal` or `lsuv`.
        seed: of the draws; every parameter is drawn from the seed and its name. The global random state stays as it was.
        **settings: fields of `Settings`, as for `initcheck.check`.

    Returns:
        What was done and what was left, with reasons; `print` it.

    Raises:
        UsageError: for an unknown policy or setting.
    """
    chosen = settings_of(settings | {"seed": seed})
    name = type(model).__name__
    seen = observe(model, unwatched(model), Target(name, "", name, "module"), inputs, chosen)
    plan = policy_of(seen.evidence, policy)
    done = apply(model, plan.steps, seed)
    notes = tuple(f"{failure.message}: nothing is known of what the layers feed" for failure in seen.failures)
    moments: dict[str, float] = {}
    refused = [*_left(model, plan, ran=not seen.failures), *done.refused]
    if plan.targets and not seen.failures and (policy == LSUV or inputs is not None):
        try:
            moments, missed = _balanced(model, inputs, plan, done, chosen)
        except BaseException:
            done.restore()
            raise
        refused += missed
        notes += (SYNTHETIC,) if inputs is None else ()
    return InitializeResult(policy, tuple(done.steps), tuple(refused), tuple(moments.items()), notes, seed)


def _left(model: nn.Module, plan: Policy, *, ran: bool) -> list[Refused]:
    """What no place was found for, with the reason that lies deepest; what holds no values or none that can be drawn comes with it."""
    found = [Refused(one.parameter, _why(model, one, ran=ran)) for one in plan.left]
    found += [Refused(name, hindrance(model, name)) for name, parameter in model.named_parameters() if is_lazy(parameter)]
    packed = [path for path, module in model.named_modules() if ".quantized." in str(type(module).__module__) and hasattr(module, "weight")]
    return found + [Refused(f"{path}.weight", "it is quantized: initialize before quantizing") for path in packed]


def _why(model: nn.Module, one: Refused, *, ran: bool) -> str:
    return hindrance(model, one.parameter) or (one.reason if ran else "the model did not run, so its place is not known")


def _balanced(model: nn.Module, inputs: object, plan: Policy, done: Applied, settings: Settings) -> tuple[dict[str, float], list[Refused]]:
    targets = {name: moment for name, moment in plan.targets if name in done.slots}
    with preserved(model):
        args, kwargs, prepared = _sample(model, inputs, settings)
        with prepared:
            return balance(model, lambda: model(*args, **kwargs), targets, done.slots)


def _sample(model: nn.Module, inputs: object, settings: Settings) -> tuple[tuple[Any, ...], dict[str, Any], Any]:
    """The arguments of the pass: those given, or the first synthesised ones that the model runs on."""
    if inputs is not None:
        args, kwargs = normalise(inputs)
        return args, kwargs, nullcontext()

    def attempt(args: tuple[Any, ...], kwargs: dict[str, Any]) -> object:
        with torch.no_grad():
            return model(*args, **kwargs)

    _, guess = first_that_runs(model, candidates(model, choose_batch(model, settings.batch), settings.seed), attempt)
    return guess.args, guess.kwargs, guess.prepare()
