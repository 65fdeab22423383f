"""What of a script is executed so that its model exists: each case builds the slice, or compares the kept lines."""

import textwrap
from contextlib import nullcontext

import pytest
import torch

from initcheck.construct.builder import construct
from initcheck.discover import targets
from initcheck.discover.slicing import slice_source
from initcheck.errors import TargetError

NET = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self, width=3):
        super().__init__()
        self.fc = nn.Linear(2, width)

    def forward(self, x):
        return self.fc(x)
"""


@pytest.fixture
def make(tmp_path):
    """Builds the one target of a source text; every statement that must not run raises."""

    def make(source, name=None):
        path = tmp_path / "script.py"
        path.write_text(textwrap.dedent(source))
        (target,) = targets.parse(f"{path}::{name}" if name else str(path))
        return construct(target, nullcontext()).model

    return make


def sliced(source, name):
    return slice_source(textwrap.dedent(source), "script.py", name)


def kept(source, name):
    """The first words of the kept statements' lines, as text."""
    text = textwrap.dedent(source)
    lines = text.splitlines()
    return [lines[first - 1] for first, _ in slice_source(text, "script.py", name).ranges]


TRAINING = """
    import torch
    from torch import nn, optim
    from torch.utils.data import DataLoader
    from torchvision import datasets, transforms

    batch_size = 64
    hidden = 5
    data = datasets.MNIST("data", train=True, download=True, transform=transforms.ToTensor())
    loader = DataLoader(data, batch_size=batch_size, shuffle=True)

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc1 = nn.Linear(784, hidden)
            self.fc2 = nn.Linear(hidden, 10)

        def forward(self, x):
            return self.fc2(torch.relu(self.fc1(x.flatten(1))))

    torch.manual_seed(0)
    model = Net()
    criterion = nn.CrossEntropyLoss()
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    for epoch in range(2):
        for x, y in loader:
            optimizer.zero_grad()
            loss = criterion(model(x), y)
            loss.backward()
            optimizer.step()
    model.eval()
    torch.save(model.state_dict(), "mnist.pt")
    print("done", file=undefined)
"""


def test_a_training_script_comes_out_untrained(make):
    model = make(TRAINING)
    torch.manual_seed(0)
    twin = torch.nn.Linear(784, 5)
    assert torch.equal(model.fc1.weight, twin.weight)
    assert model.fc2.weight.shape == (10, 5)


def test_what_was_not_executed_is_said():
    found = sliced(TRAINING, "model")
    assert "training loop (line 25)" in found.skipped
    assert "MNIST download (line 9)" in found.skipped
    assert any(text.startswith("optimizer (line 24)") for text in found.skipped)
    assert "batch_size = 64" not in kept(TRAINING, "model")
    assert 0 < len(found.recipe.keep) < found.recipe.statements
    assert (found.recipe.line, found.recipe.expression) == (22, "Net()")
    compile(found.module, "script.py", "exec")


def test_training_in_place_of_a_loader_that_is_a_tensor(make):
    model = make(
        """
        import torch
        from torch import nn
        net = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
        net[0].weight.data.fill_(0.25)
        optimizer = torch.optim.Adam(net.parameters())
        x = torch.ones(4, 2)
        for _ in range(3):
            optimizer.zero_grad()
            net(x).sum().backward()
            optimizer.step()
        net[2].bias.data.fill_(9.0)
        """
    )
    assert torch.equal(model[0].weight, torch.full((3, 2), 0.25))
    assert not torch.equal(model[2].bias, torch.full((1,), 9.0))  # after training it is no initialization


def test_training_inside_functions_is_not_called():
    source = NET + "def train(m):\n    m(0).backward()\n\ndef main():\n    train(net)\n\nnet = Net()\nmain()\n"
    assert "main()" not in kept(source, "net")
    assert sliced(source, "net").skipped == ("training (line 19)",)


def test_argparse_at_the_top(make):
    model = make(
        "import argparse\n" + NET + "parser = argparse.ArgumentParser()\nparser.add_argument('--width', type=int, default=7)\n"
        "parser.add_argument('--lr', type=float, default=0.1)\nargs = parser.parse_args()\nnet = Net(args.width)\n"
    )
    assert model.fc.out_features == 7


@pytest.mark.parametrize(
    "initializing",
    [
        "net.apply(init)",
        "nn.init.constant_(net.fc.weight, 2.0)",
        "for m in net.modules():\n    if isinstance(m, nn.Linear):\n        nn.init.constant_(m.weight, 2.0)",
        "for p in net.parameters():\n    p.data.fill_(2.0)",
        "with torch.no_grad():\n    net.fc.weight.fill_(2.0)",
        "net.fc.weight.data = torch.full((3, 2), 2.0)",
        "net.fc.weight.data[:] = 2.0",
        "fc = net.fc\nnn.init.constant_(fc.weight, 2.0)",
        "init(net.fc)",
        "_ = [init(m) for m in net.modules()]",
    ],
)
def test_initialization_outside_the_class_is_kept(make, initializing):
    init = "def init(m):\n    if isinstance(m, nn.Linear):\n        nn.init.constant_(m.weight, 2.0)\n\n"
    model = make(NET + init + "net = Net()\n" + initializing + "\nnet.train()\nprint(net)\ny = net(undefined)\n")
    assert torch.equal(model.fc.weight, torch.full((3, 2), 2.0))


def test_a_state_dict_that_is_loaded_is_kept():
    source = NET + "net = Net()\nnet.load_state_dict(torch.load('a.pt'))\nprint(net)\n"
    assert kept(source, "net")[-1] == "net.load_state_dict(torch.load('a.pt'))"


@pytest.mark.parametrize(
    "change", ["cfg['width'] = 9", "cfg.update(width=9)", "cfg |= {'width': 9}", "def setup():\n    cfg['width'] = 9\nsetup()"]
)
def test_a_config_that_is_changed(make, change):
    assert make(NET + f"cfg = {{'width': 3}}\n{change}\nnet = Net(cfg['width'])\n").fc.out_features == 9


def test_a_corpus_that_a_method_fills(make):
    model = make(
        """
        from torch import nn

        class Corpus:
            def __init__(self):
                self.words = {}

            def add(self, text):
                for word in text.split():
                    self.words.setdefault(word, len(self.words))

        corpus = Corpus()
        corpus.add("to be or not to be")
        model = nn.Embedding(len(corpus.words), 4)
        """
    )
    assert model.num_embeddings == 4


def test_functions_defined_after_use(make):
    model = make("from torch import nn\ndef build():\n    return nn.Linear(2, width())\ndef width():\n    return 5\nnet = build()\n")
    assert model.out_features == 5


def test_the_main_guard_never_runs(make):
    source = NET + 'net = Net()\nif __name__ == "__main__":\n    net.fc.weight.data.fill_(1.0)\n    raise RuntimeError\n'
    assert not torch.equal(make(source).fc.weight, torch.ones(3, 2))
    assert 'the `if __name__ == "__main__"` block (line 13)' in sliced(source, "net").skipped


GAN = """
    import torch
    from torch import nn
    latent = 5
    generator = nn.Sequential(nn.Linear(latent, 7), nn.Tanh())
    discriminator = nn.Sequential(nn.Linear(7, 1), nn.Sigmoid())
    nn.init.zeros_(discriminator[0].weight)
    best = torch.optim.Adam(generator.parameters())
    worst = torch.optim.Adam(discriminator.parameters())
    discriminator(generator(torch.randn(1, latent))).sum().backward()
"""


def test_a_pair_of_models(tmp_path):
    path = tmp_path / "gan.py"
    path.write_text(textwrap.dedent(GAN))
    first, second = targets.parse(str(path))
    assert (first.qualname, second.qualname) == ("generator", "discriminator")
    assert not any("discriminator" in line for line in kept(GAN, "generator"))
    assert torch.equal(construct(second, nullcontext()).model[0].weight, torch.zeros(1, 7))


def test_a_model_that_only_training_makes_is_refused():
    source = NET + "def train():\n    m = Net()\n    m(0).backward()\n    return m\nnet = train()\n"
    with pytest.raises(TargetError) as caught:
        slice_source(source, "script.py", "net")
    assert caught.value.name == "needs-training"
    assert "script.py:16" in caught.value.message


def test_a_name_that_nothing_binds():
    with pytest.raises(TargetError) as caught:
        slice_source(NET, "script.py", "nett")
    assert caught.value.name == "unknown-name"
