"""What a folder offers: the models of its Python files and notebooks, else the weights that lie in it."""

from __future__ import annotations

from initcheck.discover import files, stored
from initcheck.discover.in_file import targets_of
from initcheck.errors import InitcheckError, NothingToCheck, TargetError
from initcheck.records.target import Target
from initcheck.source.cells import told_in_cells
from initcheck.source.notebook import SUFFIX
from initcheck.source.reading import python_source


def in_folder(spec: str) -> tuple[tuple[Target, ...], tuple[InitcheckError, ...]]:
    """The targets of the good files, and the problems of the others, each told once."""
    targets: list[Target] = []
    problems: list[InitcheckError] = []
    for path in files.source_files(spec, (".py", SUFFIX)):
        try:
            if files.looks_like_model(python_source(path)):
                with told_in_cells(path):
                    targets += targets_of(path)
        except NothingToCheck:
            continue
        except InitcheckError as problem:
            problems.append(problem)
        except OSError as error:
            problems.append(TargetError(f"cannot read {path}: {error.strerror}", "check its permissions", name="file-missing"))
    if not targets and not problems:
        targets += stored.in_folder(spec)
    if not targets and not problems:
        problems.append(_empty(spec))
    return tuple(targets), tuple(problems)


def _empty(spec: str) -> InitcheckError:
    if stored.is_saved_model(spec):
        message = f"{spec} holds a configuration without weights, and no Python file"
        return TargetError(message, f"initcheck hf:{spec}", name="target-syntax")
    return NothingToCheck(f"no model in any Python file or notebook under {spec}", "name one: initcheck path/to/model.py::Net")
