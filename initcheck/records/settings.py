"""What the user may set; each value knows nothing of where it came from, `config` does."""

from __future__ import annotations

from dataclasses import dataclass

from initcheck.records.finding import Severity

LOADERS = ("auto", "slice", "import", "static")
"""How a file becomes a model: `slice` runs what the model depends on, `import` the whole file, `static` nothing; `auto` slices, and falls
back on what the source says."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings in force for one run.

    `select` and `ignore` hold codes, code prefixes or names; `inputs` the texts of `--input`; `batch` 0 means chosen by model size;
    `timeout` seconds per target; `options` holds ("rule-name.option", value) pairs. `loader` is one of `LOADERS`.
    `trust_pickle` opens pickled objects, which can run any code.
    """

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    fail_on: Severity = "warning"
    inputs: tuple[str, ...] = ()
    seed: int = 0
    batch: int = 0
    timeout: float = 120.0
    options: tuple[tuple[str, float], ...] = ()
    loader: str = "auto"
    trust_pickle: bool = False
