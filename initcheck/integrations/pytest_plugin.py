"""The pytest fixture `initcheck`, bound to the project's configuration; it costs a test run that does not use it nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from initcheck.records.report import Report

MARKER = "initcheck(**settings): settings for the fixture `initcheck` in this test, such as select=['IC1'] or fail_on='error'"


class Checker:
    """What the fixture `initcheck` gives: call it to assert, ask `check` for the report.

    Settings come from the configuration file, then from the marker `initcheck`, then from the call.
    """

    def __init__(self, folder: Path, marked: dict[str, Any]) -> None:
        self._folder = folder
        self._marked = marked

    def __repr__(self) -> str:
        return "<the fixture initcheck>"

    def __call__(self, model_or_factory: object, inputs: object = None, **settings: Any) -> Report:
        """Asserts that a model starts well, as `initcheck.testing.assert_init` does."""
        __tracebackhide__ = True
        from initcheck.testing import require

        report = self.check(model_or_factory, inputs, **settings)
        require(report)
        return report

    def check(self, model_or_factory: object, inputs: object = None, **settings: Any) -> Report:
        """The report, whatever it says; as `initcheck.check`. The random state of Python, NumPy and torch is left as it was."""
        __tracebackhide__ = True
        from initcheck.engine import check

        with _same_random_state():
            return check(model_or_factory, inputs, **{**self._configured(), **self._marked, **settings})

    def _configured(self) -> dict[str, Any]:
        from initcheck.config import load
        from initcheck.records.settings import Settings

        settings, usual = load(self._folder).settings, Settings()
        names = ("select", "ignore", "fail_on", "seed", "batch", "options")
        return {name: getattr(settings, name) for name in names if getattr(settings, name) != getattr(usual, name)}


def pytest_configure(config: pytest.Config) -> None:
    """Declares the marker."""
    config.addinivalue_line("markers", MARKER)


@pytest.fixture(name="initcheck")
def initcheck_fixture(request: pytest.FixtureRequest) -> Checker:
    """Asserts that a model starts well: `initcheck(Net, inputs=x)`."""
    marked: dict[str, Any] = {}
    for marker in reversed(list(request.node.iter_markers("initcheck"))):
        marked.update(marker.kwargs)
    return Checker(request.config.rootpath, marked)


@contextmanager
def _same_random_state() -> Iterator[None]:
    import random

    import numpy as np
    import torch

    python, numpy, cpu = random.getstate(), np.random.get_state(), torch.get_rng_state()  # noqa: NPY002  (the global state is what is kept)
    devices = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else None
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)  # noqa: NPY002
        torch.set_rng_state(cpu)
        if devices is not None:
            torch.cuda.set_rng_state_all(devices)
