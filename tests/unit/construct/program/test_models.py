"""Which models a program has, and in which state they are examined."""

import pytest
import torch

from initcheck import engine
from tests.unit.construct.program.programs import LOOP, NET, PLAIN, names, program, run

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

    original = engine.examine
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "examine", keep)
        run(program(tmp_path, text), seed=3)
    torch.manual_seed(3)
    space = {"__name__": "somewhere"}
    exec(NET + "model = Net(24)", space)
    expected = space["model"].state_dict()
    assert all(torch.equal(seen[0][name], value) for name, value in expected.items())


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


def test_parts_with_optimizers_of_their_own_are_models(tmp_path):
    text = """
class Pair(nn.Module):
    def __init__(self):
        super().__init__()
        self.one, self.two = nn.Sequential(nn.Linear(6, 4)), nn.Sequential(nn.Linear(6, 2))

    def forward(self, x):
        return self.one(x)

pair = Pair()
optimizers = [torch.optim.SGD(part.parameters(), 0.1) for part in (pair.one, pair.two)]
(pair.one(torch.randn(3, 6)).sum() + pair.two(torch.randn(5, 6)).sum()).backward()
"""
    reports = run(program(tmp_path, text))
    assert names(reports) == ["pair.one", "pair.two"]
    assert [report.input.text for report in reports] == ["float32[3,6]", "float32[5,6]"]


def test_the_default_dtype_of_the_program_holds_for_its_model(tmp_path):
    text = """
torch.set_default_dtype(torch.float64)
class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.RNNCell(6, 4)

    def forward(self, x):
        return self.cell(x, torch.zeros(len(x), 4))

model = Recurrent()
optimizer = torch.optim.SGD(model.parameters(), 0.1)
model(torch.randn(5, 6)).sum().backward()
"""
    (report,) = run(program(tmp_path, text))
    assert not report.failures
    assert report.input.text == "float64[5,6]"
    assert torch.get_default_dtype() is torch.float32


@pytest.mark.filterwarnings("default")
def test_the_trainer_of_transformers(tmp_path, monkeypatch):
    pytest.importorskip("accelerate")
    monkeypatch.chdir(tmp_path)
    text = """
from transformers import BertConfig, BertForSequenceClassification, Trainer, TrainingArguments

rows = [{"input_ids": torch.arange(12), "labels": torch.tensor(row % 2)} for row in range(8)]
sizes = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 64}
model = BertForSequenceClassification(BertConfig(vocab_size=60, **sizes))
args = TrainingArguments("out", per_device_train_batch_size=4, gradient_accumulation_steps=2, report_to=[], dataloader_num_workers=2)
Trainer(model=model, args=args, train_dataset=rows).train()
"""
    (report,) = run(program(tmp_path, text))
    assert names([report]) == ["model"]
    assert report.input.text.startswith("input_ids=int64[4,12], labels=int64[4]")
    assert not report.failures
