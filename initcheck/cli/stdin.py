"""A source that comes on standard input, as editors send a file that is not saved yet."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from initcheck.errors import UsageError
from initcheck.source.reading import hand_over

UNNAMED = "<stdin>"
"""The name of a source that nobody named."""


def received(specs: Sequence[str], name: str | None) -> tuple[str, ...]:
    """The targets with `-` replaced by the file that standard input stands for; reads it if one of them asks for it.

    Raises:
        UsageError: when a name was given and nothing asks for it.
    """
    asked = [spec for spec in specs if _asks(spec)]
    if not asked:
        if name is not None:
            raise UsageError(
                "--stdin-filename names what comes on standard input, and no target is `-`", f"initcheck - --stdin-filename {name}"
            )
        return tuple(specs)
    path = name or UNNAMED
    hand_over(path, sys.stdin.buffer.read())
    return tuple(path + spec[1:] if _asks(spec) else spec for spec in specs)


def _asks(spec: str) -> bool:
    return spec == "-" or spec.startswith("-::")
