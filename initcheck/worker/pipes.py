"""Lines through pipes by descriptor alone: user code that replaces or closes Python's streams does not reach these."""

from __future__ import annotations

import json
import os
from typing import Any

_CHUNK = 1 << 16


class Pipe:
    """The writing end: one JSON value a line, after `mark`, which tells the line from what else gets into the pipe."""

    def __init__(self, descriptor: int, mark: str = "") -> None:
        self.descriptor = descriptor
        self._mark = mark

    def write(self, message: dict[str, Any]) -> None:
        """Writes a message whole."""
        data = memoryview(f"{self._mark}{json.dumps(message)}\n".encode())
        while data:
            data = data[os.write(self.descriptor, data) :]


class Lines:
    """The reading end, which never waits. A line beyond `longest` bytes is cut."""

    def __init__(self, descriptor: int, longest: int = 0) -> None:
        self.descriptor = descriptor
        self.open = True
        self._longest = longest
        self._rest = bytearray()
        os.set_blocking(descriptor, False)

    def read(self, *, to_the_end: bool = False) -> list[bytes]:
        """The whole lines that have come; `to_the_end` takes what there is and an unfinished line too."""
        lines: list[bytes] = []
        while self.open:
            try:
                data = os.read(self.descriptor, _CHUNK)
            except BlockingIOError:
                break
            except OSError:
                data = b""
            if not data:
                self.open = False
                break
            self._split(data, lines)
            if not to_the_end:
                break
        if self._rest and (to_the_end or not self.open):
            lines.append(bytes(self._rest))
            self._rest.clear()
        return lines

    def _split(self, data: bytes, lines: list[bytes]) -> None:
        first, *others = data.split(b"\n")
        self._add(first)
        for piece in others:
            lines.append(bytes(self._rest))
            self._rest.clear()
            self._add(piece)

    def _add(self, piece: bytes) -> None:
        room = self._longest - len(self._rest) if self._longest else len(piece)
        self._rest += piece[: max(0, room)]

    def close(self) -> None:
        """Gives the descriptor back."""
        os.close(self.descriptor)
