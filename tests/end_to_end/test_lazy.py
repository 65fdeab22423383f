"""What must not be imported, and when."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.end_to_end.process import NET, environment

HEAVY = ("torch", "numpy", "scipy", "torchvision", "transformers")


def loaded(code, cwd, *arguments):
    """The modules that are loaded after the code has run."""
    tail = "\nimport sys; print('\\n' + 'LOADED ' + ' '.join(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code + tail, *arguments], cwd=cwd, env=environment(), capture_output=True, text=True, check=True
    )
    return set(done.stdout.rpartition("LOADED ")[2].split())


def test_importing_the_package_imports_next_to_nothing(tmp_path):
    modules = loaded("import initcheck; initcheck.__version__; dir(initcheck)", tmp_path)
    assert not modules & {*HEAVY, "click", "tabulate", "dataclasses"}


@pytest.mark.parametrize(
    "module", ["initcheck.testing", "initcheck.integrations.pytest_plugin", "initcheck.worker", "initcheck.config", "initcheck.cli"]
)
def test_the_front_rooms_import_no_torch(tmp_path, module):
    assert not loaded(f"import {module}", tmp_path) & set(HEAVY)


def test_the_plugin_brings_nothing_of_its_own_but_the_package(tmp_path):
    modules = loaded("import initcheck.integrations.pytest_plugin", tmp_path)
    ours = {name for name in modules if name.startswith("initcheck.")}
    assert ours == {"initcheck.integrations", "initcheck.integrations.pytest_plugin"}


MAIN = "from initcheck.cli import main; import sys; sys.argv[0] = 'initcheck'; main()"


@pytest.mark.parametrize(
    ("arguments", "also"),
    [
        (["--help"], ["tabulate"]),
        (["check", "--help"], ["tabulate"]),
        (["--version"], ["tabulate"]),
        (["rule", "IC301"], ["tabulate"]),
        (["rule", "--all"], []),
        (["targets", "model.py"], ["tabulate"]),
        (["plain.py", "--allow-empty"], ["tabulate", "subprocess"]),
        (["missing.py"], ["tabulate"]),
        (["--static", "plain.py", "--allow-empty"], [*HEAVY, "tabulate", "subprocess", "initcheck.rules", "initcheck.source_only"]),
        (["--static", "model.py"], [*HEAVY, "tabulate", "subprocess"]),
        (["--static", "model.py", "--output-format", "json"], [*HEAVY, "tabulate", "subprocess"]),
    ],
)
def test_commands_that_need_no_torch_import_none(tmp_path, arguments, also):
    (tmp_path / "model.py").write_text(NET)
    (tmp_path / "plain.py").write_text("x = 1\n")
    assert not loaded(MAIN, tmp_path, *arguments) & {"torch", *also}


def test_unknown_names_of_the_package_are_attribute_errors():
    import initcheck

    with pytest.raises(AttributeError, match="chekc"):
        _ = initcheck.chekc
    assert {"check", "Report", "__version__"} <= set(dir(initcheck))
