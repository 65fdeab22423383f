"""Every example is checked as its reader would check it; each line at fault carries the code that must be found there."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.marks import expected

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.py"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example(path, tmp_path):
    marks = expected(path)
    before = sorted(path.parent.iterdir())
    command = [sys.executable, "-m", "initcheck", str(path), "--output-format", "json"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == (1 if marks else 0), done.stdout + done.stderr
    report = json.loads(done.stdout)
    loud = [finding for model in report["models"] for finding in model["findings"] if finding["severity"] != "info"]
    assert {(finding["location"]["line"], finding["code"]) for finding in loud} == marks
    assert sorted(path.parent.iterdir()) == before
    assert not [path for path in tmp_path.iterdir() if path.name != ".initcheck_cache"]
