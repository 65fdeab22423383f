"""Tiny configurations for the architectures of transformers: the default one, with every size replaced by a small one."""

from __future__ import annotations

import dataclasses
import inspect
import re
from pathlib import Path
from typing import Any

RULES: tuple[tuple[str, int], ...] = (
    (r"(.*_)?vocab_size(_.*)?|unpadded_vocab_size", 99),
    (r"(.*_)?num_key_value_heads|n_head_kv|num_kv_heads|n_kv_heads", 2),
    (r"(.*_)?num_attention_heads|(.*_)?attention_heads|n_heads?|num_heads|(.*_)?num_heads|num_attention_heads_.*", 4),
    (r"mamba_n_heads", 8),
    (r"head_dim|attention_head_dim|d_kv|kv_channels|dim_head|v_head_dim|qk_nope_head_dim|attention_head_size|(.*_)?d_head|.*_head_dim", 16),
    (r"qk_rope_head_dim|rotary_dim", 8),
    (r"qk_head_dim", 24),
    (r"(.*_)?lora_rank", 16),
    (
        r"moe_intermediate_size|.*expert_intermediate_size|(.*_)?intermediate_size(_.*)?|(.*_)?ffn_dim|d_ff|(.*_)?mlp_dim|ffn_hidden_size|d_inner|dff|dim_feedforward",
        128,
    ),
    (
        r"(.*_)?hidden_size|d_model|n_embd|(.*_)?embed_dim|(.*_)?hidden_dim|(.*_)?embedding_size|embedding_dim|word_embed_proj_dim|dim|emb_dim",
        64,
    ),
    (r"projection_dim|(.*_)?proj_dim|pooler_output_size|classifier_proj_size|output_dim|codevector_dim|d_embed|lm_head_hidden_.*", 64),
    (
        r"num_hidden_layers|(en|de)coder_layers|n_layers?|num_layers|num_(en|de)coder_layers|(.*_)?num_(hidden_)?layers|depth|(en|de)coder_depth|attention_layers",
        2,
    ),
    (r"num_experts|num_local_experts|n_routed_experts|moe_num_experts|num_experts_.*(?<!per_tok)", 4),
    (r"num_experts_per_tok|moe_topk|moe_k|num_selected_experts|top_k_experts", 2),
    (r"n_group|topk_group", 1),
    (r"first_k_dense_replace", 1),
    (
        r"max_position_embeddings|n_positions|max_(source|target)_positions|n_ctx|context_length|max_seq_len|max_sequence_length|seq_length",
        128,
    ),
    (r"(.*_)?num_queries|num_query_tokens", 16),
    (r"codebook_size|num_embeddings|codebook_dim|num_codevectors_per_group", 32),
    (r"image_size|img_size|sample_size", 64),
    (r"patch_size", 16),
    (r"encoder_stride", 16),
    (r"sliding_window", 32),
    (r"upsample_groups", 64),
    (r"dim_model_base", 6),
    (r"mm_tokens_per_image", 4),
)
"""Field names (whole matches, first rule wins) and the largest value allowed."""

LISTS: tuple[tuple[str, int], ...] = (
    (r"depths|layers|num_blocks|stage_num_blocks|stage_numb_of_layers|blocks_per_stage", 1),
    (r"image_size|img_size", 64),
)

STDS = ("initializer_range", "init_std")
"""Fields that hold the standard deviation of weights, whatever their fan."""

TOKENS = {"pad": 0, "bos": 1, "cls": 1, "eos": 2, "sep": 2, "decoder_start": 1, "mask": 3}

OVERRIDES: dict[str, dict[str, Any]] = {
    "blip-2": {"image_token_index": 90},
    "instructblip": {"image_token_index": 90},
    "instructblipvideo": {"video_token_index": 90},
    "autoformer": {"prediction_length": 8, "context_length": 16},
    "esm": {"vocab_size": 33, "pad_token_id": 1, "mask_token_id": 32},
    "embedding_gemma2_text": {"global_head_dim": 16},
    "gemma4_text": {"global_head_dim": 16},
    "gemma4_unified_text": {"global_head_dim": 16},
    "gpt_neo": {"attention_types": [[["global", "local"], 1]], "num_layers": 2},
    "informer": {"prediction_length": 8, "context_length": 16},
    "mamba2": {"num_heads": 8, "head_dim": 16, "n_groups": 2},
    "reformer": {
        "is_decoder": True,
        "axial_pos_embds_dim": [32, 32],
        "axial_pos_shape": [4, 4],
        "num_buckets": 2,
        "max_position_embeddings": 16,
    },
    "time_series_transformer": {"prediction_length": 8, "context_length": 16},
    "wav2vec2-bert": {"vocab_size": 32},
    "wav2vec2-conformer": {"vocab_size": 32},
}
"""What the rules get wrong, by model type; nested configurations have their own entry."""


def small_config(kind: str, wanted: type | None = None) -> Any:
    """The tiny configuration of one registered model type, or the part of it that the class `wanted` configures."""
    from transformers import CONFIG_MAPPING

    config = _shrunk(CONFIG_MAPPING[kind]())
    if wanted is None or isinstance(config, wanted):
        return config
    return next((part for part in vars(config).values() if isinstance(part, wanted)), config)


def _shrunk(config: Any) -> Any:
    cls = type(config)
    values: dict[str, Any] = {}
    for field in dataclasses.fields(cls):
        value = _plain(config, field.name)
        small = _small(field.name, value)
        if small is not value or _given(field, value):
            values[field.name] = small
    if getattr(config, "out_features", None) and "depths" in vars(config):
        values["out_features"] = list(config.out_features)
    values |= _heads(config, values)
    values |= _layer_kinds(config)
    values |= _backbone(config)
    values |= _rotation(config)
    values |= _spread(config, values)
    values |= OVERRIDES.get(cls.model_type, {})
    made = cls(**values)
    if not any(hasattr(made, name) for name in (*STDS, "initializer_factor")) and isinstance(old := _plain(config, "hidden_size"), int):
        made.initializer_range = 0.02 * (old / 64) ** 0.5
    return made


def _given(field: Any, value: Any) -> bool:
    """Whether a composite gave another value than the class has by default (`None` stands for what is derived)."""
    default = field.default_factory() if field.default_factory is not dataclasses.MISSING else field.default
    if default is None or default is dataclasses.MISSING:
        return False
    numbers = isinstance(value, (list, tuple)) and all(isinstance(item, (int, float)) for item in value)
    return (numbers and list(value) != list(default)) or (isinstance(value, (int, float, str)) and value != default)


def _plain(config: Any, name: str) -> Any:
    """A field as it was given; some configurations refuse to tell one that differs between layers."""
    return vars(config).get(name)


def _heads(config: Any, values: dict[str, Any]) -> dict[str, Any]:
    """Keys and values share heads only where they did; per-stage heads must divide the width."""
    found: dict[str, Any] = {}
    if "head_dim" in vars(config) and _plain(config, "head_dim") is None:
        found["head_dim"] = 16
    heads, shared = _plain(config, "num_attention_heads"), _plain(config, "num_key_value_heads")
    if isinstance(heads, int) and heads == shared and "num_key_value_heads" in values:
        found["num_key_value_heads"] = values.get("num_attention_heads", heads)
    stages = _plain(config, "num_heads")
    if isinstance(stages, (list, tuple)) and isinstance(_plain(config, "embed_dim"), int):
        found["embed_dim"] = 8 * stages[0]
    return found


def _backbone(config: Any) -> dict[str, Any]:
    """A small residual network instead of a backbone that another library would have to build."""
    if getattr(_plain(config, "backbone_config"), "model_type", "") not in ("timm_backbone", "timm_wrapper"):
        return {}
    from transformers import ResNetConfig

    body = ResNetConfig(
        embedding_size=16,
        hidden_sizes=[16, 32, 48, 64],
        depths=[1, 1, 1, 1],
        layer_type="basic",
        out_features=["stage2", "stage3", "stage4"],
    )
    return {"backbone_config": body}


def _small(name: str, value: Any) -> Any:
    if hasattr(value, "to_dict") and dataclasses.is_dataclass(value):
        return _shrunk(value)
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, dict) and "mrope_section" in value:
        return {**value, "mrope_section": [2, 3, 3]}
    if isinstance(value, int):
        return _token(name, value) if name.endswith(("_token_id", "_token_index", "token_ids")) else _number(name, value, RULES)
    if name == "deepstack_visual_indexes" and value:
        return [0]
    if isinstance(value, (list, tuple)) and value and all(isinstance(item, int) and not isinstance(item, bool) for item in value):
        if name.endswith("token_id"):
            return _token(name, value[0])
        small = type(value)(_number(name, item, LISTS) for item in value)
        return value if small == value else small
    return value


def _number(name: str, value: int, rules: tuple[tuple[str, int], ...]) -> int:
    most = next((limit for pattern, limit in rules if re.fullmatch(pattern, name)), value)
    return min(value, most)


def _token(name: str, value: int) -> int:
    if value < 0:
        return value
    word = re.sub(r"_token_(id|index|ids)$", "", name)
    return TOKENS.get(word, 10 + sum(map(ord, word)) % 80 if value >= 99 else value)


def _spread(config: Any, values: dict[str, Any]) -> dict[str, Any]:
    """The standard deviation of the initialization, grown as the width shrinks: gains are those of the released sizes."""
    for width in ("hidden_size", "d_model", "n_embd", "dim", "embed_dim"):
        if width in values and isinstance(old := _plain(config, width), int):
            ratio = (old / values[width]) ** 0.5
            return {name: value * ratio for name in STDS if isinstance(value := _plain(config, name), float)}
    inner = [part for part in vars(config).values() if dataclasses.is_dataclass(part) and isinstance(_plain(part, "hidden_size"), int)]
    ratio = max(((_plain(part, "hidden_size") / 64) ** 0.5 for part in inner), default=1.0)
    return {name: value * ratio for name in STDS if isinstance(value := _plain(config, name), float)}


def _rotation(config: Any) -> dict[str, Any]:
    """Rotary positions on three axes, whose default sections are those of the large heads."""
    if "rope_parameters" not in vars(config):
        return {}
    folder = Path(inspect.getfile(type(config))).parent
    if not any("mrope_section" in path.read_text(encoding="utf-8") for path in folder.glob("modeling_*.py")):
        return {}
    given = _plain(config, "rope_parameters") or {}
    return {"rope_parameters": {"rope_type": "default", "rope_theta": 10000.0, **given, "mrope_section": [2, 3, 3]}}


def _layer_kinds(config: Any) -> dict[str, Any]:
    """One layer of each kind, at least two: hybrids show all of their blocks."""
    found: dict[str, Any] = {}
    names = {field.name for field in dataclasses.fields(type(config))}
    for name in ("layer_types", "mlp_layer_types", "layers_block_type"):
        kinds = getattr(config, name, None)
        if name in names and isinstance(kinds, (list, tuple)) and kinds:
            distinct = list(dict.fromkeys(kinds))
            found[name] = distinct if len(distinct) > 1 else distinct * 2
    count = max((len(kinds) for kinds in found.values()), default=0)
    if count and "num_hidden_layers" in names:
        found = {name: (kinds * count)[:count] if len(kinds) < count else kinds for name, kinds in found.items()}
        found["num_hidden_layers"] = count
    return found
