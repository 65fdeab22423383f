"""Sample inputs that the user's own source shows: `net(torch.randn(1, 3, 32, 32))` in a test, at the end of a file, in a docstring."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from initcheck.construct.inputs.declared import Plan
from initcheck.construct.inputs.grammar import form
from initcheck.construct.inputs.samples import Form
from initcheck.errors import UsageError

_FEW = 8
"""Examples of at most so many samples get as many as the measurement wants."""


def shown_plans(texts: tuple[str, ...], batch: int) -> Iterator[Plan]:
    """The examples as they are to be drawn, each with the wanted number of samples first, then as it stands.

    Args:
        texts: written as for `--input`, several arguments joined by `; `, and `  # line N` at the end.
        batch: number of samples.
    """
    for text in texts:
        written, _, place = text.partition("  # ")
        try:
            forms = tuple(_plain(form(part, batch, part)) for part in written.split("; "))
        except UsageError:
            continue  # what is not understood is no example
        origin = f"shown at {place}" if place else "shown in the file"
        first = forms[0].shape[0] if forms[0].shape else 0
        if 0 < first <= _FEW and first != batch:
            more = tuple(replace(one, shape=(batch, *one.shape[1:])) if one.shape[:1] == (first,) else one for one in forms)
            yield Plan(more, {}, origin, batch, shown=True)
        yield Plan(forms, {}, origin, first, shown=True)


def _plain(one: Form) -> Form:
    return replace(one, dtype="float") if one.dtype == "float32" else one
