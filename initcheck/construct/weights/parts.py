"""Weights that lie in several files behind an index."""

from __future__ import annotations

import json
from pathlib import Path, PurePath

from initcheck.construct.weights.content import damaged


def parts_of(index: str) -> dict[str, str]:
    """Which part (a path beside the index) each tensor lies in.

    Raises:
        TargetError: when the index is no index, names a file elsewhere, or one that is not there.
    """
    try:
        found = json.loads(Path(index).read_bytes())["weight_map"]
        named = {str(name): str(file) for name, file in found.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise damaged(index, f"it is no index of weights ({type(error).__name__}: {error})") from error
    folder = Path(index).parent
    for file in sorted(set(named.values())):
        if PurePath(file).name != file or file in ("", ".", ".."):
            raise damaged(index, f"it names a file outside of its folder: {file}")
        if not (folder / file).is_file():
            raise damaged(index, f"its part {file} is missing", f"fetch it: {folder / file}")
    return {name: str(folder / file) for name, file in named.items()}
