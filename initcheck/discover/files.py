"""Reading Python files without running them: encodings, syntax errors, and whether a file is about a model at all."""

from __future__ import annotations

import ast
import hashlib
import io
import os
import re
import shutil
import warnings
from dataclasses import dataclass
from pathlib import Path, PurePath

from initcheck.discover.models import FileModels
from initcheck.errors import TargetError
from initcheck.source.reading import encoding_of, python_source

_TORCH = re.compile(rb"^\s*(?:import|from)\s+[^#\n]*\b(?:torch|torchvision|lightning|pytorch_lightning|transformers|timm)\b", re.MULTILINE)
_SKIPPED_FOLDERS = frozenset({"__pycache__", "node_modules", "site-packages", "build", "dist", "venv", "env"})
_GIT_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A Python file that was read and parsed; `text` is decoded, `digest` is that of the bytes."""

    path: str
    text: str
    tree: ast.Module
    digest: str


def looks_like_model(source: bytes) -> bool:
    """Whether a file defines or builds a PyTorch model, judged by its text alone.

    Cheap for files that never mention torch. A file that cannot be decoded or parsed counts as one when it imports torch: opening it
    then gives the error.
    """
    if not _TORCH.search(source):
        return False
    try:
        tree = parse(source)
    except (SyntaxError, ValueError):
        return True
    models = FileModels(tree)
    return bool(models.module_classes() or models.factories() or models.instances())


def python_files(path: str | os.PathLike[str]) -> tuple[str, ...]:
    """All Python files under a folder, as `source_files`."""
    return source_files(path, (".py",))


def source_files(path: str | os.PathLike[str], endings: tuple[str, ...]) -> tuple[str, ...]:
    """The files under a folder with one of the endings, sorted; a file stands for itself. Hidden folders and environments are left out.

    In a git repository those that git tracks, or would: what it ignores was made by a program.
    """
    if Path(path).is_file():
        return (os.fspath(path),)
    listed = _listed_by_git(path, endings)
    return tuple(sorted(listed or _walked(path, endings)))


def _walked(path: str | os.PathLike[str], endings: tuple[str, ...]) -> list[str]:
    found: list[str] = []
    for folder, names, files in os.walk(path):
        names[:] = sorted(
            name for name in names if not name.startswith(".") and name not in _SKIPPED_FOLDERS and not _environment(folder, name)
        )
        found += [os.path.join(folder, name) for name in files if name.endswith(endings)]  # noqa: PTH118  (keeps the user's spelling)
    return [name for name in found if Path(name).is_file()]  # a pipe of such a name would be waited for


def _listed_by_git(path: str | os.PathLike[str], endings: tuple[str, ...]) -> list[str]:
    """Empty where there is no repository or no git, and for a folder that git ignores: whoever names it means it."""
    import subprocess

    git = shutil.which("git")
    if git is None or not any((folder / ".git").exists() for folder in (Path(path).resolve(), *Path(path).resolve().parents)):
        return []
    # a repository may name programs that watch its files; none of them is started
    command = [git, "-c", "core.fsmonitor=false", "-C", os.fspath(path), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(command, capture_output=True, check=False, timeout=_GIT_SECONDS)  # noqa: S603  (no shell, nothing of the user)
    except (OSError, subprocess.TimeoutExpired):
        return []
    names = {os.fsdecode(name) for name in listed.stdout.split(b"\0") if name} if listed.returncode == 0 else set()
    found = [os.path.join(path, name) for name in names if name.endswith(endings) and not _skipped(path, name)]  # noqa: PTH118
    return [name for name in found if Path(name).is_file()]


def _skipped(root: str | os.PathLike[str], name: str) -> bool:
    """Whether a file lies in a folder that is left out."""
    folders = PurePath(name).parts[:-1]
    return any(
        part.startswith(".") or part in _SKIPPED_FOLDERS or _environment(os.path.join(root, *folders[:index]), part)  # noqa: PTH118
        for index, part in enumerate(folders)
    )


def read(path: str | os.PathLike[str]) -> SourceFile:
    """The parsed file.

    Raises:
        TargetError: when there is no such file, or it is not valid Python; names the line and the cause.
    """
    shown = os.fspath(path)
    try:
        data = python_source(shown)
    except OSError as error:
        raise TargetError(f"cannot read {shown}: {error.strerror}", "check the path and its permissions", name="file-missing") from error
    try:
        tree, text = parse(data, shown), decode(data)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        message = f"cannot read {shown}: line {line} is not valid {error.encoding} ({error.reason})"
        raise TargetError(message, "save the file as UTF-8, or declare its encoding: # -*- coding: latin-1 -*-", name="encoding") from error
    except (RecursionError, MemoryError) as error:
        raise too_deep(shown) from error
    except (SyntaxError, ValueError) as error:
        raise _syntax_error(shown, error) from error
    return SourceFile(shown, text, tree, digest(data))


def too_deep(path: str) -> TargetError:
    """What is said of a source whose expressions lie in one another thousands of times."""
    hint = f"python -m py_compile {path} tells whether Python can read it; a long sum can be written as sum([...]) or ''.join([...])"
    return TargetError(f"cannot read {path}: its expressions are nested too deeply", hint, name="syntax-error")


def parse(source: bytes | str, path: str = "<source>") -> ast.Module:
    """The syntax tree, with line and column numbers of the source; an encoding declaration is respected."""
    if isinstance(source, bytes):
        source = decode(source)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the user's invalid escapes are not what was asked about
        return ast.parse(source, path)


def decode(source: bytes) -> str:
    """The text of a Python source: UTF-8, or what PEP 263 declares."""
    return io.TextIOWrapper(io.BytesIO(source), encoding_of(source)).read()


def digest(source: bytes) -> str:
    """A short fingerprint of the bytes of a file."""
    return hashlib.blake2b(source, digest_size=8).hexdigest()


def _environment(folder: str, name: str) -> bool:
    return Path(folder, name, "pyvenv.cfg").exists()


def _syntax_error(path: str, error: SyntaxError | ValueError) -> TargetError:
    if not isinstance(error, SyntaxError):
        return TargetError(f"cannot read {path}: {error}", "is it a Python file?", name="syntax-error")
    where = f"{path}:{error.lineno}" if error.lineno else path
    cause = f"{type(error).__name__}: {error.msg}"
    text = f"\n    {error.text.strip()[:200]}" if error.text and error.text.strip() else ""
    if "encoding" in error.msg and not text:
        return TargetError(f"cannot read {where}: {cause}", "declare an encoding that Python knows, or save as UTF-8", name="encoding")
    return TargetError(f"cannot read {where}: {cause}{text}", f"python -m py_compile {path}", name="syntax-error")
