"""Files that are taken to hold something else than they do: read, sliced and imported as if the change had been written already."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import linecache
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from pathlib import Path
from types import ModuleType

from initcheck.source.reading import hand_over, take_back

Drafts = Iterable[tuple[str, str]]
"""Absolute paths with the content that stands for them, bytes that are no UTF-8 as lone surrogates."""


@contextmanager
def drafted(drafts: Drafts) -> Iterator[None]:
    """Within this block the drafts stand for their files, however these are spelled."""
    contents = {path: text.encode("utf-8", "surrogateescape") for path, text in drafts}
    if not contents:
        yield
        return
    for path, content in contents.items():
        hand_over(path, content)
    finder = _Finder(contents)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for path in contents:
            take_back(path)
        for name in [name for name in linecache.cache if name.endswith((".py", ".ipynb")) and str(Path(name).resolve()) in contents]:
            del linecache.cache[name]


class _Finder(MetaPathFinder):
    """Finds modules as ever, and gives those a loader of ours whose files have drafts."""

    def __init__(self, contents: dict[str, bytes]) -> None:
        self._contents = contents

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """The place of a module that has a draft; None leaves the module to the other finders."""
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        origin = spec.origin if spec is not None else None
        if spec is None or not origin:
            return None
        content = self._contents.get(str(Path(origin).resolve()))
        if content is None:
            return None
        spec.loader = _Loader(fullname, origin, content)
        spec.cached = None
        return spec


class _Loader(importlib.machinery.SourceFileLoader):
    """Loads a draft in the place of its file; nothing compiled is read or kept."""

    def __init__(self, fullname: str, path: str, content: bytes) -> None:
        super().__init__(fullname, path)
        self._content = content
        lines = importlib.util.decode_source(content).splitlines(keepends=True)
        linecache.cache[path] = (len(content), None, lines, path)

    def path_stats(self, path: str) -> dict[str, float]:
        """Refused, so that no compiled file is taken for this source."""
        raise OSError(path)

    def get_data(self, path: str) -> bytes:
        """The draft."""
        return self._content if path == self.path else super().get_data(path)
