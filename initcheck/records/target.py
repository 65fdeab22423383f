"""What is checked, and how it was built."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from initcheck.records.source import Location

TargetKind = Literal["class", "factory", "instance", "library", "module", "callable", "program", "weights"]


@dataclass(frozen=True, slots=True)
class Recipe:
    """Which top-level statements of a file have to run for one model to exist.

    `keep` holds their positions in the module body, in order; `statements` is the length of that body. `skipped` names what does
    not run and matters to the reader. `expression` at `line` (from 1, 0 means not known) builds the model. `digest` is that of the
    source that was sliced, so that a file that changed since is noticed. `unneeded` are names that a kept `import a, b` need not bind.

    `chain` names the functions that were opened (`("__main__", "main")`): positions then count in the flattened body. `call` is an
    expression that makes the model once `keep` ran, with `...` for arguments that nobody knows (empty when `keep` makes it); its value
    gets the name `bind`, and then `after` runs. `seen` is the file that `line` is in, when it is another one. `unknown` are global names
    that rest on data: they get guessed values before anything runs.
    """

    keep: tuple[int, ...]
    statements: int
    skipped: tuple[str, ...] = ()
    expression: str = ""
    line: int = 0
    column: int = 0
    digest: str = ""
    unneeded: tuple[str, ...] = ()
    chain: tuple[str, ...] = ()
    call: str = ""
    bind: str = ""
    after: tuple[int, ...] = ()
    seen: str = ""
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fill:
    """What to load into a model once it is built: `source` as it was typed, `renames` as `OLD=NEW`.

    `strict`: everything has to fit. `out` is an empty file that is there already, for the filled model; `format` how it is written.
    """

    source: str
    renames: tuple[str, ...] = ()
    strict: bool = False
    fix_missing: bool = False
    out: str = ""
    format: Literal["safetensors", "torch"] = "torch"


@dataclass(frozen=True, slots=True)
class Target:
    """One model to check.

    `spec` is what the user typed or would type to get this very model (`model.py::Net`); `path` the file (or the
    importable module for `library`), `qualname` the name inside it, `arguments` the literal constructor arguments
    as source text, `inputs` the value of `--input`. For a `program`, `path` is the script (or, with `qualname` `-m`, the name of the
    module) and `arguments` its command line as a JSON list.
    `recipe` says what to execute of a file; `None` for what is imported whole.
    `others` are further recipes, tried in order when the first fails. `hints` are (name, literal) pairs that the source connects with
    names of arguments, `examples` sample inputs that it shows, written as for `--input`. `source` is a text that stands for the file
    (what came on standard input), empty for what lies there. `fill` is what to load into the model before it is judged.
    """

    spec: str
    path: str
    qualname: str
    kind: TargetKind
    arguments: str = ""
    inputs: tuple[str, ...] = ()
    recipe: Recipe | None = None
    others: tuple[Recipe, ...] = ()
    hints: tuple[tuple[str, str], ...] = ()
    examples: tuple[str, ...] = ()
    source: str = ""
    fill: Fill | None = None


@dataclass(frozen=True, slots=True)
class Built:
    """How the model came to be: shown on the `built` line.

    `executed` of `statements` top-level statements ran; `skipped` names what did not run and matters to the reader
    (`training loop (line 32)`); `notes` are remarks such as `line 6 asks for cuda; built on cpu`. `guessed` are the arguments that
    nobody gave (`hidden=64`): the model is of the user's class, its sizes are not the user's. `source_only`: nothing was
    built, the source was read. `stopped` says how far a program ran
    (`ran until the first optimizer step (train.py:88)`).
    """

    expression: str
    location: Location | None = None
    executed: int = 0
    statements: int = 0
    skipped: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    guessed: tuple[str, ...] = ()
    source_only: bool = False
    stopped: str = ""


@dataclass(frozen=True, slots=True)
class InputSummary:
    """The sample input of the measured run: `text` such as `float32[32,784]`, `origin` such as `inferred from fc1.in_features`."""

    text: str
    origin: str
    batch: int = 0
