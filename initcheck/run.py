"""One measured run of a built model: forward, backward, and the further passes that settle what these leave open."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import torch

from initcheck.construct.inputs import Guess, candidates, choose_batch, describe, first_that_runs, lively, normalise, parse
from initcheck.construct.plumbing.holdings import held
from initcheck.infer.dataflow.flow import unread_inputs
from initcheck.measure.gradient.barriers import lifted, zero_parameters
from initcheck.measure.gradient.flow import gradient_flow
from initcheck.measure.gradient.ignored import argument_tensors, ignored_arguments
from initcheck.measure.signal.finite import FiniteObserver, all_finite
from initcheck.measure.signal.outputs import output_stats
from initcheck.measure.signal.signals import SignalObserver
from initcheck.records.graph import Graph
from initcheck.records.settings import Settings
from initcheck.records.stats import BrokenValue, RunStats
from initcheck.records.target import InputSummary
from initcheck.trace.backward import backward
from initcheck.trace.tracer import ForwardError, Trace, returned_floats, trace

NO_RUN = RunStats(signals=(), flows=(), outputs=(), batch=0)
"""What is measured of a model that did not run."""


def measured_run(
    model: torch.nn.Module, inputs: object, settings: Settings, examples: tuple[str, ...] = ()
) -> tuple[Graph, RunStats, InputSummary]:
    """One measured forward and backward pass on the given input, or on the first synthesised one that runs; `examples` come first.

    Raises:
        InitcheckError: when no input runs; the message says which layer wanted what.
    """
    batch = choose_batch(model, settings.batch)
    observer = SignalObserver(batch)
    tensors = {one.name: one.tensor for one in held(model)}

    def attempt(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Trace:
        nonlocal observer
        observer = SignalObserver(_batch_of(args, kwargs, batch))
        return trace(model, args, kwargs, observer, tensors)

    if isinstance(inputs, tuple) and inputs and isinstance(inputs[0], Guess):
        guesses = iter([dataclasses.replace(one, given=True) for one in inputs])
    elif inputs is not None or settings.inputs:
        args, kwargs = normalise(inputs) if inputs is not None else parse(settings.inputs, batch, settings.seed)
        origin = "given" if inputs is not None else "--input"
        guesses = iter([Guess(args, kwargs, describe(args, kwargs, origin, _batch_of(args, kwargs, batch)), given=True)])
    else:
        guesses = candidates(model, batch, settings.seed, examples=examples)
    traced, guess = first_that_runs(model, lively(guesses, settings.seed), attempt)
    graph = traced.graph
    outputs = output_stats(traced.results)
    broken = any(stats.nonfinite for stats in observer.results()) or not all_finite([tensor for _, tensor in traced.outputs])
    backward(traced, settings.seed)
    parameters = dict(model.named_parameters())
    first = {name: parameter.grad for name, parameter in parameters.items()}
    notes: tuple[str, ...] = (guess.remark,) if guess.remark else ()
    with guess.prepare():
        flows = gradient_flow(model, parameters, lambda: _outputs(model, guess), settings.seed, first)
        if any(flow.state in ("late", "dead") for flow in flows) and zero_parameters(model):
            notes = notes + _behind_zeros(model, guess, graph, observer, settings.seed)
        values, more = _broken_values(model, guess, graph) if broken else ((), ())
        given = argument_tensors(model, guess.args, guess.kwargs)
        ignored, unsure = _ignored(model, guess, given, settings.seed) if unread_inputs(graph) else ((), ())
    size = guess.summary.batch or batch
    notes = (*notes, *more, *unsure)
    return graph, RunStats(observer.results(), flows, outputs, size, notes, values, tuple(given), ignored), guess.summary


def _ignored(
    model: torch.nn.Module, guess: Guess, given: Mapping[str, Sequence[torch.Tensor]], seed: int
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The names of the arguments that no output depends on, and what could not be found out."""
    try:
        return ignored_arguments(given, lambda: _outputs(model, guess), seed), ()
    except Exception as error:  # noqa: BLE001  (the user's forward may assert on anything)
        return (), (f"whether inputs are ignored could not be tested: with other values the model raises {type(error).__name__}",)


def _broken_values(model: torch.nn.Module, guess: Guess, graph: Graph) -> tuple[tuple[BrokenValue, ...], tuple[str, ...]]:
    """A second run of a model whose signal is not finite, in which every operation is looked at."""
    observer = FiniteObserver()
    lost = "the signal is not finite, and where it begins could not be found: a second run went another way"
    try:
        again = trace(model, guess.args, guess.kwargs, observer).graph
    except ForwardError:
        return (), (lost,)
    if [node.op for node in again.nodes] != [node.op for node in graph.nodes]:
        return (), (lost,)
    return observer.results(), ()


def _behind_zeros(model: torch.nn.Module, guess: Guess, graph: Graph, observer: SignalObserver, seed: int) -> tuple[str, ...]:
    """A second measured run with the zero weights lifted: they hide everything in front of them from the outputs."""
    again = SignalObserver(observer.batch)
    try:
        with lifted(model, seed):
            traced = trace(model, guess.args, guess.kwargs, again)
            backward(traced, seed)
    except ForwardError:
        return ("zero weights hide gradients, and the model does not run with other values in their place",)
    if [node.op for node in traced.graph.nodes] != [node.op for node in graph.nodes]:
        return ("zero weights hide gradients, and with other values in their place the model takes another way",)
    observer.fill(again)
    return ()


def _outputs(model: torch.nn.Module, guess: Guess) -> list[torch.Tensor]:
    return returned_floats(model(*guess.args, **guess.kwargs))


def _batch_of(args: tuple[Any, ...], kwargs: Mapping[str, Any], otherwise: int) -> int:
    tensors = [value for value in (*args, *kwargs.values()) if isinstance(value, torch.Tensor) and value.dim()]
    return int(tensors[0].shape[0]) if tensors else otherwise
