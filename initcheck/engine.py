"""The order of the stages: a target or a model goes in, a report of plain records comes out."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from typing import Any

import torch

from initcheck import __version__
from initcheck.construct.builder import construct
from initcheck.construct.inputs import Guess, candidates, choose_batch, describe, first_that_runs, normalise, parse
from initcheck.construct.plumbing.holdings import held
from initcheck.construct.recording.provenance import unwatched
from initcheck.construct.recording.recorder import Recorder
from initcheck.discover.targets import parse as parse_target
from initcheck.errors import InitcheckError, TargetError, UsageError
from initcheck.infer.assemble import assemble
from initcheck.infer.dataflow.flow import unread_inputs
from initcheck.infer.summary import summarise
from initcheck.measure.gradient.barriers import lifted, zero_parameters
from initcheck.measure.gradient.flow import gradient_flow
from initcheck.measure.gradient.ignored import argument_tensors, ignored_arguments
from initcheck.measure.parameters.tables import table_stats
from initcheck.measure.parameters.weights import weight_stats
from initcheck.measure.signal.finite import FiniteObserver, all_finite
from initcheck.measure.signal.outputs import output_stats
from initcheck.measure.signal.signals import SignalObserver
from initcheck.records.evidence import Evidence
from initcheck.records.finding import Failure, Skip
from initcheck.records.graph import Graph
from initcheck.records.recording import Recording
from initcheck.records.report import ModelReport, Report
from initcheck.records.settings import Settings
from initcheck.records.stats import BrokenValue, RunStats
from initcheck.records.target import Built, InputSummary, Target
from initcheck.rules.judge import judge, selected
from initcheck.trace.backward import backward
from initcheck.trace.session import preserved
from initcheck.trace.tracer import ForwardError, Trace, returned_floats, trace

Progress = Callable[[str], None]
NO_RUN = RunStats(signals=(), flows=(), outputs=(), batch=0)


def check(target: object, inputs: object = None, **settings: Any) -> Report:
    """Checks how a model is initialized.

    Args:
        target: a module, a function without arguments that builds one (its writes are recorded while it builds, which shows more),
            or a target such as `"model.py::Net"`, `"torchvision:resnet18"`; a file may hold several models.
        inputs: a sample input: a tensor, a tuple of positional arguments, or a dictionary of keyword arguments of the forward pass.
            Synthesised when left out.
        **settings: fields of `Settings`: `select`, `ignore`, `fail_on`, `seed`, `batch`, `options` …

    Returns:
        One entry per model in `report.models`. The model, its gradients, buffers and the random state are left as they were.

    Raises:
        InitcheckError: when the target cannot be found or built, or no input fits; the message says what to do.
        UsageError: when a setting is unknown.
    """
    chosen = _settings(settings)
    selected(chosen)
    if isinstance(target, str):
        models = tuple(check_target(found, chosen, inputs=inputs) for found in parse_target(target))
    elif isinstance(target, torch.nn.Module):
        name = type(target).__name__
        models = (_examine(target, unwatched(target), Target(name, "", name, "module"), Built(name), inputs, chosen),)
    elif callable(target):
        models = (_check_factory(target, inputs, chosen),)
    else:
        raise UsageError(
            f"cannot check a {type(target).__name__}", "give a module, a function that builds one, or a target such as 'model.py::Net'"
        )
    return Report(models, version=__version__, torch=torch.__version__, seed=chosen.seed, fail_on=chosen.fail_on)


def check_target(target: Target, settings: Settings, progress: Progress = lambda _: None, inputs: object = None) -> ModelReport:
    """Builds one target under the recorder and examines it.

    Raises:
        InitcheckError: when it cannot be built.
    """
    progress(f"building {target.spec}")
    torch.manual_seed(settings.seed)
    recorder = Recorder()
    built = construct(target, recorder)
    recording = recorder.resolve(built.model)
    given = inputs if inputs is not None else built.inputs
    texts = target.inputs or settings.inputs
    progress(f"running {target.spec}")
    return _examine(built.model, recording, target, built.built, given, dataclasses.replace(settings, inputs=texts))


def _check_factory(factory: Callable[[], object], inputs: object, settings: Settings) -> ModelReport:
    name = getattr(factory, "__name__", type(factory).__name__)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        recorder = Recorder()
        with recorder:
            model = factory()
        if not isinstance(model, torch.nn.Module):
            raise UsageError(
                f"{name}() returned a {type(model).__name__}, not a module", "give a function that builds and returns the model"
            )
        recording = recorder.resolve(model)
        return _examine(model, recording, Target(name, "", name, "callable"), Built(f"{name}()"), inputs, settings)


def _settings(given: dict[str, Any]) -> Settings:
    known = {field.name for field in dataclasses.fields(Settings)}
    unknown = sorted(set(given) - known)
    if unknown:
        raise UsageError(f"unknown setting {unknown[0]!r}", f"known settings: {', '.join(sorted(known))}")
    values: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in given.items()}
    for key in ("select", "ignore", "inputs"):
        if isinstance(values.get(key), str):
            values[key] = (values[key],)
    return Settings(**values)


def _examine(model: torch.nn.Module, recording: Recording, target: Target, built: Built, inputs: object, settings: Settings) -> ModelReport:
    """Everything after construction: run, measure, infer, judge. The model is left as it was."""
    failures: list[Failure] = []
    skips: list[Skip] = []
    graph, run, summary = Graph((), ()), NO_RUN, None
    lazy = any(_is_lazy(parameter) for parameter in model.parameters())
    with nullcontext() if lazy else preserved(model):
        try:
            if lazy:
                hint = "run one batch through the model where it is built: def initcheck_model(): model = Net(); model(batch); return model"
                raise TargetError("the model has lazy layers whose weights do not exist yet", hint, name="lazy-layers")
            graph, run, summary = _run(model, inputs, settings)
        except InitcheckError as error:
            failures.append(Failure("forward", target.spec, error.message, error.hint, error.name))
            skips.append(Skip("", "", "no forward pass: only the weights themselves were judged"))
    weights = weight_stats(_tensors(model), _blocks(model))
    kinds = {name: type(module).__name__ for name, module in model.named_modules()}
    evidence = _with_growth(assemble(target, graph, run, weights, recording, kinds, table_stats(model)), model)
    judgement = judge(evidence, settings)
    return ModelReport(
        target=target,
        model=type(model).__name__,
        parameters=sum(parameter.numel() for parameter in model.parameters() if not _is_lazy(parameter)),
        built=built,
        input=summary,
        findings=judgement.findings,
        skips=tuple(skips) + judgement.skips + tuple(Skip("", "", note) for note in (*recording.notes, *run.notes)),
        failures=tuple(failures) + judgement.failures,
        layers=summarise(evidence),
        recording=recording,
        checked=judgement.checked,
    )


def _run(model: torch.nn.Module, inputs: object, settings: Settings) -> tuple[Graph, RunStats, InputSummary]:
    """One measured forward and backward pass on the given input, or on the first synthesised one that runs."""
    batch = choose_batch(model, settings.batch)
    observer = SignalObserver(batch)
    tensors = {one.name: one.tensor for one in held(model)}

    def attempt(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Trace:
        nonlocal observer
        observer = SignalObserver(_batch_of(args, kwargs, batch))
        return trace(model, args, kwargs, observer, tensors)

    if inputs is not None or settings.inputs:
        args, kwargs = normalise(inputs) if inputs is not None else parse(settings.inputs, batch, settings.seed)
        origin = "given" if inputs is not None else "--input"
        guesses = iter([Guess(args, kwargs, describe(args, kwargs, origin, _batch_of(args, kwargs, batch)))])
    else:
        guesses = candidates(model, batch, settings.seed)
    traced, guess = first_that_runs(model, guesses, attempt)
    graph = traced.graph
    outputs = output_stats(traced.results)
    broken = any(stats.nonfinite for stats in observer.results()) or not all_finite([tensor for _, tensor in traced.outputs])
    backward(traced, settings.seed)
    parameters = dict(model.named_parameters())
    first = {name: parameter.grad for name, parameter in parameters.items()}
    notes: tuple[str, ...] = ()
    with guess.prepare():
        flows = gradient_flow(model, parameters, lambda: _outputs(model, guess), settings.seed, first)
        if any(flow.state in ("late", "dead") for flow in flows) and zero_parameters(model):
            notes = _behind_zeros(model, guess, graph, observer, settings.seed)
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


def _tensors(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {name: parameter.detach() for name, parameter in model.named_parameters() if not _is_lazy(parameter)}


def _blocks(model: torch.nn.Module) -> dict[str, int]:
    """Row blocks of the recurrent matrices and biases: 4 gates in an LSTM, 3 in a GRU, 1 in a plain RNN."""
    gates = {"LSTM": 4, "GRU": 3, "RNN": 1}
    found: dict[str, int] = {}
    for path, module in model.named_modules():
        if not isinstance(module, (torch.nn.RNNBase, torch.nn.RNNCellBase)):
            continue
        count = next((number for kind, number in gates.items() if kind in type(module).__name__), 1)
        for name, _ in module.named_parameters(recurse=False):
            if name.startswith(("weight_hh", "bias_")):
                found[f"{path}.{name}" if path else name] = count
    return found


def _with_growth(evidence: Evidence, model: torch.nn.Module) -> Evidence:
    """The same, with the growth of recurrent matrices that only the dataflow knows for such."""
    names = {layer.weight for layer in evidence.layers if layer.part == "recurrent_matrix"}
    if not names:
        return evidence
    tensors = {name: tensor for name, tensor in _tensors(model).items() if name in names}
    grown = {stats.parameter: stats for stats in weight_stats(tensors, dict.fromkeys(tensors, 1))}
    weights = tuple(
        dataclasses.replace(stats, block_growth=grown[stats.parameter].block_growth) if stats.parameter in grown else stats
        for stats in evidence.weights
    )
    return dataclasses.replace(evidence, weights=weights)


def _is_lazy(parameter: torch.Tensor) -> bool:
    return isinstance(parameter, torch.nn.parameter.UninitializedTensorMixin)
