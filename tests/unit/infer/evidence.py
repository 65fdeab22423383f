"""Evidence of a live model, without judging it."""

import torch

from initcheck.construct.recording.provenance import unwatched
from initcheck.infer.assemble import assemble
from initcheck.measure.parameters.weights import weight_stats
from initcheck.measure.signal.signals import SignalObserver
from initcheck.records.stats import RunStats
from initcheck.records.target import Target
from initcheck.trace.backward import backward
from initcheck.trace.session import preserved
from initcheck.trace.tracer import trace


def evidence(model, *inputs, outputs=()):
    """What `assemble` makes of one measured run."""
    observer = SignalObserver(inputs[0].shape[0])
    with preserved(model):
        traced = trace(model, inputs, {}, observer)
        backward(traced, 0)
    run = RunStats(observer.results(), (), outputs, inputs[0].shape[0])
    weights = weight_stats({name: parameter.detach() for name, parameter in model.named_parameters()}, {})
    modules = {name: type(module).__name__ for name, module in model.named_modules()}
    return assemble(Target("m", "", "m", "instance"), traced.graph, run, weights, unwatched(model), modules)


def seeded(build):
    """A model built under a fixed seed."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return build()
