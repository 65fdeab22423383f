import builtins
import sys

import pytest
import torch

from initcheck import engine
from initcheck.errors import NothingToCheck, TargetError
from tests.unit.construct.programs import NET, names, program, run

LOOP = """
for epoch in range(3):
    x, y = batch()
    optimizer.zero_grad()
    loss = F.cross_entropy(model(x), y)
    loss.backward()
    optimizer.step()
    print("a step was made")
"""
PLAIN = f"""
model = Net(24)
optimizer = torch.optim.Adam(model.parameters())
{LOOP}"""


def test_a_script_runs_until_its_first_backward_pass(tmp_path, capfd):
    path = program(tmp_path, PLAIN)
    (report,) = run(path)
    line = next(number for number, text in enumerate(path.read_text().splitlines(), 1) if "backward" in text)
    assert report.target.spec == f"{path}::model"
    assert report.model == "Net"
    assert report.built.expression == "Net(24)"
    assert report.built.location.line == path.read_text().splitlines().index("model = Net(24)") + 1
    assert report.built.stopped == f"ran until the first backward pass ({path}:{line})"
    assert (report.input.text, report.input.origin) == ("float32[8,6]", f"first batch of {path}")
    assert not report.failures
    assert "a step was made" not in "".join(capfd.readouterr())
    assert [file.name for file in tmp_path.iterdir()] == ["train.py"]


def test_the_recording_is_that_of_a_plain_check(tmp_path):
    after = """
for module in model.modules():
    if isinstance(module, nn.Linear):
        nn.init.normal_(module.weight, std=0.02)
nn.init.zeros_(model.last.bias)
"""
    (ran,) = run(program(tmp_path, PLAIN.replace("optimizer = ", after + "optimizer = ")))
    checked = engine.check(f"{program(tmp_path, f'model = Net(24){after}', 'model.py')}::model").models[0]
    assert [_writes(one) for one in ran.recording.parameters] == [_writes(one) for one in checked.recording.parameters]
    assert ran.recording.parameter("first.weight").ruling().origin == "user"
    assert [layer.std for layer in ran.layers] == [layer.std for layer in checked.layers]
    assert [finding.code for finding in ran.findings if finding.code[:3] != "IC1"] == [
        finding.code for finding in checked.findings if finding.code[:3] != "IC1"
    ]


def _writes(record):
    return record.name, record.unwritten, [(one.call, one.origin, one.extent, one.lineage) for one in record.writes]


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


def test_main_with_arguments(tmp_path):
    text = """
import argparse

def train(net, optimizer):
    x, y = batch(4)
    F.cross_entropy(net(x), y).backward()
    optimizer.step()

def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", required=True)
    parser.add_argument("--hidden", type=int)
    args = parser.parse_args()
    classifier = Net(args.hidden)
    train(classifier, torch.optim.Adam(classifier.parameters()))

if __name__ == "__main__":
    main()
"""
    path = program(tmp_path, text)
    (report,) = run(path, "--data", "here", "--hidden", "5")
    assert names([report]) == ["classifier"]
    assert report.layers[0].shape == (5, 6)
    assert report.built.expression == "Net(args.hidden)"
    with pytest.raises(TargetError, match="arguments are required: --data") as error:
        run(path, "--hidden", "5")
    assert error.value.hint == f"initcheck run {path} --hidden 5 --data DATA"


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


GAN = """
class Generator(Net):
    def __init__(self):
        super().__init__()
        self.last = nn.Linear(16, 6)

generator, critic = Generator(), Net()
for net in (generator, critic):
    net.apply(lambda module: nn.init.normal_(module.weight, 0, 0.02) if isinstance(module, nn.Linear) else None)
of_critic = torch.optim.Adam(critic.parameters())
of_generator = torch.optim.Adam(generator.parameters())
real = critic(torch.randn(5, 6)).mean()
real.backward()
of_critic.step()
for parameter in critic.parameters():
    parameter.data.clamp_(-0.01, 0.01)
fake = generator(torch.randn(7, 6))
critic(fake.detach()).mean().backward()
of_critic.step()
print("the second step was made")
"""


def test_a_pair_of_models_is_waited_for_without_training(tmp_path, capfd):
    first, second = run(program(tmp_path, GAN))
    assert [report.model for report in (first, second)] == ["Generator", "Net"]
    assert names((first, second)) == ["generator", "critic"]
    assert [report.input.text for report in (first, second)] == ["float32[7,6]", "float32[5,6]"]
    assert second.recording.parameter("first.weight").ruling().call.get().name == "normal_"
    assert not second.recording.parameter("first.weight").later(), "the clamp after the step is no initialization"
    assert next(layer.std for layer in second.layers if layer.weight == "first.weight") == pytest.approx(0.02, rel=0.3)
    assert "the second step" not in "".join(capfd.readouterr())


def test_a_model_that_is_never_called_is_not_waited_for_without_end(tmp_path):
    text = "other = nn.Linear(6, 2)\nmodel = Net()\noptimizer = torch.optim.SGD([*model.parameters(), *other.parameters()], 0.1)\n"
    model, other = sorted(run(program(tmp_path, text + LOOP.replace("range(3)", "range(100)"))), key=lambda one: -one.parameters)
    assert other.target.spec.endswith("::other")
    assert other.built.notes == ("its input is inferred: the program did not call it",)
    assert model.input.origin.startswith("first batch")


def test_the_weights_and_statistics_are_those_of_construction(tmp_path):
    text = PLAIN + "\nraise SystemExit"
    seen = []

    def keep(model, *rest):
        seen.append({name: value.clone() for name, value in model.state_dict().items()})
        return original(model, *rest)

    original = engine._examine
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "_examine", keep)
        run(program(tmp_path, text), seed=3)
    torch.manual_seed(3)
    space = {"__name__": "somewhere"}
    exec(NET + "model = Net(24)", space)
    expected = space["model"].state_dict()
    assert all(torch.equal(seen[0][name], value) for name, value in expected.items())


def test_a_recurrent_loop_without_an_optimizer(tmp_path):
    text = """
class Cell(nn.Module):
    def __init__(self):
        super().__init__()
        self.step, self.out = nn.Linear(10, 4), nn.Linear(4, 3)

    def forward(self, x, hidden):
        hidden = torch.tanh(self.step(torch.cat((x, hidden), 1)))
        return self.out(hidden), hidden

rnn, hidden = Cell(), torch.zeros(1, 4)
for x in torch.randn(5, 1, 6):
    output, hidden = rnn(x, hidden)
F.cross_entropy(output, torch.tensor([1])).backward()
for parameter in rnn.parameters():
    parameter.data.add_(parameter.grad, alpha=-0.1)
"""
    (report,) = run(program(tmp_path, text))
    assert names([report]) == ["rnn"]
    assert report.input.text == "float32[1,6], float32[1,4]"
    assert not report.failures


def test_what_the_forward_leaves_in_the_model_is_taken_back(tmp_path):
    text = """
class Stateful(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm, self.out, self.state = nn.LSTM(6, 4, batch_first=True), nn.Linear(4, 3), None

    def forward(self, x):
        y, self.state = self.lstm(x, self.state)
        return self.out(y[:, -1])

model = Stateful()
optimizer = torch.optim.SGD(model.parameters(), 0.1)
F.cross_entropy(model(torch.randn(4, 5, 6)), torch.tensor([0, 1, 2, 0])).backward()
"""
    (report,) = run(program(tmp_path, text))
    assert not report.failures
    assert report.input.text == "float32[4,5,6]"


def test_lbfgs_with_a_closure(tmp_path):
    text = """
model = Net()
optimizer = torch.optim.LBFGS(model.parameters())
x, y = batch()

def closure():
    optimizer.zero_grad()
    loss = F.cross_entropy(model(x), y)
    loss.backward()
    return loss

optimizer.step(closure)
"""
    (report,) = run(program(tmp_path, text))
    assert report.built.stopped.startswith("ran until the first backward pass")
    assert report.input.text == "float32[8,6]"


def test_a_step_without_a_backward_pass_is_not_made(tmp_path):
    text = """
model = Net()
optimizer = torch.optim.SGD(model.parameters(), 0.1)
model(batch()[0])
for parameter in model.parameters():
    parameter.grad = torch.ones_like(parameter)
optimizer.step()
"""
    path = program(tmp_path, text)
    (report,) = run(path)
    assert report.built.stopped == f"ran until the first optimizer step ({path}:{len(path.read_text().splitlines())})"
    assert max(abs(layer.std) for layer in report.layers) < 0.5


def test_steps_and_gradients_of_plain_tensors_go_on(tmp_path, capfd):
    text = """
w = torch.zeros(3, requires_grad=True)
of_w = torch.optim.SGD([w], 0.1)
(w - 1).pow(2).sum().backward()
of_w.step()
print("w is", round(w[0].item(), 3))
"""
    (report,) = run(program(tmp_path, text + PLAIN))
    assert names([report]) == ["model"]
    assert "w is 0.2" in "".join(capfd.readouterr())


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


@pytest.mark.parametrize(
    ("text", "name", "wanted"),
    [
        ("open('data/missing.csv')", "program-failed", r"train.py:2: FileNotFoundError: .*missing.csv"),
        ("import surely_not_there", "missing-import", r"train.py:2 imports surely_not_there"),
        ("x = (", "program-failed", r"train.py:2: SyntaxError"),
        ("input('go on?')", "program-failed", r"train.py:2 waits for input"),
        ("import os; os.environ['LOCAL_RANK']", "program-failed", r"LOCAL_RANK from the environment, as torchrun sets it"),
        ("import sys; sys.exit(3)", "exits", r"train.py:2 calls sys.exit\(3\)"),
    ],
)
def test_a_program_that_fails(tmp_path, text, name, wanted):
    with pytest.raises(TargetError, match=wanted) as error:
        run(program(tmp_path, f"import torch\n{text}\n", before=""))
    assert error.value.name == name
    assert error.value.hint


def test_a_failure_in_another_file_names_its_line(tmp_path):
    program(tmp_path, "def load():\n    raise ValueError('no data')\n", "reading.py", before="")
    with pytest.raises(TargetError, match=r"reading.py:2: ValueError: no data"):
        run(program(tmp_path, "import reading\nreading.load()\n", before=""))
    del sys.modules["reading"]


def test_a_program_without_a_step(tmp_path):
    (report,) = run(program(tmp_path, "\ndef main():\n    net = Net(9)\n    print(net.first.weight.shape)\n\nmain()\n"))
    assert names([report]) == ["net"]
    assert report.built.stopped == "the program ended before a training step"
    assert report.input.origin.startswith("inferred")
    assert not report.failures


@pytest.mark.parametrize("text", ["print('hello')", "import sys\nsys.exit()", "import torch\nx = torch.nn.ReLU()"])
def test_a_program_without_a_model(tmp_path, text):
    with pytest.raises(NothingToCheck, match="ended .*without having built a model"):
        run(program(tmp_path, text, before=""))


def test_a_program_that_catches_everything(tmp_path, capfd):
    caught = LOOP.replace(
        "    loss.backward()\n    optimizer.step()\n", "    try:\n        loss.backward()\n    except:\n        continue\n"
    )
    (report,) = run(program(tmp_path, PLAIN.replace(LOOP, caught)))
    assert report.built.stopped.startswith("ran until the first backward pass")
    assert "a step was made" not in "".join(capfd.readouterr())


def test_a_model_whose_part_is_called(tmp_path):
    text = """
class System(nn.Module):
    def __init__(self):
        super().__init__()
        self.net, self.loss = Net(), nn.CrossEntropyLoss()

    def training_step(self, x, y):
        return self.loss(self.net(x), y)

system = System()
optimizer = torch.optim.SGD(system.parameters(), 0.1)
system.training_step(*batch()).backward()
"""
    (report,) = run(program(tmp_path, text))
    assert names([report]) == ["system.net"]
    assert report.input.text == "float32[8,6]"


def test_a_model_of_which_only_methods_are_called(tmp_path):
    text = """
class Coder(nn.Module):
    def __init__(self):
        super().__init__()
        self.one, self.two = nn.Linear(6, 4), nn.Linear(4, 6)

    def encode(self, x):
        return torch.relu(self.one(x))

    def forward(self, x):
        return self.two(self.encode(x))

coder = Coder()
optimizer = torch.optim.SGD(coder.parameters(), 0.1)
coder.two(coder.encode(batch()[0])).sum().backward()
"""
    (report,) = run(program(tmp_path, text))
    assert names([report]) == ["coder"]
    assert report.built.notes == ("its input is inferred: the program calls only its methods or its parts",)


def test_loaded_weights_are_known_as_loaded(tmp_path):
    torch.save({"weight": torch.randn(3, 6), "bias": torch.zeros(3)}, tmp_path / "head.pt")
    text = PLAIN.replace(
        "optimizer = ", f"model.last = nn.Linear(6, 3)\nmodel.last.load_state_dict(torch.load(r'{tmp_path}/head.pt'))\noptimizer = "
    )
    text = text.replace("Net(24)", "Net(6)")
    (report,) = run(program(tmp_path, text))
    assert report.recording.parameter("last.weight").ruling().origin == "loaded"


def test_frozen_models_are_mentioned(tmp_path):
    text = PLAIN.replace("optimizer = ", "teacher = nn.Sequential(nn.Linear(6, 3), nn.ReLU())\noptimizer = ").replace(
        "F.cross_entropy(model(x), y)", "F.mse_loss(model(x), teacher(x))"
    )
    (report,) = run(program(tmp_path, text))
    assert report.built.notes == ("Sequential is in no optimizer and was not checked",)


def test_a_given_input_wins(tmp_path):
    (report,) = run(program(tmp_path, PLAIN), inputs=("float32[12,6]",))
    assert (report.input.text, report.input.origin) == ("float32[12,6]", "--input")


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


def test_cuda_is_answered_with_the_cpu(tmp_path):
    if torch.cuda.is_available():
        pytest.skip("there is a gpu")
    path = program(tmp_path, PLAIN.replace("Net(24)", "Net(24).to(torch.device('cuda'))"))
    (report,) = run(path)
    line = path.read_text().splitlines().index("model = Net(24).to(torch.device('cuda'))") + 1
    assert report.built.notes == (f"line {line} asks for cuda; built on cpu (initial weights do not depend on it)",)


def test_the_program_is_main(tmp_path):
    text = """
import pickle, sys
assert __name__ == "__main__" and sys.modules["__main__"].Net is Net and sys.argv[1:] == ["a b", "--c"]
assert pickle.loads(pickle.dumps(Net)) is Net and __file__.endswith("train.py") and sys.path[0] == FOLDER
"""
    run(program(tmp_path, text.replace("FOLDER", repr(str(tmp_path))) + PLAIN), "a b", "--c")
    assert "Net" not in vars(builtins)
