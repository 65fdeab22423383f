"""Files that ask for an accelerator, on a machine without one."""

import pytest
import torch
from torch import nn

import initcheck
from tests.unit.construct.stand_ins.building import TORCH, build, fails, net

__all__ = ["build", "fails"]

pytestmark = pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without CUDA")

ASKING = [
    ("self.p = nn.Parameter(torch.cuda.FloatTensor(3).fill_(1))", "cuda"),
    ("self.p = nn.Parameter(torch.zeros(3).type(torch.cuda.DoubleTensor))", "cuda"),
    ("self.p = nn.Parameter(torch.zeros(3).type('torch.cuda.HalfTensor'))", "cuda"),
    ("torch.set_default_tensor_type('torch.cuda.FloatTensor')", "cuda"),
    ("torch.set_default_tensor_type(torch.cuda.FloatTensor)", "cuda"),
    ("self.p = nn.Parameter(torch.zeros(3).to(0))", "cuda"),
    ("self.p = nn.Parameter(torch.zeros(3, device=0))", "cuda"),
    ("self.p = nn.Parameter(torch.zeros(3, device=torch.cuda.current_device()))", "cuda"),
    ("self.l = nn.Linear(3, 3).to(torch.cuda.current_device())", "cuda"),
    ("self.l = nn.Linear(3, 3).to('mps')", "mps"),
    ("self.l = nn.Linear(3, 3).to(torch.device('xpu', 0))", "xpu"),
    ("self.l = nn.Linear(3, 3).to('npu:0')", "npu"),
    ("self.l = nn.Linear(3, 3).to(device='hpu')", "hpu"),
    ("self.l = nn.Linear(3, 3, device='xla')", "xla"),
    ("self.p = nn.Parameter(torch.zeros(3).pin_memory())", "cuda"),
    ("self.p = nn.Parameter(torch.zeros(3, pin_memory=True))", "cuda"),
    ("self.p = nn.Parameter(torch.rand(3, generator=torch.Generator(device='cuda')))", "cuda"),
    ("assert torch.cuda.is_available(), 'no GPU'", "cuda"),
    ("if not torch.cuda.is_available():", "cuda"),
    ("assert torch.cuda.device_count() >= 1", "cuda"),
]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("line", "device"), ASKING)
def test_built_on_cpu_with_one_note(build, line, device):
    lines = [line, "    raise RuntimeError('no GPU')"] if line.startswith("if") else [line]
    made = build(net(*lines, "self.k = nn.Linear(1, 1).cuda()"), "Net")
    assert {parameter.device.type for parameter in made.model.parameters()} == {"cpu"}
    assert made.built.notes == (f"line 7 asks for {device}; built on cpu (initial weights do not depend on it)",)
    assert torch.empty(0).device.type == "cpu"


SILENT = [
    "self.where = 'cuda' if torch.cuda.is_available() else 'cpu'\n        assert self.where == 'cpu'",
    "if torch.cuda.is_available(): raise ValueError",
    "torch.cuda.manual_seed_all(3); torch.cuda.manual_seed(3); torch.cuda.empty_cache(); torch.cuda.synchronize()",
    "print(torch.cuda.get_device_name(0), torch.cuda.get_device_properties(0).total_memory, torch.cuda.mem_get_info())",
    "s = torch.cuda.Stream(); s.wait_stream(torch.cuda.current_stream())",
    "with torch.cuda.stream(torch.cuda.Stream()): pass",
    "e = torch.cuda.Event(enable_timing=True); e.record()",
    "assert torch.cuda.get_device_capability() < (8, 0)",
    "assert not next(nn.Linear(2, 2).parameters()).is_cuda",
    "assert isinstance(nn.DataParallel(nn.Linear(2, 2), device_ids=[0, 1]).module, nn.Linear)",
    "import torch.distributed as dist; dist.init_process_group('nccl'); assert (dist.get_rank(), dist.get_world_size()) == (0, 1)",
    "assert isinstance(nn.parallel.DistributedDataParallel(nn.Linear(2, 2), device_ids=[0]).module, nn.Linear)",
    "assert isinstance(torch.Generator(), torch.Generator) and not isinstance(3, torch.Generator)",
    "self.h = nn.Linear(2, 2).half()",
    "self.scaler = torch.amp.GradScaler('cuda')",
]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("line", SILENT)
def test_questions_are_answered_for_the_cpu(build, line):
    made = build(net(line), "Net")
    assert sum(parameter.numel() for name, parameter in made.model.named_parameters() if name.startswith("fc")) == 10
    assert made.built.notes == ()


def test_a_model_spread_over_processes_is_the_model(build):
    source = f"{TORCH}from torch.nn.parallel import DistributedDataParallel as DDP\nmodel = DDP(nn.Linear(4, 2).cuda(), device_ids=[0])\n"
    assert isinstance(build(source, "model").model, nn.Linear)


def test_everything_is_as_before(build):
    before = {name: getattr(torch.cuda, name) for name in dir(torch.cuda)}
    others = (torch.Generator, torch.set_default_tensor_type, nn.Module.to, nn.parallel.DistributedDataParallel, torch.distributed.get_rank)
    build(net("self.l = nn.Linear(2, 2).cuda()"), "Net")
    assert {name: getattr(torch.cuda, name) for name in dir(torch.cuda)} == before
    assert others == (
        torch.Generator,
        torch.set_default_tensor_type,
        nn.Module.to,
        nn.parallel.DistributedDataParallel,
        torch.distributed.get_rank,
    )


def test_the_forward_runs_on_cpu_too(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    forward = "    def forward(self, x):\n        h = torch.zeros(len(x), 4, device='cuda')\n        return self.fc(x.cuda() + h.to(0))\n"
    (tmp_path / "model.py").write_text(net() + forward)
    (report,) = initcheck.check("model.py::Net").models
    assert not report.failures
    assert report.built.notes == ("line 9 asks for cuda; run on cpu",)


def test_where_the_write_came_from_is_still_known(build):
    from initcheck.construct.recording.recorder import Recorder

    recorder = Recorder()
    made = build(net("self.l = nn.Linear(3, 3).to('cuda', torch.float64)", "nn.init.ones_(self.l.weight.cuda())"), "Net", watch=recorder)
    record = recorder.resolve(made.model).parameter("l.weight")
    assert record.writes[-1].location.get().line == 8
    assert str(record.ruling().call.get()).startswith("ones_")
