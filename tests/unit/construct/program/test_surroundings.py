"""What a program finds around it, and what is left afterwards."""

import builtins
import sys

import pytest
import torch

from initcheck.errors import TargetError
from tests.unit.construct.program.programs import NET, PLAIN, names, program, run


def test_everything_is_as_before_afterwards(tmp_path):
    torch.optim.SGD([torch.zeros(1)])  # torch itself wraps the step of a class when it is first used
    module, optimizer, loader = torch.nn.Module, torch.optim.Optimizer, torch.utils.data.DataLoader
    before = (
        module.__init__, module.__call__, module.__setstate__, optimizer.__init__, torch.optim.SGD.step, loader.__init__,
        torch.autograd.backward, torch.autograd.grad, torch.compile, sys.modules["__main__"], list(sys.path), list(sys.argv), sys.stdin,
    )  # fmt: skip
    run(program(tmp_path, PLAIN.replace("Adam", "SGD") + "\n", "train.py"))
    after = (
        module.__init__, module.__call__, module.__setstate__, optimizer.__init__, torch.optim.SGD.step, loader.__init__,
        torch.autograd.backward, torch.autograd.grad, torch.compile, sys.modules["__main__"], list(sys.path), list(sys.argv), sys.stdin,
    )  # fmt: skip
    assert before == after
    assert torch.is_grad_enabled()


def test_a_module_of_a_package(tmp_path, monkeypatch):
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "__init__.py").touch()
    program(tmp_path / "project", "", "models.py")
    program(tmp_path / "project", f"from .models import *\nfrom .models import F\n{PLAIN}", "__main__.py", before="")
    monkeypatch.chdir(tmp_path)
    (report,) = run("project", module=True)
    assert report.target.spec == "project::model"
    assert report.built.location.path.endswith("__main__.py")
    with pytest.raises(TargetError, match="no module project.nothing is found"):
        run("project.nothing", module=True)
    for name in [name for name in sys.modules if name.partition(".")[0] == "project"]:
        del sys.modules[name]


def test_workers_of_a_loader_are_not_started(tmp_path):
    text = """
from torch.utils.data import DataLoader, TensorDataset
loader = DataLoader(TensorDataset(*batch(32)), 4, True, None, None, 4, prefetch_factor=2, persistent_workers=True, timeout=5)
assert loader.num_workers == 0
model = Net()
optimizer = torch.optim.SGD(model.parameters(), 0.1)
for x, y in loader:
    F.cross_entropy(model(x), y).backward()
"""
    (report,) = run(program(tmp_path, text))
    assert report.input.text == "float32[4,6]"


def test_spawned_training_runs_as_the_only_process(tmp_path):
    text = """
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel

def work(rank, world_size):
    dist.init_process_group("nccl", rank=rank, world_size=world_size)
    assert dist.get_world_size() == 1
    net = DistributedDataParallel(Net().to("cpu"), device_ids=[rank])
    optimizer = torch.optim.SGD(net.parameters(), 0.1)
    x, y = batch()
    F.cross_entropy(net(x), y).backward()

if __name__ == "__main__":
    torch.multiprocessing.spawn(work, args=(4,), nprocs=4)
"""
    (report,) = run(program(tmp_path, text))
    assert report.model == "Net"
    assert names([report]) == ["net"]
    assert report.built.notes == ("work ran in one process instead of 4", "the process group has one process")


def test_processes_that_share_a_model(tmp_path):
    text = """
import torch.multiprocessing as mp

def work(rank, model):
    assert rank == 0
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    x, y = batch()
    F.cross_entropy(model(x), y).backward()

if __name__ == "__main__":
    model = Net()
    model.share_memory()
    workers = [mp.Process(target=work, args=(rank, model)) for rank in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
"""
    (report,) = run(program(tmp_path, text))
    assert names([report]) == ["model"]
    assert report.built.notes == ("work ran in this process, and alone",)


def test_plots_stay_closed(tmp_path):
    (tmp_path / "matplotlib").mkdir()
    (tmp_path / "matplotlib" / "__init__.py").write_text("def use(backend):\n    raise ImportError(backend)\n")
    (tmp_path / "matplotlib" / "pyplot.py").write_text("def show():\n    raise RuntimeError('a window')\n")
    text = "import matplotlib\nmatplotlib.use('TkAgg')\nfrom matplotlib import pyplot as plt\nplt.show()\n"
    held = {name: sys.modules.pop(name) for name in list(sys.modules) if name.partition(".")[0] == "matplotlib"}
    try:
        (report,) = run(program(tmp_path, text + NET + PLAIN, before=""))
    finally:
        for name in [name for name in sys.modules if name.partition(".")[0] == "matplotlib"]:
            del sys.modules[name]
        sys.modules.update(held)
    assert names([report]) == ["model"]


def test_a_block_for_one_device_runs(tmp_path):
    if torch.cuda.is_available():
        pytest.skip("there is a gpu")
    text = PLAIN.replace("loss.backward()", "\n    with torch.cuda.device(0):\n        loss.backward()")
    (report,) = run(program(tmp_path, text))
    assert report.built.stopped.startswith("ran until the first backward pass")


def test_cuda_is_answered_with_the_cpu(tmp_path):
    if torch.cuda.is_available():
        pytest.skip("there is a gpu")
    path = program(tmp_path, PLAIN.replace("Net(24)", "Net(24).to(torch.device('cuda'))"))
    (report,) = run(path)
    line = path.read_text().splitlines().index("model = Net(24).to(torch.device('cuda'))") + 1
    assert report.built.notes == (f"{path}:{line} asks for cuda; built on cpu (initial weights do not depend on it)",)


def test_the_program_is_main(tmp_path):
    text = """
import pickle, sys
assert __name__ == "__main__" and sys.modules["__main__"].Net is Net and sys.argv[1:] == ["a b", "--c"]
assert pickle.loads(pickle.dumps(Net)) is Net and __file__.endswith("train.py") and sys.path[0] == FOLDER
"""
    run(program(tmp_path, text.replace("FOLDER", repr(str(tmp_path))) + PLAIN), "a b", "--c")
    assert "Net" not in vars(builtins)
