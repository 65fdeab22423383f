"""The animals: a name, and a function that builds the model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from benchmarks.zoo.shrink import small_config

HEADS = (
    "SEQ_TO_SEQ_CAUSAL_LM",
    "SPEECH_SEQ_2_SEQ",
    "IMAGE_TEXT_TO_TEXT",
    "CAUSAL_LM",
    "MASKED_LM",
    "CTC",
    "SEQUENCE_CLASSIFICATION",
    "IMAGE_CLASSIFICATION",
    "OBJECT_DETECTION",
    "ZERO_SHOT_OBJECT_DETECTION",
    "UNIVERSAL_SEGMENTATION",
    "SEMANTIC_SEGMENTATION",
    "DEPTH_ESTIMATION",
    "AUDIO_CLASSIFICATION",
    "VIDEO_CLASSIFICATION",
    "QUESTION_ANSWERING",
    "TOKEN_CLASSIFICATION",
    "MASKED_IMAGE_MODELING",
    "KEYPOINT_DETECTION",
    "TIME_SERIES_PREDICTION",
    "TEXT_TO_WAVEFORM",
    "TEXT_TO_SPECTROGRAM",
)
"""Task heads in the order of preference; a model type is shown with the first that it has."""

CLASSIFIERS = ("SEQUENCE_CLASSIFICATION", "IMAGE_CLASSIFICATION", "AUDIO_CLASSIFICATION")
"""Shown besides a masked language model: the head that a user trains most often."""

BIG = {
    "regnet_y_128gf": "645 million parameters",
    "vit_h_14": "632 million parameters",
    "vit_l_16": "304 million parameters, the same code as vit_b_16",
    "vit_l_32": "306 million parameters, the same code as vit_b_32",
    "convnext_large": "198 million parameters, the same code as convnext_base",
    "regnet_x_32gf": "108 million parameters, the same code as regnet_x_16gf",
    "regnet_y_32gf": "145 million parameters, the same code as regnet_y_16gf",
}
"""torchvision's largest, left out unless asked for by name."""

SMALL_IMAGES = {"vit_b_16": {"image_size": 64}, "vit_b_32": {"image_size": 64}}
"""Constructor arguments that make the declared image small."""


@dataclass(frozen=True)
class Animal:
    """A model to check; `reason` says why it is left out, empty when it is not."""

    name: str
    build: Callable[[], Any]
    reason: str = ""


def animals() -> Iterator[Animal]:
    """All models, torchvision first."""
    yield from _vision()
    yield from _transformers()


def _vision() -> Iterator[Animal]:
    from torchvision import models

    for name in models.list_models():
        yield Animal(f"tv/{name}", _vision_builder(name), BIG.get(name, ""))


def _vision_builder(name: str) -> Callable[[], Any]:
    def build() -> Any:
        import inspect

        from torchvision import models

        make = models.get_model_builder(name)
        extra = {"weights_backbone": None} if "weights_backbone" in inspect.signature(make).parameters else {}
        return make(weights=None, **extra, **SMALL_IMAGES.get(name, {}))

    return build


def _transformers() -> Iterator[Animal]:
    from transformers.models.auto import modeling_auto as auto

    for kind, base in sorted(auto.MODEL_MAPPING_NAMES.items()):
        names = [_class_of(auto, head, kind) for head in HEADS]
        main = next((name for name in names if name), base[0] if isinstance(base, tuple) else base)
        classifier = next((name for head in CLASSIFIERS if (name := _class_of(auto, head, kind))), "") if "ForMaskedLM" in main else ""
        for cls in dict.fromkeys(name for name in (main, classifier) if name):
            yield Animal(f"hf/{kind}/{cls}", _transformers_builder(kind, cls))


def _class_of(auto: Any, head: str, kind: str) -> str:
    found = getattr(auto, f"MODEL_FOR_{head}_MAPPING_NAMES", None) or getattr(auto, f"MODEL_{head}_MAPPING_NAMES", {})
    name = found.get(kind, "")
    return name[0] if isinstance(name, (tuple, list)) else name


def _transformers_builder(kind: str, cls: str) -> Callable[[], Any]:
    def build() -> Any:
        import transformers

        made = getattr(transformers, cls)
        return made(small_config(kind, made.config_class))

    return build
