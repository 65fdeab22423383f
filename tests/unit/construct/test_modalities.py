"""Models that read text with images or sounds: both towers must run, so the placeholders must be counted right."""

import types

import torch
from torch import nn

from initcheck.construct.inputs import candidates, first_that_runs
from initcheck.construct.inputs.modalities import patches

IMAGE = 7


class TextAndImages(nn.Module):
    """Image features take the places of the image tokens, or the run fails as those libraries fail."""

    main_input_name = "input_ids"
    counted_by_element = False

    def __init__(self, dim=8):
        super().__init__()
        self.config = types.SimpleNamespace(vocab_size=30, image_token_id=IMAGE, image_size=16, hidden_size=dim)
        self.words = nn.Embedding(30, dim)
        self.tower = nn.Conv2d(3, dim, 8, 8)
        self.out = nn.Linear(dim, 30)

    def forward(self, input_ids=None, pixel_values=None):
        x = self.words(input_ids)
        if pixel_values is not None:
            features = self.tower(pixel_values).flatten(2).transpose(1, 2).flatten(0, 1)
            places = input_ids == IMAGE
            if int(places.sum()) != len(features):
                told = features.numel() if self.counted_by_element else len(features)
                raise ValueError(f"Image features and image tokens do not match, tokens: {int(places.sum())}, features: {told}")
            x = x.masked_scatter(places.unsqueeze(-1), features)
        return self.out(x)


class CountedByElement(TextAndImages):
    counted_by_element = True


class WithTypes(TextAndImages):
    def forward(self, input_ids=None, pixel_values=None, mm_token_type_ids=None):
        if pixel_values is not None and int((input_ids == IMAGE).sum()) == 4 * len(input_ids):
            assert torch.equal(mm_token_type_ids.bool(), input_ids == IMAGE)
        return super().forward(input_ids, pixel_values)


def run(model):
    result, guess = first_that_runs(model, candidates(model, 4, 0), lambda args, kwargs: model(*args, **kwargs))
    assert result.shape[-1] == 30
    return guess


def test_placeholders_are_counted_from_the_failure():
    guess = run(TextAndImages())
    ids = guess.kwargs["input_ids"]
    assert "pixel_values" in guess.kwargs
    assert ((ids == IMAGE).sum(1) == 4).all()
    assert ids.shape[1] == 16 + 4
    assert "input_ids=int64[4,20]" in guess.summary.text


def test_elements_counted_as_features():
    guess = run(CountedByElement())
    assert ((guess.kwargs["input_ids"] == IMAGE).sum(1) == 4).all()


def test_token_types_follow():
    assert "mm_token_type_ids" in run(WithTypes()).kwargs


def test_text_alone_when_the_images_do_not_fit():
    model = TextAndImages()
    model.config.image_token_id = None
    assert set(run(model).kwargs) == {"input_ids"}


def test_flattened_patches_with_their_grid():
    config = types.SimpleNamespace(vision_config=types.SimpleNamespace(patch_size=4, in_channels=3, temporal_patch_size=2))
    forms = patches(config, 2, ["input_ids", "pixel_values", "image_grid_thw"])
    assert forms["pixel_values"].shape == (2 * 16, 3 * 2 * 4 * 4)
    assert forms["image_grid_thw"].tolist() == [[1, 4, 4], [1, 4, 4]]


def test_flattened_patches_with_their_shapes():
    forms = patches(types.SimpleNamespace(patch_size=4, num_channels=1), 3, ["pixel_values", "spatial_shapes", "pixel_attention_mask"])
    assert forms["pixel_values"].shape == (3, 16, 16)
    assert forms["spatial_shapes"].tolist() == [[4, 4]] * 3
    assert forms["pixel_attention_mask"].shape == (3, 16)


def test_whole_images_are_no_patches():
    assert patches(types.SimpleNamespace(patch_size=4), 3, ["pixel_values"]) == {}
    assert patches(types.SimpleNamespace(image_size=32), 3, ["pixel_values", "image_grid_thw"]) == {}


def test_no_limit_of_positions():
    model = TextAndImages()
    model.config = types.SimpleNamespace(vocab_size=30, max_position_embeddings=-1)
    assert run(model).kwargs["input_ids"].shape == (4, 16)
