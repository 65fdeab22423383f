"""`from_pretrained` of transformers without a network: weights of the cache, else the architecture alone, where it is known."""

from __future__ import annotations

import inspect
import re
import sys
from typing import Any

from initcheck.construct.recording.frames import Kind, kind_of
from initcheck.construct.stand_ins.missing import user_site
from initcheck.construct.stand_ins.objects import About, StandIn
from initcheck.construct.stand_ins.unloaded import Loading
from initcheck.errors import TargetError
from initcheck.source.hub import PUBLISHERS

_HEADS = re.compile(r"For(\w*Classification|MultipleChoice|QuestionAnswering|NextSentencePrediction)$|DoubleHeads")
"""Classes whose head no checkpoint of a plain language model fills."""
_BERT = {"hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12, "intermediate_size": 3072, "max_position_embeddings": 512}
_BERT_LARGE = {**_BERT, "hidden_size": 1024, "num_hidden_layers": 24, "num_attention_heads": 16, "intermediate_size": 4096}
_GPT2 = {"vocab_size": 50257, "n_positions": 1024}
_ROBERTA = {"vocab_size": 50265, "max_position_embeddings": 514, "type_vocab_size": 1, "layer_norm_eps": 1e-5}
_T5 = {"vocab_size": 32128, "d_kv": 64}

KNOWN: dict[str, tuple[str, dict[str, Any]]] = {
    "bert-base-uncased": ("bert", {**_BERT, "vocab_size": 30522}),
    "bert-base-cased": ("bert", {**_BERT, "vocab_size": 28996}),
    "bert-base-multilingual-cased": ("bert", {**_BERT, "vocab_size": 119547}),
    "bert-base-chinese": ("bert", {**_BERT, "vocab_size": 21128}),
    "bert-large-uncased": ("bert", {**_BERT_LARGE, "vocab_size": 30522}),
    "bert-large-cased": ("bert", {**_BERT_LARGE, "vocab_size": 28996}),
    "distilbert-base-uncased": ("distilbert", {"vocab_size": 30522, "dim": 768, "n_layers": 6, "n_heads": 12, "hidden_dim": 3072}),
    "distilbert-base-cased": ("distilbert", {"vocab_size": 28996, "dim": 768, "n_layers": 6, "n_heads": 12, "hidden_dim": 3072}),
    "roberta-base": ("roberta", {**_BERT, **_ROBERTA}),
    "roberta-large": ("roberta", {**_BERT_LARGE, **_ROBERTA}),
    "xlm-roberta-base": ("xlm-roberta", {**_BERT, **_ROBERTA, "vocab_size": 250002}),
    "gpt2": ("gpt2", {**_GPT2, "n_embd": 768, "n_layer": 12, "n_head": 12}),
    "gpt2-medium": ("gpt2", {**_GPT2, "n_embd": 1024, "n_layer": 24, "n_head": 16}),
    "gpt2-large": ("gpt2", {**_GPT2, "n_embd": 1280, "n_layer": 36, "n_head": 20}),
    "gpt2-xl": ("gpt2", {**_GPT2, "n_embd": 1600, "n_layer": 48, "n_head": 25}),
    "distilgpt2": ("gpt2", {**_GPT2, "n_embd": 768, "n_layer": 6, "n_head": 12}),
    "t5-small": ("t5", {**_T5, "d_model": 512, "d_ff": 2048, "num_layers": 6, "num_heads": 8}),
    "t5-base": ("t5", {**_T5, "d_model": 768, "d_ff": 3072, "num_layers": 12, "num_heads": 12}),
}
"""Published models whose configuration is stated in full here: the model type and what is not the default of its class."""


class Pretrained:
    """Replaces `from_pretrained` of the base classes while a model is built."""

    MODULES = (
        "transformers.modeling_utils",
        "transformers.models.auto.modeling_auto",
        "transformers.models.auto.configuration_auto",
        "transformers.configuration_utils",
        "transformers.tokenization_utils_base",
        "transformers.models.auto.tokenization_auto",
        "transformers.models.auto.image_processing_auto",
        "transformers.models.auto.feature_extraction_auto",
        "transformers.models.auto.processing_auto",
    )

    def __init__(self, loading: Loading) -> None:
        self._loading = loading
        self._changed: list[tuple[type, str, Any]] = []

    def hook(self, module: Any) -> None:
        """Fits the classes of one module of transformers."""
        last = module.__name__.rsplit(".", 1)[-1]
        if last == "modeling_utils":
            self._replace(module.PreTrainedModel, self._model)
        elif last == "modeling_auto":
            for kind in vars(module).values():  # each of these classes has a copy of the method
                if isinstance(kind, type) and kind.__module__ == module.__name__ and "from_pretrained" in vars(kind):
                    self._replace(kind, self._model)
        elif last == "configuration_auto":
            self._replace(module.AutoConfig, self._configuration)
        elif last == "configuration_utils":
            self._replace(getattr(module, "PreTrainedConfig", None) or module.PretrainedConfig, self._configuration)
        elif last == "tokenization_utils_base":
            self._replace(module.PreTrainedTokenizerBase, self._tokenizer)
        else:
            name = {"tokenization": "AutoTokenizer", "image": "AutoImageProcessor", "feature": "AutoFeatureExtractor"}
            self._replace(getattr(module, name.get(last.split("_")[0], "AutoProcessor")), self._tokenizer)

    def restore(self) -> None:
        """Gives the classes their own methods back."""
        for owner, name, before in reversed(self._changed):
            setattr(owner, name, before)
        self._changed.clear()

    def _replace(self, owner: Any, answer: Any) -> None:
        before = owner.__dict__["from_pretrained"]
        function = before.__func__ if isinstance(before, (classmethod, staticmethod)) else before
        bound = isinstance(before, classmethod)

        def from_pretrained(cls: Any, reference: Any, *args: Any, **kwargs: Any) -> Any:
            def real(**options: Any) -> Any:
                given = {**kwargs, **options}
                return function(cls, reference, *args, **given) if bound else function(reference, *args, **given)

            if kind_of(sys._getframe(1).f_code) is not Kind.USER:  # noqa: SLF001  (whose code asks decides)
                return real()
            return answer(cls, str(reference), kwargs, real)

        self._changed.append((owner, "from_pretrained", before))
        owner.from_pretrained = classmethod(from_pretrained)

    def _model(self, cls: Any, reference: str, options: dict[str, Any], real: Any) -> Any:
        try:
            return real(local_files_only=True)
        except OSError:
            config = options.get("config") or _config(cls, reference)
        if config is None or isinstance(config, str):
            raise _offline(f"the configuration of {reference}", reference, "config.json")
        for name, value in options.items():
            if hasattr(config, name):
                setattr(config, name, value)
        auto = not inspect.isclass(cls) or not hasattr(cls, "config_class") or cls.config_class is None
        model = cls.from_config(config) if auto else cls(config)
        self._loading.mark(_filled(model), self._loading.absent(reference).absence)
        return model

    def _configuration(self, cls: Any, reference: str, options: dict[str, Any], real: Any) -> Any:
        try:
            return real(local_files_only=True)
        except OSError:
            found = published(reference)
        if found is None or (cls.__name__ != "AutoConfig" and not isinstance(found, cls)):
            raise _offline(f"the configuration of {reference}", reference, "config.json")
        for name, value in options.items():
            setattr(found, name, value)
        return found

    def _tokenizer(self, cls: Any, reference: str, _options: dict[str, Any], real: Any) -> Any:
        try:
            return real(local_files_only=True)
        except (OSError, ValueError):
            what = f"the {'tokenizer' if 'Token' in cls.__name__ else 'preprocessing'} of {reference}"
            return StandIn(About(what, "transformers", absent=_offline(what, reference, "")))


def _filled(model: Any) -> Any:
    """The part of a model that its checkpoint fills."""
    prefix = getattr(model, "base_model_prefix", "")
    return getattr(model, prefix, model) if prefix and _HEADS.search(type(model).__name__) else model


def _config(cls: Any, reference: str) -> Any:
    """The configuration of a model from the local cache, else from what is known; None when neither tells."""
    import transformers

    try:
        return transformers.AutoConfig.from_pretrained(reference, local_files_only=True)
    except OSError:
        found = published(reference)
    expected = getattr(cls, "config_class", None)
    return found if found is None or expected is None or isinstance(found, expected) else None


def published(reference: str) -> Any:
    """The configuration of a well-known model as it was published; None for any other."""
    import transformers

    name = next((reference.removeprefix(owner) for owner in PUBLISHERS if reference.startswith(owner)), reference)
    if name not in KNOWN:
        return None
    kind, values = KNOWN[name]
    config = transformers.AutoConfig.for_model(kind, **values)
    config.name_or_path = reference
    return config


def _offline(what: str, reference: str, file: str) -> TargetError:
    site = user_site()
    if reference.startswith((".", "/", "~")) or reference.count("/") > 1:
        message = f"{f'{site} needs' if site else 'the model needs'} {what}; there is no such folder"
        return TargetError(message, f"put {reference} there, or run initcheck from the folder that holds it", name="file-missing")
    message = f"{f'{site} needs' if site else 'the model needs'} {what}; it is not on this machine, and initcheck works offline"
    return TargetError(message, f"hf download {reference} {file}".strip(), name="offline")
