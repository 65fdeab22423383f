"""`initcheck load TARGET --from SRC`: fill a model with stored weights and prove that they arrived."""

from __future__ import annotations

import dataclasses
from contextlib import nullcontext
from typing import Any

import click

from initcheck.cli import session
from initcheck.cli.context import Console, console
from initcheck.cli.options import SETTINGS, Word, appearance, flat, running
from initcheck.cli.training import tried, verifying, wished
from initcheck.config import Configuration, load
from initcheck.errors import ExitCode, NothingToCheck, UsageError
from initcheck.matching.renaming import parsed
from initcheck.records.finding import SEVERITIES, Failure
from initcheck.records.loading import LoadReport
from initcheck.records.report import ModelReport
from initcheck.records.settings import Settings
from initcheck.records.target import Fill, Target
from initcheck.records.verification import PRETRAINED, Wish
from initcheck.remedy.loading import file_format, report_of, reserved, with_fill
from initcheck.report.frames import failure_frame
from initcheck.report.style import Style


@click.command("load")
@click.argument("target")
@click.option(
    "--from", "source", required=True, metavar="SRC", help="A file or folder of weights, torchvision:NAME[:WEIGHTS], hf:…, timm:…."
)
@click.option("-o", "--output", "out", default="", metavar="FILE", help="Write the filled model: .safetensors or .pt.")
@click.option(
    "--rename", "renames", multiple=True, metavar="OLD=NEW", help="Stored names that begin with OLD begin with NEW; * is one part."
)
@click.option("--fix-missing", is_flag=True, help="Draw what stays random by the scheme that is recommended for its place.")
@click.option("--strict", is_flag=True, help="Whatever is missing, mismatched or left over gives exit code 1.")
@verifying
@running
@click.option("--fail-on", type=Word(tuple(reversed(SEVERITIES))), help="Mildest severity that gives exit code 1 (warning).")
@click.option("--output-format", type=Word(("full", "json")), default="full", help="What standard output shows.")
@appearance
def command(target: str, source: str, **options: Any) -> int:
    """Build TARGET, load the weights of SRC into it, and report what arrived, what did not, and what stays random.

    Every loaded tensor is compared with the file bit for bit. Nothing is downloaded, and no pickled object is opened. With --verify the
    model is also trained briefly with and without the weights; exit code 1 then also says that it trains worse with them.
    """
    out = console(options["color"], options["verbose"], quiet=options["quiet"])
    flags = {key: options[key] for key in ("fail_on", *(name for name in SETTINGS if name != "jobs"))}
    configuration = load(flags=session.checked_settings(select=flat(options["select"]), ignore=flat(options["ignore"]), **flags))
    if configuration.settings.loader == "static":
        raise UsageError("a model has to be built before weights can be loaded into it", f"initcheck load {target} --from {source}")
    parsed(options["renames"])
    wish = wished(options, f"{PRETRAINED}{source}")
    path = options["out"]
    with reserved(path) if path else nullcontext("") as place:
        kind = file_format(path) if path else "torch"
        fill = Fill(source, tuple(options["renames"]), options["strict"], options["fix_missing"], place, kind)
        empty = _target(target, configuration, out)
        model = _checked(with_fill(empty, fill), configuration, out)
        report = report_of(model, fill, path, configuration.settings.fail_on)
        if report is not None and wish is not None and report.loaded:
            report = _tried(report, empty, fill, wish, configuration.settings, out)
        return _told(model, report, options["output_format"], out)


def _target(spec: str, configuration: Configuration, out: Console) -> Target:
    """The one model that is meant.

    Raises:
        InitcheckError: when there is none.
        UsageError: when there are several.
    """
    from initcheck.discover.targets import parse

    found = session.find((spec,), configuration, out).targets or list(parse(spec))
    if len(found) > 1:
        names = ", ".join(one.spec for one in found[:4])
        raise UsageError(f"{spec} holds {len(found)} models: {names}", f"initcheck load {found[0].spec} --from …")
    return found[0]


def _checked(target: Target, configuration: Configuration, out: Console) -> ModelReport:
    from initcheck.worker import Worker

    out.progress("starting torch …")
    with Worker(configuration.settings, user_output=out.user, progress=out.progress) as worker:
        models = worker.check(target)
    out.done()
    if not models:
        raise NothingToCheck(f"{target.spec} gave no model", "name what builds one: initcheck load model.py::build --from …")
    return models[0]


def _tried(report: LoadReport, empty: Target, fill: Fill, wish: Wish, settings: Settings, out: Console) -> LoadReport:
    """The same with how the model trains without the weights and with them."""
    found = tried(empty, with_fill(empty, dataclasses.replace(fill, out="")), wish, settings, out)
    if isinstance(found, Failure):
        return dataclasses.replace(report, untried=found)
    return dataclasses.replace(report, trial=found)


def _told(model: ModelReport, report: LoadReport | None, kind: str, out: Console) -> int:
    from initcheck.report import loading

    if report is None:
        style = Style(out.color, out.ascii_only, out.width)
        out.out("\n\n".join("\n".join(failure_frame(failure, style)) for failure in model.failures) + "\n")
        broken = any(failure.name == "internal-error" for failure in model.failures)
        return int(ExitCode.BUG if broken else ExitCode.INCOMPLETE)
    if kind == "json":
        out.out(loading.as_json(report))
    else:
        verbose, quiet = bool(out.verbose), out.quiet
        text = loading.render(report, color=out.color, ascii_only=out.ascii_only, width=out.width, verbose=verbose, quiet=quiet)
        out.out(text)
    return int(report.exit_code)
