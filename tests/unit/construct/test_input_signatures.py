"""Forward signatures as people write them: each model runs on an input that nobody gave, and no run is an accident."""

import pytest
import torch

from initcheck.construct.inputs import candidates, choose_batch, first_that_runs
from initcheck.trace.session import preserved
from tests.unit.construct.signatures import (
    attention,
    control,
    graphs,
    images,
    more,
    scenes,
    sequences,
    several,
    signals,
    text,
    translation,
    vision,
    words,
)

ROOMS = (images, vision, scenes, sequences, translation, attention, graphs, several, signals, words, more, text, control)
pytestmark = pytest.mark.filterwarnings("ignore")
MODELS = [kind for room in ROOMS for kind in room.MODELS]


@pytest.mark.parametrize("kind", MODELS, ids=lambda kind: kind.__name__)
def test_an_input_is_found(kind):
    torch.manual_seed(0)
    model = kind()
    before = torch.random.get_rng_state()
    with preserved(model):
        result, guess = first_that_runs(model, candidates(model, choose_batch(model), 0), lambda args, kwargs: model(*args, **kwargs))
    assert result is not None
    assert guess.remark == ""
    assert torch.equal(before, torch.random.get_rng_state())
    assert all(parameter.grad is None for parameter in model.parameters())


def found(model):
    _, guess = first_that_runs(model, candidates(model, choose_batch(model), 0), lambda args, kwargs: model(*args, **kwargs))
    return [tuple(value.shape) if isinstance(value, torch.Tensor) else value for value in guess.args]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (images.LeNet, [(32, 1, 28, 28)]),
        (images.CifarNet, [(32, 3, 32, 32)]),
        (images.Emotions, [(32, 1, 48, 48)]),
        (images.DQN, [(32, 4, 84, 84)]),
        (images.Siamese, [(4, 1, 100, 100), (4, 1, 100, 100)]),
        (images.ConditionalDiscriminator, [(8, 784), (8,)]),
        (images.ViT, [(32, 3, 64, 64)]),
        (vision.CNNLSTM, [(4, 4, 3, 64, 64)]),
        (scenes.NeRF, [(32, 90)]),
        (scenes.TinyNeRF, [(32, 3), (32, 3)]),
        (sequences.EncoderRNN, [(1, 1), (1, 1, 32)]),
        (sequences.AttnDecoderRNN, [(1,), (1, 1, 32), (10, 32)]),
        (translation.LengthSeq2Seq, [(8, 16), (16,), (8, 16)]),
        (attention.SmallContextLM, [(8, 8), (64,)]),
        (graphs.EdgeConv, [(32, 10), (2, 128), (128, 4)]),
        (graphs.SpatioTemporal, [(32, 3, 16, 18)]),
        (several.Tabular, [(8, 4), (8, 5)]),
        (several.Critic, [(32, 17), (32, 6)]),
        (several.ConditionalVAE, [(32, 784), (32, 10)]),
        (several.StarInputs, [(32, 3), (32, 5), (32, 9)]),
        (words.BagClassifier, [(128,), (8,)]),
        (signals.ComplexLinear, [(32, 16)]),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else "",
)
def test_sizes_are_those_the_model_is_made_for(kind, expected):
    torch.manual_seed(0)
    assert found(kind()) == expected


def test_each_column_stays_below_its_table():
    torch.manual_seed(0)
    model = several.Tabular()
    guess = next(candidates(model, 64, 0))
    assert (guess.args[0].max(0).values < torch.tensor([12, 3, 31, 7])).all()
    assert guess.args[0].max() > 20
