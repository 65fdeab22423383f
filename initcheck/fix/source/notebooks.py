"""A notebook's file with the text of some of its cells replaced, and every other byte as it was."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from initcheck.source import notebook

_SPACE = re.compile(r"[ \t\r\n]*")
_PLAIN = re.compile(r"[^\[\]{},:\"\s]+")
_decoder = json.JSONDecoder()


@dataclass(slots=True)
class _Place:
    """Where the source of one cell stands in the file: the whole value, and each line's text if it is a list."""

    start: int
    end: int
    lines: list[tuple[int, int]] | None


@dataclass(slots=True)
class NotebookFile:
    """The file's JSON text, its cells as Python, and where their sources stand."""

    json: str
    bom: bool
    cells: tuple[notebook.Cell, ...]
    places: dict[int, _Place]

    @classmethod
    def of(cls, path: str, data: bytes) -> NotebookFile:
        """Reads a notebook.

        Raises:
            ValueError: when the bytes are no notebook of the present format.
        """
        bom = data.startswith(b"\xef\xbb\xbf")
        text = data.decode("utf-8-sig")
        found = notebook.parse(text.encode(), path)
        return cls(text, bom, found.cells, _Scanner(text).sources())

    @property
    def text(self) -> str:
        """The Python source of all cells, one below the other."""
        return "".join(f"{line}\n" for cell in self.cells for line in cell.python)

    def replaced(self, changes: Sequence[tuple[int, int, str]]) -> bytes:
        """The file with these (start, end, text) changes of the Python source, which are in order.

        Raises:
            ValueError: when a change reaches over two cells, or touches a line that only IPython understands.
        """
        starts = [0]
        for text in self.text.split("\n"):
            starts.append(starts[-1] + len(text) + 1)
        per_cell: dict[int, list[tuple[int, int, str]]] = {}
        for start, end, text in changes:
            line = max(index for index, first in enumerate(starts) if first <= start)
            cell = next((one for one in self.cells if one.first <= line + 1 < one.first + len(one.python)), None)
            if cell is None:
                raise ValueError("the place lies outside of the cells")
            base = starts[cell.first - 1]
            per_cell.setdefault(cell.number, []).append((start - base, end - base, text))
        out = self.json
        for cell in sorted(self.cells, key=lambda one: -self.places[one.number].start if one.number in self.places else 0):
            if cell.number in per_cell:
                out = self._with(out, cell, per_cell[cell.number])
        return (b"\xef\xbb\xbf" if self.bom else b"") + out.encode()

    def _with(self, out: str, cell: notebook.Cell, changes: list[tuple[int, int, str]]) -> str:
        place = self.places.get(cell.number)
        if place is None:
            raise ValueError("the cell's source was not found in the file")
        old = _value(self.json, place)
        if tuple(old.splitlines()) != cell.written or "\r" in old:
            raise ValueError("the cell holds line ends that are not plain ones")
        new = _changed(cell, changes) + ("\n" if old.endswith("\n") else "")
        return out[: place.start] + self._spelled(place, new) + out[place.end :]

    def _spelled(self, place: _Place, new: str) -> str:
        """The new source as JSON in the manner of the old one; lines that stay keep their spelling."""
        raw = self.json[place.start : place.end]
        ascii_only = self.json.isascii()
        if place.lines is None:
            return json.dumps(new, ensure_ascii=ascii_only)
        known = {_decoder.decode(text): text for start, end in place.lines if (text := self.json[start:end])}
        items = [known.get(line) or json.dumps(line, ensure_ascii=ascii_only) for line in new.splitlines(keepends=True)]
        if not place.lines:
            return json.dumps(new.splitlines(keepends=True), ensure_ascii=ascii_only)
        first, last = place.lines[0], place.lines[-1]
        head, tail = raw[: first[0] - place.start], raw[last[1] - place.start :]
        gap = self.json[place.lines[0][1] : place.lines[1][0]] if len(place.lines) > 1 else f",{head[1:]}"
        return head + gap.join(items) + tail


def _value(text: str, place: _Place) -> str:
    if place.lines is None:
        return str(_decoder.decode(text[place.start : place.end]))
    return "".join(str(_decoder.decode(text[start:end])) for start, end in place.lines)


def _changed(cell: notebook.Cell, changes: list[tuple[int, int, str]]) -> str:
    """The cell as it is written, with the changes that were made to its Python."""
    starts = [0]
    for line in cell.python:
        starts.append(starts[-1] + len(line) + 1)
    moved = []
    base = [0]
    for line in cell.written:
        base.append(base[-1] + len(line) + 1)
    for start, end, text in changes:
        first = max(index for index, at in enumerate(starts) if at <= start)
        last = max(index for index, at in enumerate(starts) if at <= end)
        pure = start == end and start == starts[first]
        if not pure and any(cell.written[index] != cell.python[index] for index in range(first, min(last + 1, len(cell.python)))):
            raise ValueError("the line is one that only IPython understands")
        moved.append((base[first] + start - starts[first], base[last] + end - starts[last], text))
    written, out, at = "\n".join(cell.written), [], 0
    for start, end, text in moved:
        out += [written[at:start], text]
        at = end
    return "".join([*out, written[at:]])


class _Scanner:
    """Walks over JSON text and notes where the sources of the code cells stand."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._found: dict[int, _Place] = {}

    def sources(self) -> dict[int, _Place]:
        """The places by the position of the cell, from 1."""
        self._read(())
        return self._found

    def _read(self, path: tuple[str | int, ...]) -> None:
        self._skip()
        start, opening = self._at, self._text[self._at]
        wanted = len(path) == 3 and path[0] == "cells" and path[2] == "source"
        lines: list[tuple[int, int]] | None = None
        if opening in "[{":
            lines = self._inside(path, opening)
        elif opening == '"':
            self._string()
        else:
            match = _PLAIN.match(self._text, self._at)
            self._at = match.end() if match else self._at + 1
        if wanted:
            self._found[int(path[1]) + 1] = _Place(start, self._at, lines if opening == "[" else None)

    def _inside(self, path: tuple[str | int, ...], opening: str) -> list[tuple[int, int]]:
        closing, items, index = "]" if opening == "[" else "}", [], 0
        self._at += 1
        self._skip()
        while self._text[self._at] != closing:
            key: str | int = index
            if opening == "{":
                key = self._string()
                self._skip()
                self._at += 1
            self._skip()
            start = self._at
            self._read((*path, key))
            items.append((start, self._at))
            self._skip()
            if self._text[self._at] == ",":
                self._at += 1
                self._skip()
            index += 1
        self._at += 1
        return items

    def _string(self) -> str:
        value, self._at = _decoder.raw_decode(self._text, self._at)
        return str(value)

    def _skip(self) -> None:
        match = _SPACE.match(self._text, self._at)
        self._at = match.end() if match else self._at
