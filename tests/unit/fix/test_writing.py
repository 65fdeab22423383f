import os
import signal
import subprocess
import sys
import time

import pytest

from initcheck.errors import TargetError
from initcheck.files import SUFFIX
from initcheck.fix.writing import write

KILLED = """
import os, pathlib, signal, sys, tempfile
from initcheck.fix import writing

left = [int(sys.argv[1])]

def deadly(function):
    def call(*args, **kwargs):
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*args, **kwargs)
    return call

for owner, name in ((os, "fsync"), (pathlib.Path, "write_bytes"), (pathlib.Path, "replace"), (pathlib.Path, "chmod"),
                    (pathlib.Path, "unlink"), (tempfile, "mkstemp")):
    setattr(owner, name, deadly(getattr(owner, name)))
old = {f"{n}.py": b"old %d" % n for n in range(3)}
new = {f"{n}.py": b"new %d" % n * 1000 for n in range(3)}
writing.write(new, old)
print("done")
"""

REPEATED = """
import sys
from initcheck.fix.writing import write
old, new = b"x = 1\\n" * 400_000, b"y = 2\\n" * 500_000
print("ready", flush=True)
while True:
    write({"a.py": new}, {"a.py": old})
    write({"a.py": old}, {"a.py": new})
"""


def test_all_files_get_their_new_contents_and_keep_their_modes(tmp_path):
    first, second = tmp_path / "a.py", tmp_path / "b.py"
    first.write_bytes(b"a")
    second.write_bytes(b"b")
    first.chmod(0o754)
    write({str(first): b"A\r\n", str(second): b"B"}, {str(first): b"a", str(second): b"b"})
    assert (first.read_bytes(), second.read_bytes()) == (b"A\r\n", b"B")
    assert first.stat().st_mode & 0o777 == 0o754
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.py", "b.py"]


def test_a_link_stays_one_and_its_file_is_written(tmp_path):
    (tmp_path / "real.py").write_bytes(b"a")
    link = tmp_path / "link.py"
    link.symlink_to("real.py")
    write({str(link): b"b"}, {str(link): b"a"})
    assert link.is_symlink() and (tmp_path / "real.py").read_bytes() == b"b"


def test_a_file_that_changed_in_the_meantime_stops_all(tmp_path):
    first, second = tmp_path / "a.py", tmp_path / "b.py"
    first.write_bytes(b"a")
    second.write_bytes(b"edited")
    with pytest.raises(TargetError, match="changed while") as caught:
        write({str(first): b"A", str(second): b"B"}, {str(first): b"a", str(second): b"b"})
    assert caught.value.name == "changed"
    assert (first.read_bytes(), second.read_bytes()) == (b"a", b"edited")
    assert len(list(tmp_path.iterdir())) == 2


def test_what_was_written_already_is_put_back_when_a_later_file_fails(tmp_path, monkeypatch):
    first, second = tmp_path / "a.py", tmp_path / "b.py"
    first.write_bytes(b"a")
    second.write_bytes(b"b")
    true = type(first).replace

    def replace(self, target):
        if target == second:
            raise OSError(28, "No space left on device", str(target))
        return true(self, target)

    monkeypatch.setattr(type(first), "replace", replace)
    with pytest.raises(TargetError, match="No space left") as caught:
        write({str(first): b"A", str(second): b"B"}, {str(first): b"a", str(second): b"b"})
    assert caught.value.name == "not-writable"
    assert (first.read_bytes(), second.read_bytes()) == (b"a", b"b")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.py", "b.py"]


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no such signal here")
def test_a_kill_at_any_step_leaves_each_file_whole(tmp_path):
    survived = False
    for step in range(1, 60):
        for number in range(3):
            (tmp_path / f"{number}.py").write_bytes(b"old %d" % number)
        ended = subprocess.run([sys.executable, "-c", KILLED, str(step)], cwd=tmp_path, capture_output=True, check=False)
        for number in range(3):
            assert (tmp_path / f"{number}.py").read_bytes() in (b"old %d" % number, b"new %d" % number * 1000)
        for draft in tmp_path.glob(f".*{SUFFIX}"):
            draft.unlink()
        if ended.returncode == 0:
            survived = True
            break
        assert ended.returncode == -signal.SIGKILL, ended.stderr
    assert survived and step > 10


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no such signal here")
def test_a_kill_at_any_moment_leaves_the_file_whole(tmp_path):
    old, new = b"x = 1\n" * 400_000, b"y = 2\n" * 500_000
    for pause in (0.01, 0.05, 0.03, 0.12, 0.2):
        (tmp_path / "a.py").write_bytes(old)
        process = subprocess.Popen([sys.executable, "-c", REPEATED], cwd=tmp_path, stdout=subprocess.PIPE)
        process.stdout.readline()
        time.sleep(pause)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()
        assert (tmp_path / "a.py").read_bytes() in (old, new)
