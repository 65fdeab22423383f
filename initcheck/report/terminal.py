"""The full report for people at a terminal."""

from __future__ import annotations

from initcheck.records.finding import Finding
from initcheck.records.report import ModelReport, Report
from initcheck.records.target import Built, Target
from initcheck.report.frames import failure_frame, finding_frame
from initcheck.report.style import Style, cells, count, shown_path, size
from initcheck.report.summary import fixable, measured, read_only, result, unjudged

REASONS = 6
"""Lines of the footer that tell what was not judged."""

READ = "read from the source; nothing was executed"
"""How a model was built that was not built."""

SIGNAL_FAMILY = "IC1"
"""Codes that begin so are about the signal: their frame shows the profile through depth."""


def render(report: Report, *, color: bool, ascii_only: bool, width: int, verbose: bool = False, quiet: bool = False) -> str:
    """The report as text that ends in a newline.

    `verbose` lists every judgement that was not possible; `quiet` leaves out the clean models and the footer's details.
    """
    style = Style(color, ascii_only, max(width, 40))
    blocks = []
    for index, model in enumerate(report.models):
        twin = next((other for other in report.models[:index] if _alike(model, other)), None)
        block = _model(model, style) if twin is None else _again(model, twin, style)
        if block and not (quiet and _is_clean(model)):
            blocks.append(block)
    blocks += [failure_frame(failure, style) for failure in report.failures]
    if not (quiet and not blocks):
        blocks.append(_footer(report, style, verbose=verbose, quiet=quiet))
    text = _joined(blocks, report)
    return style.finish(f"{text}\n") if text else ""


def _alike(model: ModelReport, other: ModelReport) -> bool:
    """Whether two models of one file are of one class and have the same faults on the same lines."""
    same = model.target.path == other.target.path and model.model == other.model and not model.failures and not other.failures
    return same and bool(model.findings) and _faults(model) == _faults(other)


def _faults(model: ModelReport) -> list[object]:
    return [(finding.code, finding.severity, finding.parameters, finding.location) for finding in model.findings]


def _again(model: ModelReport, twin: ModelReport, style: Style) -> list[str]:
    return [_name(model, style), *style.wrap(f"the same {count(len(model.findings), 'finding')} as {twin.target.spec}", "  ", "  ")]


def _joined(blocks: list[list[str]], report: Report) -> str:
    # clean models stand in a list without gaps; everything else is set apart by an empty line
    dense = not report.findings and not report.all_failures
    return ("\n" if dense else "\n\n").join("\n".join(block) for block in blocks if block)


def _is_clean(model: ModelReport) -> bool:
    return measured(model) and not model.findings


def _model(model: ModelReport, style: Style) -> list[str]:
    if _is_clean(model):
        return _clean(model, style)
    # a target that was never built has nothing to introduce: the failure says it all
    parts = [_header(model, style)] if model.model or model.built or model.findings else []
    if not measured(model) and not read_only(model) and not model.failures:
        parts.append(style.wrap("not measured: the model did not run, so what is silent here says nothing", "  ", "  "))
    drawn = False
    for finding in model.findings:
        draws = not drawn and _about_signal(finding)
        parts.append(finding_frame(finding, model.layers if draws else (), style))
        drawn = drawn or draws
    broken = [failure_frame(failure, style) for failure in model.failures]
    # what was read in the place of a model that could not be built comes after the reason
    parts = [*broken, *parts] if model.built is not None and model.built.source_only else [*parts, *broken]
    return "\n\n".join("\n".join(part) for part in parts if part).split("\n")


def _about_signal(finding: Finding) -> bool:
    return finding.code.startswith(SIGNAL_FAMILY) or bool(finding.symptoms)


def _clean(model: ModelReport, style: Style) -> list[str]:
    shown = model.input.text if model.input is not None else ""
    rules = f"no findings ({count(len(model.checked), 'rule')})"
    run = f"input {shown}" if model.target.kind != "weights" or shown else "no model, only the weights"
    text = f"{model.target.spec}  {model.model}, {size(model.parameters)} · {run} · {rules}"
    mark = style.finish("✓")
    first, *rest = style.wrap(text, f"{mark} ", " " * (len(mark) + 1))
    return [style.paint(mark, "good") + first[len(mark) :], *rest]


def _header(model: ModelReport, style: Style) -> list[str]:
    lines = [_name(model, style)]
    built = model.built
    if built is not None:
        line = _from(built, model.target)
        ran = f" · {built.stopped}" if built.stopped else ""
        ran += f" · executed {built.executed} of {built.statements} top-level statements" if built.statements else ""
        text = (
            f"{line}`{built.expression}`{ran}"
            if not built.source_only
            else READ + (", what follows is known from the source alone" if model.failures else "")
        )
        lines += style.wrap(text, "  built   ", " " * 10)
        if built.skipped:
            lines += style.wrap(f"not executed: {', '.join(built.skipped)}", " " * 10, " " * 10)
        if built.guessed:
            lines += style.wrap(f"guessed: {', '.join(built.guessed)} (the source does not tell)", " " * 10, " " * 10)
        for note in built.notes:
            lines += style.wrap(f"note: {note}", " " * 10, " " * 10)
    if model.input is not None:
        lines += style.wrap(f"{model.input.text}  {model.input.origin}".rstrip(), "  input   ", " " * 10)
    return lines


def _name(model: ModelReport, style: Style) -> str:
    counted = size(model.parameters) if model.parameters or model.built is None or not model.built.source_only else "size not known"
    about = f"  {model.model}, {counted}" if model.model else ""
    return style.paint(model.target.spec, "strong") + about


def _from(built: Built, target: Target) -> str:
    """Where the expression stands that made the model."""
    place = built.location
    if place is None or not place.line:
        return "by "
    return (
        f"from line {place.line} " if shown_path(place.path) == shown_path(target.path) else f"from {shown_path(place.path)}:{place.line} "
    )


def _footer(report: Report, style: Style, *, verbose: bool, quiet: bool) -> list[str]:
    said = result(report)
    kind = "good" if report.models and not report.findings and said.startswith("All clear") else "strong"
    lines = [style.paint(part, kind) for part in style.wrap(said)]
    if quiet:
        return lines
    groups = unjudged(report.skips)
    if groups:
        total = sum(group.times for group in groups)
        lines.append(f"Not judged: {count(total, 'time')}, because")
        for group in groups if verbose else groups[:REASONS]:
            lines += style.wrap(str(group), f"  {group.times:>4} × ", " " * 9)
        if not verbose and len(groups) > REASONS:
            lines.append(f"         and {count(len(groups) - REASONS, 'other reason')} (-v shows all)")
    lines += _remedies(report, style)
    if report.findings:
        lines += style.wrap(f"Why? `initcheck rule {report.findings[0].code}`")
    return lines


def _remedies(report: Report, style: Style) -> list[str]:
    """How many findings can be fixed and by what; a command that the line has no room for has one of its own, so that it can be pasted."""
    said, command = fixable(report)
    line = f"{said}: `{command}` shows how."
    if not command:
        return []
    return [line] if cells(line) <= style.width else [f"{said}:", f"  {command}"]
