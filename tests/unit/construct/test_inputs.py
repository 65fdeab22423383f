from itertools import islice
from types import SimpleNamespace

import pytest
import torch
from torch import nn
from torch.nn import functional

from initcheck.construct.inputs import candidates, choose_batch


def shapes(model, batch=32, count=25):
    return [tuple(tuple(value.shape) for value in guess.args) for guess in islice(candidates(model, batch, 0), count)]


def first(model, batch=32):
    return next(candidates(model, batch, 0))


class Reads(nn.Module):
    """A model whose layers are registered in another order than they run."""

    def __init__(self):
        super().__init__()
        self.head = nn.Linear(64, 10)
        self.blocks = nn.ModuleList([nn.Linear(9, 64), nn.Linear(64, 64)])

    def forward(self, x):
        for block in self.blocks:
            x = functional.relu(block(x))
        return self.head(x)


class Critic(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(14, 8), nn.ReLU(), nn.Linear(8, 1))

    def forward(self, state, action):
        return self.net(torch.cat([state, action], dim=-1))


class Recommender(nn.Module):
    def __init__(self):
        super().__init__()
        self.users = nn.Embedding(50, 8)
        self.items = nn.Embedding(70, 8)

    def forward(self, user, item):
        return (self.users(user) * self.items(item)).sum(-1)


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(40, 16)
        self.rnn = nn.LSTM(16, 20, num_layers=2, batch_first=True)

    def forward(self, tokens, lengths, hidden, mask=None):
        return self.rnn(self.encode(tokens), hidden)[0]

    def encode(self, ids):
        return self.table(ids)


class Bundle(nn.Module):
    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(30, 8)
        self.mix = nn.Linear(5, 8)

    def forward(self, batch):
        return self.table(batch["words"]) + self.mix(batch["features"])


class Weight(nn.Module):
    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.zeros(12, 7))

    def forward(self, x):
        return x @ self.w


class Stepped(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.GRUCell(5, 7)

    def forward(self, x):
        h = x.new_zeros(x.size(0), 7)
        for t in range(x.size(1)):
            h = self.cell(x[:, t], h)
        return h


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (Reads(), ((32, 9),)),
        (Critic(), ((32, 7), (32, 7))),
        (Weight(), ((32, 12),)),
        (Stepped(), ((32, 16, 5),)),
        (nn.Linear(3, 4), ((32, 3),)),
        (nn.Sequential(nn.Dropout(), nn.Conv1d(3, 4, 3)), ((32, 3, 128),)),
        (nn.Conv3d(1, 4, 3), ((2, 1, 16, 56, 56),)),
        (nn.Sequential(nn.ConvTranspose2d(100, 8, 4), nn.Tanh()), ((32, 100, 1, 1),)),
        (nn.LSTM(5, 6), ((16, 32, 5),)),
        (nn.GRU(5, 6, batch_first=True), ((32, 16, 5),)),
        (nn.Bilinear(5, 6, 3), ((32, 5), (32, 6))),
        (nn.TransformerEncoder(nn.TransformerEncoderLayer(16, 2, batch_first=True), 1), ((32, 16, 16),)),
        (nn.Transformer(16, 2, 1, 1, 32, batch_first=True), ((32, 16, 16), (32, 16, 16))),
        (nn.MultiheadAttention(8, 2, kdim=6, vdim=4, batch_first=True), ((32, 16, 8), (32, 16, 6), (32, 16, 4))),
        (nn.Sequential(nn.LazyConv2d(4, 3)), ((32, 3, 64, 64),)),
        (nn.Conv2d(2, 4, 3), ((32, 2, 64, 64),)),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, nn.Module) else "",
)
def test_the_layer_that_reads_an_argument_shapes_it(model, expected):
    assert shapes(model, count=1) == [expected]


def test_integers_stay_below_the_tables_and_stand_for_entities():
    guess = first(Recommender())
    user, item = guess.args
    assert user.shape == item.shape == (32,)
    assert user.dtype == torch.int64
    assert 25 < user.max() < 50 < item.max() < 70
    assert first(nn.Embedding(1000, 4)).args[0].shape == (32, 16)


def test_arguments_by_name_and_states_of_recurrent_layers():
    tokens, lengths, (h, c) = first(Tagger(), 8).args
    assert (tokens.shape, tokens.dtype) == ((8, 16), torch.int64)
    assert lengths.tolist() == [16] * 8
    assert h.shape == c.shape == (2, 8, 20)


def test_dictionaries_are_filled_by_what_is_read_from_them():
    (batch,) = first(Bundle(), 4).args
    assert {key: (tuple(value.shape), value.dtype) for key, value in batch.items()} == {
        "words": ((4, 16), torch.int64),
        "features": ((4, 5), torch.float32),
    }


def test_linear_layers_also_take_sequences_and_images():
    tried = [args[0] for args in shapes(nn.Linear(784, 10))]
    assert tried[:3] == [(32, 784), (32, 16, 784), (32, 1, 28, 28)]
    assert (32, 3, 32, 32) in [args[0] for args in shapes(nn.Linear(3072, 10))]


def test_the_flattened_size_is_solved_for():
    def net(channels, pixels, features):
        conv = nn.Sequential(nn.Conv2d(channels, 8, 5), nn.MaxPool2d(2), nn.Conv2d(8, 16, 5, stride=2, padding=1), nn.Flatten())
        return nn.Sequential(*conv, nn.Linear(features, 10)), pixels

    for model, pixels in (net(1, 28, 400), net(4, 84, 16 * 19 * 19)):
        edge = first(model).args[0].shape[-1]
        model(torch.zeros(2, model[0].in_channels, edge, edge))
        assert abs(edge - pixels) <= 3


def test_learned_positions_fix_the_length():
    class Positions(nn.Module):
        def __init__(self):
            super().__init__()
            self.table = nn.Embedding(20, 8)
            self.pos_embed = nn.Parameter(torch.zeros(1, 10, 8))

        def forward(self, ids):
            return self.table(ids) + self.pos_embed

    assert shapes(Positions())[0] == ((32, 10),)


def test_large_images_come_in_small_batches_unless_the_batch_is_exact():
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1))
    found = {args[0][-1]: args[0][0] for args in shapes(model)}
    assert found[64] == found[32] == 32
    assert found[224] == found[299] == 4
    assert all(guess.args[0].shape[0] == 32 for guess in candidates(model, 32, 0, exact=True))


def test_declared_inputs_come_first():
    model = nn.Linear(4, 2)
    model.example_input_array = torch.zeros(3, 5, 4)
    guess = first(model)
    assert guess.args[0] is model.example_input_array
    assert (guess.summary.origin, guess.summary.batch) == ("example_input_array", 3)
    image = nn.Sequential(nn.Conv2d(3, 4, 3))
    image.default_cfg = {"input_size": (3, 40, 48)}
    assert first(image, 4).args[0].shape == (4, 3, 40, 48)


class Configured(nn.Module):
    main_input_name = "input_ids"

    def __init__(self, **config):
        super().__init__()
        self.config = SimpleNamespace(**config)
        self.layer = nn.Linear(2, 2)

    def forward(self, input_ids=None, attention_mask=None, decoder_input_ids=None, use_cache=None):
        return input_ids


def test_configured_models_get_tokens_and_no_cache():
    guess = first(Configured(vocab_size=11, max_position_embeddings=6))
    assert set(guess.kwargs) == {"input_ids", "use_cache"}
    assert guess.kwargs["input_ids"].shape == (8, 6)
    assert guess.kwargs["input_ids"].max() == 10
    assert guess.kwargs["use_cache"] is False
    assert guess.summary.text == "input_ids=int64[8,6]"
    assert "decoder_input_ids" in first(Configured(vocab_size=11, is_encoder_decoder=True)).kwargs
    assert choose_batch(Configured(vocab_size=11)) == 8


def test_values_are_seeded_distinct_normal_and_leave_the_global_state():
    before = torch.random.get_rng_state()
    one, same = first(nn.Linear(500, 3)), first(nn.Linear(500, 3))
    other = next(candidates(nn.Linear(500, 3), 32, 1))
    x = one.args[0]
    assert torch.equal(x, same.args[0])
    assert not torch.equal(x, other.args[0])
    assert float(x.std()) == pytest.approx(1.0, abs=0.03)
    assert float((x[0] - x[1]).abs().mean()) > 1
    state = torch.random.get_rng_state()
    list(candidates(nn.Sequential(), 4, 0))
    assert torch.equal(state, torch.random.get_rng_state())
    assert before.shape == state.shape


def test_precision_follows_the_model_and_tries_are_bounded():
    assert first(nn.Linear(3, 3).double()).args[0].dtype == torch.float64
    assert first(nn.Linear(3, 3).bfloat16()).args[0].dtype == torch.bfloat16
    assert len(shapes(nn.Conv2d(3, 3, 3), count=100)) <= 25


@pytest.mark.parametrize(
    ("model", "batch"),
    [
        (nn.Linear(4, 4), 32),
        (nn.Embedding(10, 4), 8),
        (nn.Linear(5000, 5000), 8),
        (nn.Linear(10000, 7000), 4),
        (nn.Linear(10000, 11000), 2),
    ],
)
def test_the_batch_follows_the_size(model, batch):
    assert choose_batch(model.to("meta")) == batch
    assert choose_batch(model, 5) == 5


class Frames(nn.Module):
    """Pixels from 0 to 255, which are divided before the first layer."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)


class Slash(Frames):
    def forward(self, x):
        return self.conv(x.float() / 255.0 - 0.5)


class Method(Frames):
    def forward(self, x):
        x = x.div(256)
        return self.conv(x)


class Halved(Frames):
    def forward(self, x):
        return self.conv(x / 2)


@pytest.mark.parametrize(("kind", "scale"), [(Slash, 255.0), (Method, 256.0), (Halved, 1.0)])
def test_values_are_as_large_as_what_the_model_divides_them_by(kind, scale):
    (image,) = first(kind()).args
    assert image.std().item() == pytest.approx(scale, rel=0.05)
