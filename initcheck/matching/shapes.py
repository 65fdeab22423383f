"""Why a stored tensor has another shape than the model's of the same name, in words that say what to do."""

from __future__ import annotations

import math
import re

Shape = tuple[int, ...]

_TABLE = re.compile(
    r"(?:^|[._])(?:word_embeddings?|tok\w*|wte|embed(?:ding)?s?|embed_tokens|shared|vocab\w*|lm_head|decoder)(?:[._]|$)", re.IGNORECASE
)
_POSITION = re.compile(r"pos(?:ition)?(?:al|s)?(?:_?emb\w*|_ids|ition\w*)?(?:[._]|$)|(?:^|[._])wpe(?:[._]|$)", re.IGNORECASE)
_PATCH = re.compile(r"patch|(?:^|[._])(?:stem|conv_?1|conv_proj|conv_stem|conv0|features\.0)(?:[._]|$)", re.IGNORECASE)
_HEAD = re.compile(
    r"(?:^|[._])(?:head|heads|fc|classifier|logits?|out(?:put)?(?:_proj|_layer)?|score|cls|predictions?|qa_outputs|linear|last_linear)(?:[._]|\d|$)",
    re.IGNORECASE,
)
_SQUARES = (0, 1, 2, 5)
"""Tokens that stand before the grid of an image's patches: none, a class token, two, a class token and four registers."""


def is_head(name: str) -> bool:
    """Whether a name is one that last layers usually have."""
    return bool(_HEAD.search(name))


def why(name: str, stored: Shape, own: Shape) -> str:
    """What the two shapes tell: other classes, vocabulary, positions, patches or channels, a transposed matrix; empty if nothing."""
    if stored == own:
        return ""
    if len(stored) == len(own) and [a for a, b in zip(stored, own, strict=True) if a != b]:
        different = [axis for axis, (a, b) in enumerate(zip(stored, own, strict=True)) if a != b]
        found = _one_axis(name, stored, own, different[0]) if len(different) == 1 else _several(name, stored, own, different)
        if found:
            return found
    if len(stored) == 2 and stored == own[::-1]:
        return "the same matrix transposed, as between nn.Linear and the Conv1D of GPT-2: load its transpose"
    if math.prod(stored) == math.prod(own):
        return "the same number of elements in another shape: reshape it if the order is the same"
    return "another width" if len(stored) == len(own) == 2 else ""


def _one_axis(name: str, stored: Shape, own: Shape, axis: int) -> str:
    before, now = stored[axis], own[axis]
    if _POSITION.search(name):
        return _positions(before, now)
    if axis == 0 and len(stored) == 2 and _TABLE.search(name):
        return _vocabulary(before, now)
    if len(stored) == 4 and axis == 1:
        return _channels(before, now)
    if axis == 0 and is_head(name) and len(stored) <= 2:
        return f"{before:,} classes in the file, {now:,} in the model"
    if axis == 0 and len(stored) == 2 and before > 1000 and now > 1000:
        return _vocabulary(before, now)
    kind = "units" if axis == 0 else "inputs"
    return f"{before:,} {kind} in the file, {now:,} in the model: another width"


def _several(name: str, stored: Shape, own: Shape, different: list[int]) -> str:
    if len(stored) == 4 and min(different) >= 2:
        sizes = f"{stored[2]}×{stored[3]} in the file, {own[2]}×{own[3]} in the model"
        return f"patches of {sizes}: resample the kernel" if _PATCH.search(name) else f"kernels of {sizes}"
    return ""


def _positions(before: int, now: int) -> str:
    for extra in _SQUARES:
        old, new = math.isqrt(max(before - extra, 0)), math.isqrt(max(now - extra, 0))
        if old > 1 and new > 1 and old * old + extra == before and new * new + extra == now:
            token = "" if not extra else f" and {extra} more"
            return f"positions of a {old}×{old} grid{token} in the file, of {new}×{new} in the model: interpolate them"
    advice = "interpolate them" if now > before else "the first of them fit, or interpolate"
    return f"{before:,} positions in the file, {now:,} in the model: {advice}"


def _vocabulary(before: int, now: int) -> str:
    copy = f"copy the {min(before, now):,} common rows if the order of the tokens is the same"
    return f"a vocabulary of {before:,} in the file, of {now:,} in the model: {copy}"


def _channels(before: int, now: int) -> str:
    if now == 1:
        return f"{before} input channels in the file, 1 in the model: sum the kernel over them"
    if before == 1:
        return f"1 input channel in the file, {now} in the model: repeat the kernel and divide it by {now}"
    return f"{before} input channels in the file, {now} in the model"
