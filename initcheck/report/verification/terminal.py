"""A verification at the terminal: what was trained, a row per variant, the verdict, and what else is to be known."""

from __future__ import annotations

import math

from initcheck.records.verification import TrainingRun, VariantResult, VariantSummary, Verification
from initcheck.report.sparkline import Axis, sparkline
from initcheck.report.style import Style, number, size
from initcheck.report.table import fitted
from initcheck.report.verification import words

LOSSES = Axis(-2, 1)
"""The axis of all loss curves, 0.01 to 10, so that curves can be compared by eye."""

_MARGIN = 9


def render(verification: Verification, *, color: bool, ascii_only: bool, width: int) -> str:
    """The whole text."""
    style = Style(color, ascii_only, max(width, 40))
    return style.finish("\n".join(lines(verification, style))) + "\n"


def lines(verification: Verification, style: Style) -> list[str]:
    """The same line by line, as a part of another text."""
    found = _labelled("data", words.data(verification), style)
    for one in verification.variants:
        found += _labelled(one.name, f"{one.what}  {one.model}, {size(one.parameters)}", style)
    found += _adapters(verification.variants, style)
    found += [line for one in verification.variants for note in one.notes for line in _labelled("note", f"{one.name}: {note}", style)]
    found += _labelled("runs", words.runs(verification), style)
    if verification.results:
        found += ["", *_table(verification, style), "", *_curves(verification, style)]
    verdict = verification.verdict
    mark = style.paint(words.MARKS[verdict], words.KINDS[verdict])
    found += [
        "",
        *[
            line.replace(words.MARKS[verdict], mark, 1)
            for line in style.wrap(words.verdict(verification), f"{words.MARKS[verdict]} ", "  ")
        ],
    ]
    found += [line for text in words.remarks(verification) for line in style.wrap(text, "  - ", "    ")]
    return found


def _labelled(label: str, text: str, style: Style) -> list[str]:
    return style.wrap(text, f"{label:<{_MARGIN}}", " " * _MARGIN)


def _adapters(variants: tuple[VariantSummary, ...], style: Style) -> list[str]:
    """How digits get in and out, once where it is the same for both."""
    if len({one.adapter for one in variants}) == 1:
        return _labelled("adapter", "; ".join(variants[0].adapter), style)
    return [line for one in variants for line in _labelled("adapter", f"{one.name}: {'; '.join(one.adapter)}", style)]


def _table(verification: Verification, style: Style) -> list[str]:
    score = "accuracy" if verification.task == "digits" else "variance met"
    rates = [one.rate for one in verification.results[0].rates]
    headers = [score, *(f"lr {rate:g}" for rate in rates), "best lr", "own best ± seeds", "loss first → last"]
    return fitted([_row(one) for one in verification.results], headers, style)


def _row(found: VariantResult) -> list[str]:
    cells = [f"{words.percent(one.score)}{' NaN' if one.diverged else ''}" for one in found.rates]
    return [found.name, *cells, f"{found.best:g}", f"{words.percent(found.score)} ± {100 * found.deviation:.1f}", words.losses(found)]


def _curves(verification: Verification, style: Style) -> list[str]:
    """The loss of each variant at its best rate, mean over the seeds."""
    lines = []
    for one in verification.results:
        curve = mean_curve(verification.runs, one)
        lines += style.wrap(f"{sparkline(curve, LOSSES)}  {number(one.first)} → {number(one.last)}", f"  loss {one.name:<8}", " " * 16)
    return [*lines, *style.wrap(str(LOSSES), "  ", "  ")] if lines else []


def mean_curve(runs: tuple[TrainingRun, ...], found: VariantResult) -> list[float]:
    """The losses along the run at the best rate, mean over the seeds, as far as all of them went."""
    own = [run.losses for run in runs if run.variant == found.name and run.rate == found.best]
    return [math.fsum(parts) / len(parts) for parts in zip(*own, strict=False)]
