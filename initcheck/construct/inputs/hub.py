"""Inputs of models with a configuration in the manner of transformers and diffusers, which are never imported."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from initcheck.construct.inputs.declared import Plan, arguments_of
from initcheck.construct.inputs.modalities import GRIDS, patches
from initcheck.construct.inputs.samples import Form, Tree
from initcheck.construct.inputs.shapes import TIME

_HEAVY = frozenset({"pixel_values", "sample", "input_features", "input_values"})
_BESIDE = (*GRIDS, "spatial_shapes", "pixel_attention_mask", "bbox", "image_sizes", "input_features_mask", "feature_attention_mask")
_COMPANIONS = ("input_ids", "pixel_values", "decoder_input_ids", "input_features", "input_values")


def is_configured(model: Any) -> bool:
    """Whether the model carries a configuration object that names sizes."""
    config = getattr(model, "config", None)
    sizes = (getattr(config, name, None) for name in ("vocab_size", "sample_size"))
    return config is not None and (
        isinstance(getattr(model, "main_input_name", None), str) or any(isinstance(s, (int, tuple, list)) for s in sizes)
    )


def configured(model: Any, batch: int) -> Iterator[Plan]:
    """Inputs by the main input's name and the configuration, then all that the signature knows, then the model's own dummy."""
    config = model.config
    names = {parameter.name: parameter for parameter in arguments_of(model)}
    rows = min(batch, 8)
    main = str(getattr(model, "main_input_name", "") or "input_ids")
    main = main if main in names else next((name for name in ("sample", "hidden_states", *_COMPANIONS) if name in names), "")
    required = [name for name, p in names.items() if p.default is p.empty and p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    decoder = ["decoder_input_ids"] if getattr(config, "is_encoder_decoder", False) and "decoder_input_ids" in names else []
    minimal = list(dict.fromkeys([*([main] if main else []), *required, *decoder]))
    everything = list(dict.fromkeys([*minimal, *(name for name in _COMPANIONS if name in names)]))
    origin = f"config of {type(config).__name__}"
    # both modalities before one: a whole tower would go unjudged; a decoder is fed where there is an encoder, else as a last resort
    modalities = [name for name in everything if name != "decoder_input_ids" or name in minimal]
    told = [*modalities, *(name for name in _BESIDE if name in names and name not in modalities)]
    for wanted in (told, modalities, minimal, everything):
        heavy = any(name in _HEAVY for name in wanted)
        for count in dict.fromkeys((min(rows, 4 if max(_edges(config)) <= 96 else 2) if heavy else rows, 1)):
            special = patches(config, count, names)
            forms = {name: special[name] if name in special else _form(name, config, count) for name in wanted}
            kwargs = {name: form for name, form in forms.items() if form is not None}
            if kwargs:
                yield Plan((), kwargs | _quiet(names), origin, count)
    dummy = getattr(model, "dummy_inputs", None)
    if isinstance(dummy, dict) and all(isinstance(value, Tensor) for value in dummy.values()):
        yield Plan((), dict(dummy) | _quiet(names), "dummy_inputs", 0)


def token_model(model: Any) -> bool:
    """Whether the main input of a configured model is integer tokens."""
    return is_configured(model) and getattr(model, "main_input_name", "") == "input_ids"


def _quiet(names: dict[str, Any]) -> dict[str, Tree]:
    """A cache of keys and values is no result."""
    return {"use_cache": False} if "use_cache" in names else {}


def _form(name: str, config: Any, batch: int) -> Tree:
    vocabulary = int(_look(config, "vocab_size", 32))
    channels = int(_look(config, "num_channels", None) or _look(config, "in_channels", 3))
    mels = int(_look(config, "num_mel_bins", None) or _look(config, "input_feat_per_channel", 80))
    longest = int(_look(config, "max_position_embeddings", TIME))
    time = min(TIME, longest) if longest > 0 else TIME  # some say -1 for no limit
    frames = 2 * int(_look(config, "max_source_positions", 64))
    width = int(_look(config, "hidden_size", None) or _look(config, "cross_attention_dim", 32))
    forms: dict[str, Tree] = {
        "input_ids": Form((batch, time), "int64", vocabulary),
        "decoder_input_ids": Form((batch, time), "int64", vocabulary),
        "pixel_values": Form((batch, channels, *_edges(config)), "float"),
        "sample": Form((batch, channels, *_edges(config, "sample_size")), "float"),
        "timestep": Form((batch,), "int64", 1000),
        "encoder_hidden_states": Form((batch, time, width)),
        "hidden_states": Form((batch, time, width)),
        "input_features": Form((batch, mels, frames)),
        "feature_attention_mask": Form((batch, frames), "int64", fill=1.0),
        "image_sizes": torch.tensor([_edges(config)] * batch),
        "input_features_mask": Form((batch, frames), "int64", fill=1.0),
        "input_values": Form((batch, 16000)),
        "bbox": Form((batch, time, 4), "int64", fill=1.0),
        "attention_mask": Form((batch, time), "int64", fill=1.0),
        "inputs_embeds": None,
    }
    if name == "input_values" and hasattr(config, "max_length") and hasattr(config, "num_mel_bins"):
        return Form((batch, int(config.max_length), mels))
    if name == "pixel_values" and hasattr(config, "num_frames"):
        return Form((1, int(config.num_frames), channels, *_edges(config)))
    return forms.get(name)


def _edges(config: Any, name: str = "image_size") -> tuple[int, int]:
    size = _look(config, name, None) or _look(config, "image_size", None) or 224
    if isinstance(size, dict):
        size = tuple(size.values())
    return (int(size[0]), int(size[-1])) if isinstance(size, (tuple, list)) else (int(size), int(size))


def _look(config: Any, name: str, default: Any) -> Any:
    """An attribute of the configuration or of one nested in it."""
    for source in (config, *(inner for inner in getattr(config, "__dict__", {}).values() if hasattr(inner, "model_type"))):
        value = getattr(source, name, None)
        if value is not None and not callable(value):
            return value
    return default
