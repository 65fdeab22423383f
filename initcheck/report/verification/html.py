"""A verification as one HTML file: verdict, charts, tables and the result as JSON; no scripts, nothing from outside."""

from __future__ import annotations

import math
from html import escape

from initcheck.records.verification import RateResult, VariantResult, Verification
from initcheck.report.style import number, size
from initcheck.report.verification import json, words
from initcheck.report.verification.charts import Line, Scale, chart, decades

_STYLE = """
:root { color-scheme: light dark; --before: #6b7280; --after: #1565c0; --grid: #8884; }
@media (prefers-color-scheme: dark) { :root { --before: #a3a9b5; --after: #7ab8ff; } }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 920px; margin: 2em auto; padding: 0 1em; }
h1 { font-size: 1.2em; } h2 { font-size: 1em; margin: 1.6em 0 .4em; }
.verdict { font-size: 1.15em; font-weight: 600; border-left: .4em solid var(--after); padding: .3em .8em; margin: 1em 0; }
table { border-collapse: collapse; } th, td { text-align: right; padding: .15em .7em; border-bottom: 1px solid var(--grid); }
th:first-child, td:first-child { text-align: left; } .best { font-weight: 700; }
dt { font-weight: 600; } dd { margin: 0 0 .4em 0; }
.charts { display: flex; flex-wrap: wrap; gap: 1em; } figure { margin: 0; }
svg { max-width: 100%; height: auto; } svg text { font-size: 11px; fill: currentColor; }
.grid { stroke: var(--grid); } polyline { fill: none; stroke-width: 1; opacity: .35; }
polyline.strong { stroke-width: 2.4; opacity: 1; } polyline.before { stroke: var(--before); stroke-dasharray: 5 3; } polyline.after { stroke: var(--after); }
circle.before { fill: var(--before); } circle.after { fill: var(--after); }
.key { display: inline-block; width: 2.2em; vertical-align: middle; border-top: 3px solid; margin: 0 .4em 0 0; }
.key.before { border-color: var(--before); border-top-style: dashed; } .key.after { border-color: var(--after); }
details { margin-top: 1em; } pre { white-space: pre-wrap; }
@media print { details { display: none; } }
"""


def render(verification: Verification) -> str:
    """The whole page."""
    found = verification.verdict
    head = f'<p class="verdict">{words.MARKS[found]} {escape(words.verdict(verification))}</p>'
    remarks = "".join(f"<li>{escape(text)}</li>" for text in words.remarks(verification))
    parts = [f"<h1>initcheck verify: {escape(verification.target)}</h1>", head, f"<ul>{remarks}</ul>" if remarks else ""]
    if verification.results:
        parts += [_key(), _charts(verification), "<h2>At each learning rate</h2>", _table(verification)]
    parts += ["<h2>How this was measured</h2>", _setting(verification)]
    if verification.runs:
        parts.append(f"<details><summary>All {len(verification.runs)} runs</summary>{_runs(verification)}</details>")
    plain = json.render(verification).replace("<", "\\u003c")
    parts.append(f'<script type="application/json" id="verification">{plain}</script>')
    title = f"initcheck verify: {escape(verification.target)}: {found}"
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{title}</title><style>{_STYLE}</style></head><body>\n{chr(10).join(filter(None, parts))}\n</body></html>\n"
    )


def _key() -> str:
    strong = "thick: the mean at the best rate; thin: single runs"
    return f'<p><span class="key before"></span>before &nbsp; <span class="key after"></span>after &nbsp; <small>{strong}</small></p>'


def _charts(verification: Verification) -> str:
    return f'<div class="charts">{_loss_chart(verification)}{_rate_chart(verification)}</div>'


def _loss_chart(verification: Verification) -> str:
    """The losses of the best rate along the run."""
    lines = []
    for found in verification.results:
        own = [run for run in verification.runs if run.variant == found.name and run.rate == found.best]
        steps = max(run.steps for run in own)
        curves = [[(0.0, run.first), *_along(run.losses, run.steps)] for run in own]
        lines += [Line(tuple(curve), found.name, title=f"{found.name}, seed {run.seed}") for curve, run in zip(curves, own, strict=True)]
        means = [(points[0][0], math.fsum(y for _, y in points) / len(points)) for points in zip(*curves, strict=False)]
        lines.append(Line(tuple(means), found.name, strong=True, title=f"{found.name}, mean of {len(own)} seeds, {steps} steps"))
    last = max(run.steps for run in verification.runs)
    across = Scale(0, last, False, tuple((last * part / 4, f"{last * part / 4:.0f}") for part in range(5)), "step")
    up = decades([y for line in lines for _, y in line.points], "")
    about = "; ".join(f"{one.name}: {words.losses(one)} at lr {one.best:g}" for one in verification.results)
    return (
        f"<figure><figcaption>Loss at each variant's best rate</figcaption>{chart('Loss along the run', about, across, up, lines)}</figure>"
    )


def _along(losses: tuple[float, ...], steps: int) -> list[tuple[float, float]]:
    return [(steps * (index + 0.5) / len(losses), loss) for index, loss in enumerate(losses)]


def _rate_chart(verification: Verification) -> str:
    lines = []
    for found in verification.results:
        for seed in dict.fromkeys(run.seed for run in verification.runs):
            own = tuple((run.rate, run.score) for run in verification.runs if run.variant == found.name and run.seed == seed)
            lines.append(Line(own, found.name, title=f"{found.name}, seed {seed}"))
        lines.append(Line(tuple((one.rate, one.score) for one in found.rates), found.name, strong=True, title=f"{found.name}, mean"))
    rates = [one.rate for one in verification.results[0].rates]
    low, high = (rates[0], rates[-1]) if len(rates) > 1 else (rates[0] / 2, rates[0] * 2)
    across = Scale(low, high, True, tuple((rate, f"{rate:g}") for rate in rates), "learning rate")
    up = Scale(0, 1, False, tuple((part / 5, f"{20 * part} %") for part in range(6)), "")
    name = "Accuracy" if verification.task == "digits" else "Share of the targets' variance that is met"
    about = "; ".join(
        f"{one.name}: {', '.join(f'{words.percent(rate.score)} at {rate.rate:g}' for rate in one.rates)}" for one in verification.results
    )
    return f"<figure><figcaption>{name} by learning rate</figcaption>{chart(f'{name} by learning rate', about, across, up, lines)}</figure>"


def _table(verification: Verification) -> str:
    rates = [one.rate for one in verification.results[0].rates]
    head = "".join(f"<th>lr {rate:g}</th>" for rate in rates)
    rows = "".join(_row(found) for found in verification.results)
    return f"<table><tr><th></th>{head}<th>own best ± seeds</th><th>loss first → last</th></tr>{rows}</table>"


def _row(found: VariantResult) -> str:
    marks = {True: ' class="best"', False: ""}
    cells = "".join(f"<td{marks[one.rate == found.best]}>{escape(_cell(one))}</td>" for one in found.rates)
    best = f"{words.percent(found.score)} ± {100 * found.deviation:.1f}"
    return f"<tr><td>{found.name}</td>{cells}<td>{best}</td><td>{escape(words.losses(found))}</td></tr>"


def _cell(one: RateResult) -> str:
    return f"{words.percent(one.score)}{f' ({one.diverged} diverged)' if one.diverged else ''}"


def _setting(verification: Verification) -> str:
    items = [("data", words.data(verification)), ("runs", words.runs(verification))]
    for one in verification.variants:
        items.append((one.name, f"{one.what}: {one.model}, {size(one.parameters)}"))
        items += [("", text) for text in (*one.adapter, *one.notes)]
    items.append(("versions", f"initcheck {verification.version}, torch {verification.torch}, first seed {_first_seed(verification)}"))
    return f"<dl>{''.join(f'<dt>{escape(label)}</dt><dd>{escape(text)}</dd>' if label else f'<dd>{escape(text)}</dd>' for label, text in items)}</dl>"


def _first_seed(verification: Verification) -> int | str:
    return verification.plan.seeds[0] if verification.plan is not None else "-"


def _runs(verification: Verification) -> str:
    rows = "".join(
        f"<tr><td>{run.variant}</td><td>{run.rate:g}</td><td>{run.seed}</td><td>{run.state}</td><td>{words.percent(run.score)}</td>"
        f"<td>{number(run.first)}</td><td>{number(run.losses[-1]) if run.losses else '-'}</td></tr>"
        for run in verification.runs
    )
    return f"<table><tr><th>variant</th><th>lr</th><th>seed</th><th>state</th><th>score</th><th>first loss</th><th>last loss</th></tr>{rows}</table>"
