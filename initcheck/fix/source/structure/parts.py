"""Parts of a model that are missing or should be: lost ties, hidden parameters, biases without effect, buffers that nobody fills."""

from __future__ import annotations

import ast

from initcheck.fix.source.correcting import Desk, Patch, places_of
from initcheck.fix.source.files import Refusal
from initcheck.fix.source.model import Model
from initcheck.fix.source.placing import Build, in_class, removed
from initcheck.fix.source.text import Change, Source
from initcheck.fix.source.tree import Tree
from initcheck.records.finding import Finding
from initcheck.records.recording import TensorRecord
from initcheck.records.source import Location

_BIASED = ("Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d", "Linear")


def unbiased(finding: Finding, model: Model, desk: Desk) -> Patch | None:
    """A layer built with `bias=False`, and the lines gone that gave the bias a value."""
    patch = Patch()
    for name in finding.fix.touched if finding.fix is not None else ():
        record = model.record(name)
        if record is None or record.created is None or not name.endswith("bias"):
            return None
        made = [one for one in model.parameters if one.created == record.created and one.name.endswith("bias")]
        if any(one.name not in finding.parameters for one in made):
            return None
        source, inside = desk.files.located(record.created)
        change = _without_bias(desk.tree(source), desk, source, inside)
        if change is None:
            return None
        patch.add(source.path, change)
        if not all(_taken_out(place, finding, model, desk, patch) for place in places_of(record)):
            return None
    return patch if patch.changes else None


def tied(finding: Finding, model: Model, desk: Desk) -> Patch | None:
    """The tie made once more, at the end of the class's start."""
    pair = (
        next((one for one in model.report.recording.untied if {one.first, one.second} == set(finding.parameters)), None)
        if (model.report.recording)
        else None
    )
    if pair is None:
        return None
    common = [one for one in model.classes_above(pair.second.rpartition(".")[0]) if _below(pair.first, one.path)]
    for module in common:
        try:
            source = desk.files.source(module.file)
        except Refusal:
            continue
        first, second = (_named(model, module.path, name) for name in (pair.first, pair.second))
        changes = in_class(desk.tree(source), module.qualname, _tie(first, second), "inline", module.starts)
        if changes is not None:
            patch = Patch()
            patch.add(source.path, *changes)
            return patch
    return None


def registered(finding: Finding, model: Model, desk: Desk) -> Patch | None:
    """A tensor attribute as `nn.Parameter`, a list of modules as `nn.ModuleList`, a dictionary as `nn.ModuleDict`."""
    if model.report.recording is None:
        return None
    tensors = [one for one in model.report.recording.tensors if one.name in finding.parameters]
    if not tensors:
        return None
    if tensors[0].kind == "attribute":
        return _parameter(tensors[0], finding, desk)
    return _held(tensors[0], model, desk)


def zeroed(finding: Finding, model: Model, desk: Desk) -> Patch | None:
    """A buffer of memory that nobody fills, of zeros instead."""
    del model
    if finding.location is None:
        return None
    source, inside = desk.files.located(finding.location)
    tree = desk.tree(source)
    node = tree.at(inside)
    if (
        not isinstance(node, ast.Call)
        or desk.spelling(source).dotted(node.func) != "torch.empty"
        or not isinstance(node.func, ast.Attribute)
    ):
        return None
    _, end = source.span(node.func)
    patch = Patch()
    patch.add(source.path, Change(end - len("empty"), end, "zeros"))
    return patch


def _tie(first: str, second: str) -> Build:
    return lambda base: [f"{base}.{second} = {base}.{first}"]


def _without_bias(tree: Tree, desk: Desk, source: Source, place: Location) -> Change | None:
    node = tree.at(place)
    if not isinstance(node, ast.Call) or desk.spelling(source).dotted(node.func).rpartition(".")[2] not in _BIASED:
        return None
    given = next((one for one in node.keywords if one.arg == "bias"), None)
    if given is not None:
        return Change(*source.span(given.value), "False")
    if any(one.arg is None for one in node.keywords) or any(isinstance(one, ast.Starred) for one in node.args) or not node.args:
        return None
    parts = [*node.args, *node.keywords]
    end = max(source.span(one)[1] for one in parts)
    return Change(end, end, ", bias=False")


def _taken_out(place: Location, finding: Finding, model: Model, desk: Desk, patch: Patch) -> bool:
    """Takes out a line that writes nothing but this bias."""
    written = {one.name for one in model.parameters if place in places_of(one)}
    source, inside = desk.files.located(place)
    tree = desk.tree(source)
    node = tree.at(inside)
    if node is None or written - set(finding.parameters):
        return False
    statement = tree.statement(node)
    change = removed(tree, statement) if isinstance(statement, ast.Expr) else None
    if change is None:
        return False
    patch.add(source.path, change)
    return True


def _parameter(tensor: TensorRecord, finding: Finding, desk: Desk) -> Patch | None:
    if tensor.created is None or finding.severity == "info":
        return None
    source, inside = desk.files.located(tensor.created)
    tree = desk.tree(source)
    node = tree.at(inside)
    statement = tree.statement(node) if node is not None else None
    if not isinstance(statement, ast.Assign) or len(statement.targets) != 1 or not isinstance(statement.targets[0], ast.Attribute):
        return None
    start, end = source.span(statement.value)
    patch = Patch()
    spelled = desk.spelling(source).spelled("torch.nn.Parameter")
    patch.add(source.path, Change(start, start, f"{spelled}("), Change(end, end, ")"))
    return patch


def _held(tensor: TensorRecord, model: Model, desk: Desk) -> Patch | None:
    """The display or comprehension that a class assigns to the attribute, in a container that registers."""
    attribute = tensor.name[len(tensor.module) + 1 if tensor.module else 0 :].split("[")[0].split(".")[0]
    module = model.modules.get(tensor.module)
    if module is None or not module.file:
        return None
    source = desk.files.source(module.file)
    owner = desk.tree(source).named(module.qualname)
    found = [
        node
        for node in ast.walk(owner or ast.Module([], []))
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Attribute) and node.targets[0].attr == attribute
    ]
    if len(found) != 1:
        return None
    value = found[0].value
    kind = {ast.List: "List", ast.ListComp: "List", ast.Tuple: "List", ast.Dict: "Dict", ast.DictComp: "Dict"}.get(type(value))
    if kind is None or (isinstance(value, ast.Tuple) and source.segment(value)[:1] != "("):
        return None
    holder = "Parameter" if tensor.name.endswith("]") else "Module"
    start, end = source.span(value)
    patch = Patch()
    patch.add(source.path, Change(start, start, desk.spelling(source).spelled(f"torch.nn.{holder}{kind}") + "("), Change(end, end, ")"))
    return patch


def _below(name: str, path: str) -> bool:
    return not path or name.startswith(f"{path}.")


def _named(model: Model, above: str, name: str) -> str:
    module, _, leaf = name.rpartition(".")
    return model.expression("self", above, module).removeprefix("self").lstrip(".") + f".{leaf}"
