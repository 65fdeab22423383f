"""What the user names on the command line, turned into targets; nothing is imported or executed."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

from initcheck.discover import folders, stored
from initcheck.discover.in_file import missing_file, named, targets_of
from initcheck.discover.writing import written_call
from initcheck.errors import InitcheckError, NothingToCheck, TargetError, UsageError
from initcheck.records.target import Target
from initcheck.source.cells import left_out, told_in_cells
from initcheck.source.hub import surely_absent
from initcheck.source.notebook import SUFFIX
from initcheck.source.reading import exists, handed_over, python_source

_MODULE = re.compile(r"^([^\W\d]\w*(?:\.[^\W\d]\w*)*):([^:].*)$", re.DOTALL)
_ONE_COLON = re.compile(rf"^(.+(?:\.py|{re.escape(SUFFIX)})):(.+)$", re.DOTALL)
_HUBS = ("huggingface", "hub", "hf_hub", "transformers")


def parse(spec: str) -> tuple[Target, ...]:
    """The targets that one spec stands for; a file or folder may give several.

    The grammar: `PATH`, `PATH::NAME`, `PATH::NAME(literals)`, `pkg.mod:NAME`, `torchvision:NAME`, `timm:NAME`, `hf:DIR_OR_ID`, where a
    path is a Python file, a notebook, a file of weights or a folder.

    Raises:
        InitcheckError: the first problem, when the spec gives no target at all; its hint can be pasted.
    """
    targets, problems = expand(spec)
    if not targets:
        raise problems[0]
    return targets


def single(spec: str) -> Target:
    """The one target that a spec stands for.

    Raises:
        InitcheckError: when it stands for none, or for several; names them.
    """
    targets = parse(spec)
    if len(targets) > 1:
        names = ", ".join(target.spec for target in targets[:5]) + (" …" if len(targets) > 5 else "")
        raise UsageError(f"{spec} holds {len(targets)} models, and one is needed", f"name one: {names}")
    return targets[0]


def expand(spec: str) -> tuple[tuple[Target, ...], tuple[InitcheckError, ...]]:
    """As `parse`, with the problems as values: a folder gives the targets of its good files and the problems of the others."""
    try:
        targets, problems = _expanded(spec)
    except InitcheckError as problem:
        return (), (problem,)
    return tuple(_complete(target) for target in targets), problems


def _expanded(spec: str) -> tuple[tuple[Target, ...], tuple[InitcheckError, ...]]:
    if "::" in spec:
        path, _, name = spec.partition("::")
        _refuse_two_colons(path, name)
        with told_in_cells(path):
            return (named(spec, path, name),), ()
    scheme, _, reference = spec.partition(":")
    if reference and scheme == "hf":
        return (_hugging_face(spec, reference),), ()
    if exists(spec):
        return _file(spec), ()
    if Path(spec).is_dir():
        return folders.in_folder(spec)
    return (_imported(spec),), ()


def _complete(target: Target) -> Target:
    """With the text of a source that is in no file, for those who build the model in another process."""
    if not handed_over(target.path):
        return target
    return dataclasses.replace(target, source=python_source(target.path).decode("utf-8", "surrogateescape"))


def _file(path: str) -> tuple[Target, ...]:
    if stored.holds_weights(path):
        return (stored.target(path),)
    stored.refuse_foreign(path)
    if path.endswith(".json"):
        folder = Path(path).parent
        hint = f"initcheck hf:{folder}" if Path(path).name == "config.json" else "name a Python file, a notebook or weights"
        raise TargetError(f"{path} holds settings, not a model", hint, name="not-python")
    try:
        with told_in_cells(path):
            return targets_of(path)
    except NothingToCheck as empty:
        if not left_out(path):
            raise
        raise NothingToCheck(f"{empty.message}{left_out(path)}", empty.hint) from empty


def _refuse_two_colons(path: str, name: str) -> None:
    """Explains `pkg.mod::Net`, `model::Net` and `weights.pt::Net`.

    Raises:
        TargetError: when another way of writing the target is meant.
    """
    if exists(path):
        if stored.holds_weights(path):
            raise TargetError(f"{path} holds weights, which have no {name}", f"initcheck {path}", name="target-syntax")
        return
    if Path(f"{path}.py").is_file():
        raise TargetError(f"there is no file {path}", f"did you mean {path}.py::{name}?", name="target-syntax")
    if path in ("torchvision", "timm", "hf") or (re.fullmatch(r"[^\W\d]\w*(\.[^\W\d]\w*)+", path) and not path.endswith(".py")):
        raise TargetError(f"there is no file {path}; a module takes one colon", f"did you mean {path}:{name}?", name="target-syntax")


def _imported(spec: str) -> Target:
    wrong_colon = _ONE_COLON.match(spec)
    if wrong_colon:
        path, rest = wrong_colon.groups()
        if not Path(path).is_file():
            raise missing_file(path)
        meant = f"{path}::{rest}" if re.match(r"[^\W\d]\w*(\.\w+)*(\(.*\))?$", rest, re.DOTALL) else path
        raise TargetError(f"no module is named {path}; a file takes two colons", f"did you mean {meant}?", name="target-syntax")
    match = _MODULE.match(spec)
    if match is None or "/" in match[1]:
        raise missing_file(spec)
    module, written = match.groups()
    if module.lower() in _HUBS:
        raise TargetError(f"there is no module {module} that makes {written}", f"did you mean hf:{written}?", name="target-syntax")
    name, arguments = written_call(spec, written)
    return Target(spec, module, name, "library", arguments or "")


def _hugging_face(spec: str, reference: str) -> Target:
    folder = Path(reference).expanduser()
    if folder.is_file() and folder.name == "config.json":
        return Target(spec, "hf", str(folder.parent), "library")
    local = reference.startswith((".", "/", "~")) or folder.is_dir()
    if local and not (folder / "config.json").is_file():
        raise TargetError(f"cannot find {reference}/config.json", "give the folder that save_pretrained wrote", name="file-missing")
    if not local and surely_absent(reference):
        message = f"cannot find the configuration of {reference}: it is no folder, and not in the local Hugging Face cache"
        raise TargetError(message, f"hf download {reference} config.json", name="offline")
    return Target(spec, "hf", reference, "library")
