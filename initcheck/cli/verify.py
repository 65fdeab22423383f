"""`initcheck verify TARGET`: train two variants briefly and compare them."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import click

from initcheck.cli import session
from initcheck.cli.context import Console, console
from initcheck.cli.options import Memory, OutputFile, Word, appearance
from initcheck.cli.output import write
from initcheck.cli.training import Duration, trained
from initcheck.config import load
from initcheck.discover.revisions import older
from initcheck.discover.targets import single
from initcheck.errors import ExitCode, UsageError
from initcheck.records.target import Target
from initcheck.records.verification import DERIVED, GIVEN, PRETRAINED, Verification, Wish, is_derived

_FORMATS = ("full", "json")


class Rates(click.ParamType):  # type: ignore[type-arg]  # generic only in recent versions
    """`auto`, or learning rates separated by commas."""

    name = "rates"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[float, ...]:
        """The rates, the smallest first; none for `auto`."""
        if isinstance(value, tuple) or str(value).lower() == "auto":
            return value if isinstance(value, tuple) else ()
        try:
            return tuple(sorted({float(word) for word in str(value).split(",")}))
        except ValueError:
            self.fail(f"{value!r}: write auto, or numbers such as 0.001,0.003,0.01", param, ctx)


@click.command("verify")
@click.argument("target")
@click.option(
    "--against", default="fixed", metavar="WHAT", help="fixed, recommended, pretrained:SOURCE, git:REVISION or another target (fixed)."
)
@click.option("--data", default="auto", metavar="SET", help="auto, mnist, fashion, kmnist or a folder of IDX files (auto).")
@click.option("--data-dir", default="", metavar="DIR", help="Where whole sets lie, as torchvision puts them (data).")
@click.option("--download", is_flag=True, help="Fetch the set once, if it is not there.")
@click.option("--seeds", type=click.IntRange(1, 100), help="Trainings for each rate and variant (5, or 3 where a step is dear).")
@click.option("--lrs", type=Rates(), default="auto", help="Learning rates, such as 0.001,0.003,0.01 (auto: four around the usual ones).")
@click.option("--budget", type=Duration(), default="60s", help="Time that all trainings may take (60s).")
@click.option("--optimizer", type=Word(("adamw", "sgd")), default="adamw", help="AdamW, or SGD with momentum 0.9.")
@click.option("--epochs", type=click.FloatRange(min=0), default=0.0, help="Length of each training (0: as the budget allows).")
@click.option("--min-gain", type=float, default=0.0, metavar="POINTS", help="Exit with 1 if less was gained for certain (0).")
@click.option("--input", "inputs", multiple=True, metavar="SPEC", help="Sample input, such as 1,28,28 or x=float32[8,3,64,64].")
@click.option("--seed", type=click.IntRange(min=0), help="The first of the seeds (0).")
@click.option("--max-memory", type=Memory(), help="Memory: 4GB, or a share of what is available (80%).")
@click.option("--trust", is_flag=True, default=None, help="Let the code of the targets write files, connect, start programs.")
@click.option("--trust-pickle", is_flag=True, default=None, help="Open pickled models, which can run any code.")
@click.option("--output-format", type=Word(_FORMATS), default="full", help="What standard output shows.")
@click.option("-o", "--output", "outputs", type=OutputFile(("json", "html")), multiple=True, help="Write json:FILE or html:FILE as well.")
@appearance
def command(target: str, **options: Any) -> int:
    """Train TARGET and a variant of it briefly on handwritten digits, and say whether one trains better.

    Both see the same batches in the same order, at several learning rates and seeds, and each is judged at its own best rate: one rate
    alone would tell more about the rate than about the weights. A subset of MNIST comes with initcheck.
    Exit code 1 when the variant trains worse, or gains less than --min-gain.
    """
    out = console(options["color"], options["verbose"], quiet=options["quiet"])
    flags = {key: options[key] for key in ("inputs", "seed", "max_memory", "trust", "trust_pickle")}
    configuration = load(flags=session.checked_settings(**flags))
    before, after = _sides(target, options["against"])
    options["seeds"] = options["seeds"] or 0
    names = ("data", "data_dir", "seeds", "budget", "optimizer", "epochs", "min_gain")
    against = options["against"] if after is None else GIVEN
    if options["download"] and options["data"] == "auto":
        options["data"] = "mnist"
    wish = Wish(against=against, rates=options["lrs"], **{name: options[name] for name in names})
    _prepared(wish, out, download=options["download"])
    own = configuration.inputs_of(target)
    other = None if after is None else _with_inputs(after, own)
    verification = trained(_with_inputs(before, own), other, wish, configuration.settings, out)
    _show(verification, options["output_format"], options["outputs"], out)
    return int(ExitCode.INCOMPLETE if verification.unfinished else ExitCode.CLEAN if verification.ok else ExitCode.FINDINGS)


def _sides(spec: str, against: str) -> tuple[Target, Target | None]:
    """What is trained first and what second; an older revision is the first. None for a variant that is made of the first."""
    own = single(spec)
    if is_derived(against):
        return own, None
    scheme, colon, rest = against.partition(":")
    if scheme == "git" and colon:
        return older(own.spec, rest), own
    if "." not in against and ":" not in against and not Path(against).exists():
        from initcheck.config import suggestion

        raise UsageError(
            f"--against takes fixed, recommended, {PRETRAINED}SOURCE, git:REVISION or a target, not {against!r}",
            suggestion(against, DERIVED),
        )
    return own, single(against)


def _with_inputs(target: Target, inputs: tuple[str, ...]) -> Target:
    return dataclasses.replace(target, inputs=target.inputs or inputs)


def _prepared(wish: Wish, out: Console, *, download: bool) -> None:
    """Finds what makes no sense, or is missing, before torch is started."""
    from initcheck.verify.data.sets import load as load_images
    from initcheck.verify.data.wishes import checked, download_data

    checked(wish)
    if download:
        download_data(wish, out.note)
    if wish.data != "auto" or wish.data_dir:
        load_images(wish)


def _show(verification: Verification, kind: str, outputs: tuple[tuple[str, str], ...], out: Console) -> None:
    for other, path in outputs:
        write(path, _render(verification, other, out))
    out.out(_render(verification, kind, out))


def _render(verification: Verification, kind: str, out: Console) -> str:
    if kind == "json":
        from initcheck.report.verification import json

        return json.render(verification)
    if kind == "html":
        from initcheck.report.verification import html

        return html.render(verification)
    from initcheck.report.verification import terminal

    return terminal.render(verification, color=out.color, ascii_only=out.ascii_only, width=out.width)
