"""What the user may set; each value knows nothing of where it came from, `config` does."""

from __future__ import annotations

from dataclasses import dataclass

from initcheck.records.finding import Severity

LOADERS = ("auto", "slice", "import", "static")
"""How a file becomes a model: `slice` runs what the model depends on, `import` the whole file, `static` nothing; `auto` slices, and falls
back on what the source says."""

SCRATCH = "_INITCHECK_SCRATCH"
"""The environment variable by which the worker says that a process is the target's own, and names the folder that may be written to."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings in force for one run.

    `select` and `ignore` hold codes, code prefixes or names; `inputs` the texts of `--input`; `batch` 0 means chosen by model size;
    `timeout` seconds per target; `options` holds ("rule-name.option", value) pairs; `jobs` targets at the same time, 0 for as many as
    there are cores; `max_memory` a size or a share of the available memory; `trust` lets user code write, connect and start
    programs; `trust_pickle` lets files be opened that can run code. `loader` is one of `LOADERS`.
    `meta` compares the model with one that goes over the meta device.
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
    jobs: int = 0
    max_memory: str = "80%"
    trust: bool = False
    trust_pickle: bool = False
    meta: bool = False
