"""The fixture `initcheck` and `assert_init`, in a test suite of their own."""

import subprocess
import sys

SUITE = """
import torch
from torch import nn
from initcheck.testing import assert_init

def faulty():
    model = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 4))
    nn.init.xavier_uniform_(model[0].weight)
    return model

def healthy():
    model = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 4))
    nn.init.kaiming_uniform_(model[0].weight)
    return model

def test_faulty(initcheck):
    initcheck(faulty)

def test_faulty_by_assertion():
    assert_init(faulty, torch.randn(32, 8))

def test_ignored(initcheck):
    initcheck(faulty, ignore=["scheme-nonlinearity-mismatch"])

def test_healthy(initcheck):
    state = torch.get_rng_state()
    initcheck(healthy, torch.randn(4, 8))
    report = initcheck.check(healthy)
    assert report.ok

def test_random_state(initcheck):
    torch.manual_seed(1)
    initcheck.check(healthy)
    first = torch.rand(3)
    torch.manual_seed(1)
    assert torch.equal(first, torch.rand(3))
"""


def test_a_suite(tmp_path):
    (tmp_path / "test_net.py").write_text(SUITE)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "2 failed, 3 passed" in done.stdout, done.stdout
    assert "IC201" in done.stdout
    assert "scheme-nonlinearity-mismatch" in done.stdout


def test_a_suite_that_does_not_use_it_never_imports_torch(tmp_path):
    (tmp_path / "test_plain.py").write_text("import sys\n\ndef test_nothing():\n    assert 'torch' not in sys.modules\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:hypothesispytest"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "1 passed" in done.stdout, done.stdout
