"""The order of the stages: a target or a model goes in, a report of plain records comes out."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from typing import Any

import torch

from initcheck import __version__
from initcheck.construct.builder import construct
from initcheck.construct.guard import guarded, refusal_in
from initcheck.construct.program.running import captured
from initcheck.construct.recording.modules import modules_of
from initcheck.construct.recording.placement import on_cpu
from initcheck.construct.recording.provenance import unwatched
from initcheck.construct.recording.recorder import Recorder
from initcheck.discover.targets import parse as parse_target
from initcheck.drawing import drawn
from initcheck.errors import InitcheckError, TargetError, UsageError
from initcheck.filling import filled, written
from initcheck.fix.policy import policy
from initcheck.infer.assemble import assemble
from initcheck.infer.summary import summarise
from initcheck.measure.parameters.tables import table_stats
from initcheck.measure.parameters.weights import weight_stats
from initcheck.pretrained.arrived import with_arrivals
from initcheck.pretrained.parity import parity_of
from initcheck.pretrained.recognising import recognised
from initcheck.records.arrival import Arrival
from initcheck.records.evidence import Evidence
from initcheck.records.finding import Failure, Skip
from initcheck.records.graph import Graph
from initcheck.records.recording import Recording
from initcheck.records.report import ModelReport, Report
from initcheck.records.settings import Settings
from initcheck.records.target import Built, InputSummary, Target
from initcheck.rules.judge import judge, selected
from initcheck.run import NO_RUN, measured_run
from initcheck.source.cells import in_cells, told_in_cells
from initcheck.source.drafts import drafted
from initcheck.source.reading import hand_over
from initcheck.stored import check_stored
from initcheck.trace.session import preserved

Progress = Callable[[str], None]

PATIENCE = 0.75
"""Share of the timeout that a program may spend before its first training step; the rest is for the measuring."""


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
    chosen = settings_of(settings)
    selected(chosen)
    if isinstance(target, str) and chosen.loader == "static":
        models = _read(target, chosen)
    elif isinstance(target, str):
        models = tuple(report for found in parse_target(target) for report in check_target(found, chosen, inputs=inputs))
    elif isinstance(target, torch.nn.Module):
        name = type(target).__name__
        recording = with_arrivals(unwatched(target), recognised(target))
        models = (examine(target, recording, Target(name, "", name, "module"), Built(name), inputs, chosen),)
    elif callable(target):
        models = (_check_factory(target, inputs, chosen),)
    else:
        raise UsageError(
            f"cannot check a {type(target).__name__}", "give a module, a function that builds one, or a target such as 'model.py::Net'"
        )
    return Report(models, version=__version__, torch=torch.__version__, seed=chosen.seed, fail_on=chosen.fail_on)


def check_target(target: Target, settings: Settings, progress: Progress = lambda _: None, inputs: object = None) -> tuple[ModelReport, ...]:
    """Builds one target under the recorder and examines it; one report for each model that it stands for.

    Raises:
        InitcheckError: when it cannot be built.
    """
    if target.source:
        hand_over(target.path, target.source.encode("utf-8", "surrogateescape"))
    with drafted(target.drafts), told_in_cells(target.path):
        return tuple(map(in_cells, _checked(target, settings, progress, inputs)))


def _checked(target: Target, settings: Settings, progress: Progress, inputs: object) -> tuple[ModelReport, ...]:
    if target.kind == "program":
        return tuple(_check_program(target, settings, progress))
    if target.kind == "weights":
        progress(f"reading {target.spec}")

        def judged(module: torch.nn.Module, built: Built) -> ModelReport:
            with guarded("", trust=settings.trust, trust_pickle=settings.trust_pickle):
                return examine(module, unwatched(module), target, built, inputs, settings)

        return (check_stored(target, settings, judged),)
    with guarded(_file_of(target), trust=settings.trust, trust_pickle=settings.trust_pickle):
        progress(f"building {target.spec}")
        torch.manual_seed(settings.seed)
        recorder = Recorder()
        built = construct(target, recorder)
        arrivals = filled(built.model, target.fill, recorder, trusted=settings.trust_pickle)
        recording = with_arrivals(recorder.resolve(built.model), arrivals)
        given = inputs if inputs is not None else built.inputs
        settings = dataclasses.replace(settings, inputs=target.inputs or settings.inputs)
        progress(f"running {target.spec}")
        if target.fill is not None and target.fill.fix_missing:
            recording = with_missing_drawn(built.model, recording, target, given, settings)
        report = examine(built.model, recording, target, built.built, given, settings)
    written(built.model, target.fill, report, arrivals)
    return (report,)


def check_filled(
    model: torch.nn.Module, arrivals: tuple[Arrival, ...], inputs: object = None, *, fix_missing: bool = False, **settings: Any
) -> ModelReport:
    """The check of a live model of which it is known what was loaded into it; `fix_missing` draws the rest before."""
    chosen = settings_of(settings)
    selected(chosen)
    target = Target(type(model).__name__, "", type(model).__name__, "module")
    recording = with_arrivals(unwatched(model), arrivals)
    if fix_missing:
        recording = with_missing_drawn(model, recording, target, inputs, chosen)
    return examine(model, recording, target, Built(target.qualname), inputs, chosen)


def with_missing_drawn(model: torch.nn.Module, recording: Recording, target: Target, inputs: object, settings: Settings) -> Recording:
    """Gives what a load has left random the scheme that is recommended for its place."""
    *before, arrival = recording.arrivals
    arrival, recording = drawn(model, arrival, observe(model, recording, target, inputs, settings).evidence, settings.seed)
    return dataclasses.replace(recording, arrivals=(*before, arrival))


def _file_of(target: Target) -> str:
    return target.path if target.recipe is not None else ""


def _read(spec: str, settings: Settings) -> tuple[ModelReport, ...]:
    from initcheck.source_only import check_source, readable  # nothing else here reads a source without building

    targets, problems = readable(spec)
    if not targets:
        raise problems[0]
    return tuple(check_source(target, settings) for target in targets)


def _check_program(target: Target, settings: Settings, progress: Progress) -> Iterator[ModelReport]:
    """Runs a program up to its first training step and examines the models that it was about to train."""
    progress(f"running {target.spec} up to its first training step")
    torch.manual_seed(settings.seed)
    texts = target.inputs or settings.inputs
    with captured(target, PATIENCE * settings.timeout) as models:
        for one in models:
            progress(f"running {one.target.spec}")
            given = None if texts else one.batches or None
            yield examine(one.model, one.recording, one.target, one.built, given, dataclasses.replace(settings, inputs=texts))


def _check_factory(factory: Callable[[], object], inputs: object, settings: Settings) -> ModelReport:
    name = getattr(factory, "__name__", type(factory).__name__)
    with torch.random.fork_rng(devices=[], device_type="cpu"):
        torch.manual_seed(settings.seed)
        recorder = Recorder()
        with recorder:
            model = factory()
        if not isinstance(model, torch.nn.Module):
            raise UsageError(
                f"{name}() returned a {type(model).__name__}, not a module", "give a function that builds and returns the model"
            )
        recording = recorder.resolve(model)
        return examine(model, recording, Target(name, "", name, "callable"), Built(f"{name}()"), inputs, settings)


def settings_of(given: dict[str, Any]) -> Settings:
    """The settings that keyword arguments ask for.

    Raises:
        UsageError: when one of them is unknown.
    """
    known = {field.name for field in dataclasses.fields(Settings)}
    unknown = sorted(set(given) - known)
    if unknown:
        raise UsageError(f"unknown setting {unknown[0]!r}", f"known settings: {', '.join(sorted(known))}")
    values: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in given.items()}
    for key in ("select", "ignore", "inputs"):
        if isinstance(values.get(key), str):
            values[key] = (values[key],)
    return Settings(**values)


@dataclasses.dataclass(frozen=True, slots=True)
class Observed:
    """What one look at a live model showed: the evidence, the input, and what broke or could not be seen."""

    evidence: Evidence
    input: InputSummary | None
    failures: tuple[Failure, ...]
    skips: tuple[Skip, ...]
    notes: tuple[str, ...]
    placed: tuple[str, ...]


def observe(model: torch.nn.Module, recording: Recording, target: Target, inputs: object, settings: Settings) -> Observed:
    """Runs, measures and infers; judges nothing. The model is left as it was."""
    failures: list[Failure] = []
    skips: list[Skip] = []
    if settings.meta:
        recording = dataclasses.replace(recording, parity=parity_of(model, recording, settings.seed))
    graph, run, summary = Graph((), ()), NO_RUN, None
    lazy = any(_is_lazy(parameter) for parameter in model.parameters())
    placed: list[str] = []
    with nullcontext() if lazy else preserved(model), on_cpu(placed.append, "run on cpu"):
        try:
            if lazy:
                hint = "run one batch through the model where it is built: def initcheck_model(): model = Net(); model(batch); return model"
                raise TargetError("the model has lazy layers whose weights do not exist yet", hint, name="lazy-layers")
            graph, run, summary = measured_run(model, inputs, settings, target.examples)
        except InitcheckError as error:
            cause = refusal_in(error) or error
            failures.append(Failure("forward", target.spec, cause.message, cause.hint, cause.name))
            skips.append(Skip("", "", "no forward pass: only the weights themselves were judged"))
    weights = weight_stats(_tensors(model), _blocks(model))
    kinds = {name: type(module).__name__ for name, module in model.named_modules()}
    evidence = _with_growth(assemble(target, graph, run, weights, recording, kinds, table_stats(model)), model)
    return Observed(evidence, summary, tuple(failures), tuple(skips), run.notes, tuple(placed))


def examine(model: torch.nn.Module, recording: Recording, target: Target, built: Built, inputs: object, settings: Settings) -> ModelReport:
    """Everything after construction: run, measure, infer, judge. The model is left as it was."""
    seen = observe(model, recording, target, inputs, settings)
    judgement = judge(seen.evidence, settings)
    return ModelReport(
        target=target,
        model=type(model).__name__,
        parameters=sum(parameter.numel() for parameter in model.parameters() if not _is_lazy(parameter)),
        built=built if any("asks for" in note for note in built.notes) else dataclasses.replace(built, notes=(*built.notes, *seen.placed)),
        input=seen.input,
        findings=judgement.findings,
        skips=seen.skips + judgement.skips + tuple(Skip("", "", note) for note in (*recording.notes, *seen.notes)),
        failures=seen.failures + judgement.failures,
        layers=summarise(seen.evidence),
        recording=recording,
        checked=judgement.checked,
        modules=modules_of(model),
        starts=policy(seen.evidence, settings.scheme).steps if settings.scheme else (),
    )


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
