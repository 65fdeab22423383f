"""`initcheck fix --checkpoint`: the flagged tensors of a file of weights drawn anew, every other byte kept."""

from __future__ import annotations

import dataclasses
from typing import Any

import torch
from torch import nn

from initcheck.construct.builder import construct
from initcheck.construct.guard import guarded
from initcheck.construct.recording.provenance import unwatched
from initcheck.construct.recording.recorder import Recorder
from initcheck.construct.weights.tensors import in_memory
from initcheck.discover.targets import parse as parse_target
from initcheck.engine import examine, settings_of
from initcheck.errors import UsageError
from initcheck.fix.checkpoint import Held, check_out, digest, held, keys_of, write
from initcheck.fix.plan import plan
from initcheck.measure.parameters.weights import weight_stats
from initcheck.records.finding import Finding
from initcheck.records.fixing import CheckpointResult, Declined, FixResult, Plan
from initcheck.records.recording import Recording
from initcheck.records.report import ModelReport
from initcheck.records.settings import Settings
from initcheck.records.target import Built, Target
from initcheck.remedy.trying import healed
from initcheck.rules.stored import judge_stored


def heal_checkpoint(
    target: str | None,
    source: str,
    out: str,
    *,
    unsafe: bool = False,
    only: tuple[str, ...] = (),
    seed: int = 0,
    **settings: Any,
) -> CheckpointResult:
    """Draws the flagged tensors of a file anew and writes the result to another file (or the same one).

    With a target the file's weights are put into its model, which is run and judged as any other; without one, only what the numbers
    themselves show is judged, and drawn as torch's layers are. What the file holds beside the weights stays as it is.

    Args:
        target: the model that the weights belong to (`model.py::Net`), or None.
        source: a `.pt`, `.pth`, `.bin`, `.ckpt` or `.safetensors` file.
        out: the file to write; it appears whole or not at all, and not at all when nothing was healed.
        unsafe: as for `initcheck.fix`; whoever wrote the weights of a file is not known, so that most remedies need it.
        only: codes or names of the rules whose findings are treated; all if empty.
        seed: of the draws, and of the model that is built around the weights.
        **settings: fields of `Settings`, as for `initcheck.check`.

    Raises:
        UsageError: when the target stands for several models, the file is not one of its weights, or `out` has another format.
        InitcheckError: when the file or the target cannot be opened.
    """
    chosen = settings_of(settings | {"seed": seed})
    check_out(source, out)
    file = held(source)
    with torch.random.fork_rng(devices=[], device_type="cpu"):
        torch.manual_seed(seed)
        result = (
            _alone(file, chosen, unsafe=unsafe, only=only) if target is None else _inside(target, file, chosen, unsafe=unsafe, only=only)
        )
    changed = keys_of(file, [name for name in result.written if name in file.tensors])
    if changed:
        return CheckpointResult(source, out, result, len(file.every()), changed, write(file, out, changed))
    return CheckpointResult(source, out, result, len(file.every()), (), digest(file.every()))


def _inside(spec: str, file: Held, settings: Settings, *, unsafe: bool, only: tuple[str, ...]) -> FixResult:
    """Puts the weights into the model, heals it, and takes the healed ones back."""
    targets = parse_target(spec)
    if len(targets) != 1:
        raise UsageError(f"{spec} stands for {len(targets)} models", f"name one of them: {targets[0].spec}" if targets else "name a model")
    target = targets[0]
    with guarded(target.path if target.recipe is not None else "", trust=settings.trust, trust_pickle=settings.trust_pickle):
        made = construct(target, Recorder())
        model = made.model
        shared = _load(model, file, spec)
        built = dataclasses.replace(made.built, notes=(*made.built.notes, f"weights from {file.path}", *file.notes))
        inputs = made.inputs

        def recheck(recording: Recording) -> ModelReport:
            return examine(model, recording, target, built, inputs, dataclasses.replace(settings, inputs=target.inputs or settings.inputs))

        def allow(report: ModelReport) -> Plan:
            return _in_file(plan(report, unsafe=unsafe, only=only), shared)

        result = healed(model, recheck(unwatched(model)), allow, recheck, settings.seed)
    own = dict(model.named_parameters(remove_duplicate=False))
    with torch.no_grad():
        for name in result.written:
            file.tensors[name].copy_(own[name].detach().cpu())
    return result


def _load(model: nn.Module, file: Held, spec: str) -> frozenset[str]:
    """Copies every tensor whose name and shape the model knows; the names of those that it has."""
    own: dict[str, torch.Tensor] = {
        **dict(model.named_parameters(remove_duplicate=False)),
        **dict(model.named_buffers(remove_duplicate=False)),
    }
    wrong = [name for name, tensor in file.tensors.items() if name in own and own[name].shape != tensor.shape]
    if wrong:
        shapes = [" × ".join(map(str, one[wrong[0]].shape)) for one in (file.tensors, own)]
        raise UsageError(
            f"{file.path} is not of {spec}: `{wrong[0]}` is {shapes[0]} in the file and {shapes[1]} in the model",
            "name the model that it was saved from",
        )
    shared = [name for name in file.tensors if name in own]
    if not shared:
        first = next(iter(file.tensors))
        raise UsageError(f"{file.path} is not of {spec}: the model has no `{first}`", "name the model that it was saved from")
    with torch.no_grad():
        for name in shared:
            own[name].detach().copy_(file.tensors[name])
    return frozenset(shared)


def _in_file(found: Plan, shared: frozenset[str]) -> Plan:
    """Without the remedies for weights that the file does not hold."""
    kept: list[Finding] = []
    declined = list(found.declined)
    for finding in found.applied:
        missing = next((name for name in (finding.fix.touched if finding.fix is not None else ()) if name not in shared), None)
        if missing is None:
            kept.append(finding)
        else:
            declined.append(Declined(finding, f"`{missing}` is not in the file"))
    return Plan(tuple(kept), tuple(declined))


def _alone(file: Held, settings: Settings, *, unsafe: bool, only: tuple[str, ...]) -> FixResult:
    """Judges and heals the bare tensors; they are written in place."""
    floats = {name: tensor for name, tensor in file.tensors.items() if tensor.is_floating_point() and tensor.element_size() > 1}
    weights = {name: floats[name] for name in in_memory(floats)[0]}
    bag = _bag(weights)

    def recheck(recording: Recording) -> ModelReport:
        judgement = judge_stored(weight_stats(weights, {}), settings)
        target = Target(file.path, file.path, "", "weights")
        return ModelReport(target, "weights", built=Built(f"reading {file.path}"), findings=judgement.findings, recording=recording)

    return healed(bag, recheck(Recording((), watched=False)), lambda report: plan(report, unsafe=unsafe, only=only), recheck, settings.seed)


def _bag(tensors: dict[str, torch.Tensor]) -> nn.Module:
    """A module that holds these tensors (the same memory) under these names."""
    bag = nn.Module()
    for name, tensor in tensors.items():
        here, (*path, leaf) = bag, name.split(".")
        for part in path:
            if part not in here._modules:  # noqa: SLF001  (names such as `forward` may be parts of a path, so attributes are no test)
                here.add_module(part or "_", nn.Module())
            here = here.get_submodule(part or "_")
        here.register_parameter(leaf or "_", nn.Parameter(tensor.detach(), requires_grad=False))
    return bag
