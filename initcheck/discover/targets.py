"""What the user names on the command line, turned into targets; nothing is imported or executed."""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Iterator
from pathlib import Path

from initcheck.discover import candidates as offers
from initcheck.discover import files, slicing
from initcheck.discover.candidates import Candidate
from initcheck.discover.scopes import scope
from initcheck.errors import InitcheckError, NothingToCheck, TargetError, UsageError
from initcheck.records.target import Target, TargetKind

_NAME = re.compile(r"^\s*([^\W\d]\w*(?:\.[^\W\d]\w*)*)\s*(?:\((.*)\))?\s*$", re.DOTALL)
_MODULE = re.compile(r"^([^\W\d]\w*(?:\.[^\W\d]\w*)*):([^:].*)$", re.DOTALL)
_LIBRARIES = ("torchvision", "timm")
_WEIGHTS = (".pt", ".pth", ".safetensors", ".bin", ".ckpt")


def parse(spec: str) -> tuple[Target, ...]:
    """The targets that one spec stands for; a file or folder may give several.

    The grammar: `PATH`, `PATH::NAME`, `PATH::NAME(literals)`, `pkg.mod:NAME`, `torchvision:NAME`, `timm:NAME`, `hf:DIR`.

    Raises:
        InitcheckError: the first problem, when the spec gives no target at all; its hint can be pasted.
    """
    targets, problems = expand(spec)
    if not targets:
        raise problems[0]
    return targets


def expand(spec: str) -> tuple[tuple[Target, ...], tuple[InitcheckError, ...]]:
    """As `parse`, with the problems as values: a folder gives the targets of its good files and the problems of the others."""
    try:
        if "::" in spec:
            path, _, name = spec.partition("::")
            return (_named(spec, path, name),), ()
        scheme, _, reference = spec.partition(":")
        if reference and scheme == "hf":
            return (_hugging_face(spec, reference),), ()
        if Path(spec).is_dir():
            return _folder(spec)
        if Path(spec).is_file():
            return _file(spec), ()
        return (_imported(spec),), ()
    except InitcheckError as problem:
        return (), (problem,)


def _folder(spec: str) -> tuple[tuple[Target, ...], tuple[InitcheckError, ...]]:
    targets: list[Target] = []
    problems: list[InitcheckError] = []
    for path in files.python_files(spec):
        try:
            if files.looks_like_model(Path(path).read_bytes()):
                targets += _file(path)
        except NothingToCheck:
            continue
        except InitcheckError as problem:
            problems.append(problem)
        except OSError as error:
            problems.append(TargetError(f"cannot read {path}: {error.strerror}", "check its permissions", name="file-missing"))
    if not targets and not problems:
        problems.append(NothingToCheck(f"no model in any Python file under {spec}", "name one: initcheck path/to/model.py::Net"))
    return tuple(targets), tuple(problems)


def _file(path: str) -> tuple[Target, ...]:
    """The targets of a file that is named without an object."""
    if Path(path).suffix in _WEIGHTS:
        raise TargetError(
            f"{path} holds weights, not a model", "name the file that defines the model: initcheck model.py::Net", name="not-python"
        )
    if Path(path).suffix == ".ipynb":
        hint = f"jupyter nbconvert --to script {path}"
        raise TargetError(f"{path} is a notebook; initcheck reads Python files", hint, name="not-python")
    source = files.read(path)
    found = offers.of_tree(source.tree)
    targets = tuple(_target(f"{path}::{offer.qualname}", source, offer.qualname, offer.kind) for offer in offers.chosen(found))
    if targets:
        return targets
    wanting = offers.wanting(found)
    if wanting:
        raise _needs_arguments(source, wanting)
    raise NothingToCheck(f"no model in {path}", "name what builds it: initcheck pkg.module:function")


def _named(spec: str, path: str, written: str) -> Target:
    if not Path(path).is_file():
        raise _missing(path)
    name, arguments = _call(spec, written)
    source = files.read(path)
    found = {offer.qualname: offer for offer in offers.of_tree(source.tree)}
    root = name.split(".")[0]
    offer = found.get(name)
    if offer is None and not _binds(source.tree, root):
        raise _unknown(path, name, source.tree, found)
    if arguments is None and offer is not None and offer.needs:
        raise _needs_arguments(source, (offer,))
    kind: TargetKind = offer.kind if offer else _kind(source.tree, root)
    if arguments is not None and kind == "instance":
        raise UsageError(f"{name} in {path} is no class or function, it takes no arguments", f"initcheck {path}::{name}")
    return _target(spec, source, name, kind, arguments or "")


def _target(spec: str, source: files.SourceFile, name: str, kind: TargetKind, arguments: str = "") -> Target:
    recipe = slicing.slice_tree(source.tree, source.path, name, source.digest).recipe
    return Target(spec, source.path, name, kind, arguments, recipe=recipe)


def _imported(spec: str) -> Target:
    wrong_colon = re.match(r"^(.+\.py):([^\W\d].*)$", spec, re.DOTALL)
    if wrong_colon:
        path, name = wrong_colon.groups()
        if Path(path).is_file():
            raise TargetError(f"no module is named {path}; a file takes two colons", f"did you mean {path}::{name}?", name="target-syntax")
        raise _missing(path)
    match = _MODULE.match(spec)
    if match is None or "/" in match[1]:
        raise _missing(spec)
    module, written = match.groups()
    name, arguments = _call(spec, written)
    return Target(spec, module, name, "library", arguments or "")


def _hugging_face(spec: str, reference: str) -> Target:
    if reference.startswith((".", "/", "~")) and not (Path(reference).expanduser() / "config.json").is_file():
        raise TargetError(f"cannot find {reference}/config.json", "give the folder that save_pretrained wrote", name="file-missing")
    return Target(spec, "hf", reference, "library")


def _call(spec: str, written: str) -> tuple[str, str | None]:
    """The name and the source of the literal arguments (`None` without parentheses) of `Net(width=64)`."""
    match = _NAME.match(written)
    if match is None:
        raise UsageError(
            f"cannot read the target {spec!r}: {written!r} is no name", "a target looks like model.py::Net or 'model.py::Net(width=64)'"
        )
    name, arguments = match.groups()
    if arguments is not None:
        _check_literal(spec, arguments)
    return name, arguments


def _check_literal(spec: str, arguments: str) -> None:
    try:
        call = ast.parse(f"f({arguments})", mode="eval").body
    except SyntaxError:
        call = None
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
        raise UsageError(f"cannot read the arguments of {spec!r}", "write them as in Python: 'model.py::Net(64, depth=4)'")
    for value in [*call.args, *(item.value for item in call.keywords)]:
        try:
            ast.literal_eval(value)
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            message = (
                f"cannot use {ast.unparse(value)!r} in {spec!r}: only literals (numbers, strings, tuples, lists, dicts) can be given here"
            )
            raise UsageError(message, "for anything else put def initcheck_model(): return ... into the file") from None
    if any(item.arg is None for item in call.keywords):
        raise UsageError(f"cannot use ** in {spec!r}", "write the arguments out")


def _binds(tree: ast.Module, name: str) -> bool:
    return name in _top_names(tree)


def _kind(tree: ast.Module, name: str) -> TargetKind:
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and node.name == name:
            return "class"
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name == name:
            return "factory"
    return "instance"


def _top_names(tree: ast.Module) -> list[str]:
    names: list[str] = []
    for index, statement in enumerate(tree.body):
        found = scope(statement)
        names += sorted(found.binds)
        if isinstance(statement, ast.ImportFrom) and index < len(tree.body):
            names += [alias.asname or alias.name for alias in statement.names if alias.name != "*"]
    return names


def _missing(path: str) -> TargetError:
    parent = Path(path).parent
    near: Iterator[str] = (str(item) for item in parent.iterdir() if item.suffix == ".py") if parent.is_dir() else iter(())
    close = difflib.get_close_matches(str(Path(path)), list(near), 1)
    hint = (
        f"did you mean {close[0]}?"
        if close
        else "initcheck takes model.py, model.py::Net, pkg.module:function, torchvision:resnet18 or hf:./folder"
    )
    return TargetError(f"cannot find {path}: no such file or folder (looked in {Path.cwd()})", hint, name="file-missing")


def _unknown(path: str, name: str, tree: ast.Module, found: dict[str, Candidate]) -> TargetError:
    close = difflib.get_close_matches(name, [*found, *_top_names(tree)], 1)
    hint = f"did you mean {path}::{close[0]}?" if close else f"it offers: {', '.join(found)}" if found else f"initcheck {path}"
    return TargetError(f"{path} has no top-level name {name}", hint, name="unknown-name")


def _needs_arguments(source: files.SourceFile, wanting: tuple[Candidate, ...]) -> TargetError:
    offer = wanting[0]
    sites = offers.call_sites(source.tree, offer.qualname)
    word = "class" if offer.kind == "class" else "def"
    lines = [f"cannot build {source.path}::{offer.qualname}: missing {', '.join(offer.needs)}"]
    lines.append(f"  {source.path}:{offer.line}: {word} {offer.qualname}({offer.signature})")
    lines += [f"  {source.path}:{site.line}: {site.text}" for site in sites[:3]]
    if len(wanting) > 1:
        lines.append(
            f"  the same holds for {', '.join(other.qualname for other in wanting[1:4])}" + (" and others" if len(wanting) > 4 else "")
        )
    ready = next((site.text for site in sites if site.literal), None)
    call = ready or f"{offer.qualname}({', '.join(f'{name}=...' for name in offer.needs)})"
    return TargetError("\n".join(lines), f"Try: initcheck '{source.path}::{call}'", name="needs-args")
