"""How far a program runs, and what is known of its model then."""

import pytest

from initcheck import engine
from initcheck.errors import TargetError
from tests.unit.construct.program.programs import PLAIN, names, program, run


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


def test_a_given_input_wins(tmp_path):
    (report,) = run(program(tmp_path, PLAIN), inputs=("float32[12,6]",))
    assert (report.input.text, report.input.origin) == ("float32[12,6]", "--input")
