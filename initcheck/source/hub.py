"""What the local cache of the Hugging Face hub holds, looked up without its library: an answer at once."""

from __future__ import annotations

import os
from pathlib import Path

PUBLISHERS = ("google-bert/", "openai-community/", "FacebookAI/", "google-t5/", "distilbert/")
"""Owners of models whose configuration may be known without the cache."""


def surely_absent(reference: str) -> bool:
    """Whether an `owner/name` is neither in the cache nor a model that may be known anyway; a bare name is never surely absent."""
    owner, mark, _ = reference.partition("/")
    if not mark or f"{owner}/" in PUBLISHERS or reference.count("/") > 1:
        return False
    folder = f"models--{reference.replace('/', '--')}"
    return not any(next((root / folder).glob("snapshots/*/config.json"), None) for root in _caches())


def _caches() -> list[Path]:
    named = [os.environ.get(name) for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "TRANSFORMERS_CACHE")]
    home = os.environ.get("HF_HOME")
    general = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return [Path(name).expanduser() for name in named if name] + [Path(home or Path(general) / "huggingface").expanduser() / "hub"]
