"""What the user names on the command line, turned into targets; nothing is imported or executed."""

from __future__ import annotations

import re
from pathlib import Path

from initcheck.discover import files
from initcheck.discover.in_file import missing_file, named, targets_of
from initcheck.discover.writing import written_call
from initcheck.errors import InitcheckError, NothingToCheck, TargetError
from initcheck.records.target import Target

_MODULE = re.compile(r"^([^\W\d]\w*(?:\.[^\W\d]\w*)*):([^:].*)$", re.DOTALL)
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
            return (named(spec, path, name),), ()
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
    if Path(path).suffix in _WEIGHTS:
        raise TargetError(
            f"{path} holds weights, not a model", "name the file that defines the model: initcheck model.py::Net", name="not-python"
        )
    if Path(path).suffix == ".ipynb":
        hint = f"jupyter nbconvert --to script {path}"
        raise TargetError(f"{path} is a notebook; initcheck reads Python files", hint, name="not-python")
    return targets_of(path)


def _imported(spec: str) -> Target:
    wrong_colon = re.match(r"^(.+\.py):([^\W\d].*)$", spec, re.DOTALL)
    if wrong_colon:
        path, name = wrong_colon.groups()
        if Path(path).is_file():
            raise TargetError(f"no module is named {path}; a file takes two colons", f"did you mean {path}::{name}?", name="target-syntax")
        raise missing_file(path)
    match = _MODULE.match(spec)
    if match is None or "/" in match[1]:
        raise missing_file(spec)
    module, written = match.groups()
    name, arguments = written_call(spec, written)
    return Target(spec, module, name, "library", arguments or "")


def _hugging_face(spec: str, reference: str) -> Target:
    if reference.startswith((".", "/", "~")) and not (Path(reference).expanduser() / "config.json").is_file():
        raise TargetError(f"cannot find {reference}/config.json", "give the folder that save_pretrained wrote", name="file-missing")
    return Target(spec, "hf", reference, "library")
