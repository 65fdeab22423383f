"""How digits get into models of many kinds, and classes out of them."""

import pytest
import torch
from torch import nn

from initcheck.errors import TargetError
from initcheck.verify.adapters.adapted import Digits, RandomTargets
from initcheck.verify.adapters.choosing import adapter
from initcheck.verify.adapters.entry import Entry, flattened, resized
from initcheck.verify.adapters.own_input import Given

IMAGES = torch.rand(8, 1, 28, 28, generator=torch.Generator().manual_seed(0))


class Recurrent(nn.Module):
    def __init__(self, batch_first=True, width=28):
        super().__init__()
        self.cell = nn.LSTM(width, 8, batch_first=batch_first)
        self.head = nn.Linear(8, 10)

    def forward(self, sequence):
        out, _ = self.cell(sequence)
        return self.head(out[:, -1] if self.cell.batch_first else out[-1])


class Tokens(nn.Module):
    def __init__(self, positions=64):
        super().__init__()
        self.table = nn.Embedding(100, 8)
        self.places = nn.Parameter(torch.zeros(positions, 8))
        self.head = nn.Linear(8, 100)

    def forward(self, tokens):
        return self.head(self.table(tokens) + self.places[: tokens.shape[1]])


class Patches(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.embed = nn.Linear(width, 8)
        self.block = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True)
        self.head = nn.Linear(8, 10)

    def forward(self, x):
        return self.head(self.block(self.embed(x)).mean(1))


class Two(nn.Module):
    """An image and something else, in a dictionary out."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(784, 10), nn.Linear(4, 10)

    def forward(self, x, extra):
        return {"aux": self.a(x).sum(), "logits": self.a(x) + self.b(extra)}


class Sum(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(16, 8)

    def forward(self, x):
        return torch.tanh(self.layer(x)).sum()


class Probabilities(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(784, 10)

    def forward(self, x):
        return self.layer(x.view(-1, 784)).softmax(-1)


def convolutional(channels, classes):
    return nn.Sequential(nn.Conv2d(channels, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, classes))


CASES = {
    "flat": (lambda: nn.Sequential(nn.Linear(784, 16), nn.ReLU(), nn.Linear(16, 10)), "784 pixels in a row", "own outputs"),
    "small": (lambda: nn.Linear(64, 10), "resized to 8×8", "own outputs"),
    "colour": (lambda: nn.Sequential(nn.Flatten(), nn.Linear(3072, 10)), "32×32, 3 channels", "own outputs"),
    "odd": (lambda: nn.Linear(30, 10), "stretched", "own outputs"),
    "image": (lambda: convolutional(1, 10), "image 1×28×28", "own outputs"),
    "three channels": (lambda: convolutional(3, 10), "repeated 3 times", "own outputs"),
    "other head": (lambda: convolutional(3, 5), "repeated 3 times", "readout of 5 → 10"),
    "one output": (lambda: nn.Linear(784, 1), "784 pixels", "narrow way"),
    "map": (lambda: nn.Conv2d(1, 10, 3), "image 1×28×28", "mean over the positions"),
    "signal": (
        lambda: nn.Sequential(nn.Conv1d(1, 4, 9, 4), nn.ReLU(), nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(4, 10)),
        "signal of 784",
        "own",
    ),
    "recurrent": (Recurrent, "28 rows of 28", "own outputs"),
    "time first": (lambda: Recurrent(batch_first=False), "28 rows of 28", "own outputs"),
    "wide rows": (lambda: Recurrent(width=20), "28 rows of 20", "own outputs"),
    "tokens": (Tokens, "49 tokens", "readout of 100 → 10"),
    "patches": (lambda: Patches(49), "16 patches of 7×7", "own outputs"),
    "rows as tokens": (lambda: Patches(28), "28 rows of 28", "own outputs"),
    "autoencoder": (lambda: nn.Sequential(nn.Linear(784, 8), nn.ReLU(), nn.Linear(8, 784)), "784 pixels", "readout of 784 → 10"),
    "probabilities": (Probabilities, "784 pixels", "logarithm"),
}


@pytest.mark.parametrize("name", CASES)
def test_digits_get_in_and_classes_out(name):
    build, entry, way_out = CASES[name]
    torch.manual_seed(0)
    model = build()
    before = {key: value.clone() for key, value in model.state_dict().items()}
    found = adapter(model, Given(), IMAGES, 10)
    assert isinstance(found, Digits)
    assert entry in found.told[0] and way_out in " ".join(found.told)
    module = found.module(model, 0)
    logits = module(IMAGES[:6])
    assert logits.shape == (6, 10) and logits.dtype == torch.float32
    logits.square().sum().backward()
    assert any(parameter.grad is not None and parameter.grad.abs().sum() > 0 for parameter in model.parameters())
    for key, value in model.state_dict().items():
        assert torch.equal(value, before[key]), "looking changed the model"


def test_other_arguments_stay_and_are_told():
    inputs = (torch.randn(4, 784), torch.randn(4, 4))
    found = adapter(Two(), Given(inputs), IMAGES, 10)
    assert "extra for every digit" in " ".join(found.told)
    assert found.module(Two(), 0)(IMAGES).shape == (8, 10)


def test_what_has_no_classes_is_fitted_to_random_targets():
    model = Sum()
    found = adapter(model, Given(), IMAGES, 10)
    assert isinstance(found, RandomTargets) and "no honest way" in found.told[0]
    loss = found.module(model, 0)()
    assert loss.dim() == 0 and loss.requires_grad


def test_a_model_that_does_not_run_is_told():
    class Wrong(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(4, 4)

        def forward(self, x):
            raise RuntimeError("sizes do not fit")

    with pytest.raises(TargetError, match="sizes do not fit"):
        adapter(Wrong(), Given(), IMAGES, 10)


def test_a_given_input_of_a_wrong_shape_is_told():
    with pytest.raises(TargetError) as raised:
        adapter(nn.Linear(784, 10), Given(torch.randn(4, 783)), IMAGES, 10)
    assert "783" in raised.value.message + raised.value.hint


def test_no_gradient_is_told():
    class Detached(nn.Linear):
        def forward(self, x):
            return super().forward(x).detach()

    with pytest.raises(TargetError) as raised:
        adapter(Detached(784, 10), Given(), IMAGES, 10)
    assert raised.value.name == "nothing-to-train"


def test_the_readout_is_the_same_for_every_variant():
    build = CASES["other head"][0]
    found = adapter(build(), Given(), IMAGES, 10)
    one, other = found.module(build(), 3), found.module(build(), 3)
    assert torch.equal(one.linear.weight, other.linear.weight)
    assert not torch.equal(one.linear.weight, found.module(build(), 4).linear.weight)


def test_patches_are_squares_of_the_image():
    entry = Entry("patches", (16, 49))
    cut = entry.of(IMAGES[:1])[0]
    assert torch.allclose(cut[1].reshape(7, 7), (IMAGES[0, 0, :7, 7:14] - 0.1307) / 0.3081)


def test_tokens_are_grey_levels():
    tokens = Entry("tokens", (784,), levels=4, dtype=torch.int64).of(IMAGES)
    assert tokens.dtype == torch.int64 and tokens.min() == 0 and tokens.max() == 3


def test_sizes_change_and_means_stay():
    assert resized(IMAGES, 14, 14).mean() == pytest.approx(float(IMAGES.mean()), abs=1e-5)
    assert flattened(IMAGES, 30).shape == (8, 30)
