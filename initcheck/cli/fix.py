"""`initcheck fix TARGET`: rewrite the source, with proof."""

from __future__ import annotations

import dataclasses
import functools
import json
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from initcheck import __version__
from initcheck.cli import session
from initcheck.cli.context import Console, console
from initcheck.cli.options import SETTINGS, Codes, Word, appearance, flat, running
from initcheck.cli.sources import whole
from initcheck.cli.training import tried, verifying, wished
from initcheck.config import Configuration, load, suggestion
from initcheck.errors import ExitCode, UsageError
from initcheck.records.finding import SEVERITIES, Failure, rank
from initcheck.records.rewriting import WHERE, Mended
from initcheck.records.target import Target
from initcheck.records.verification import REWRITTEN, Verification, Wish
from initcheck.report.frames import failure_frame
from initcheck.report.style import Style

if TYPE_CHECKING:
    from initcheck.remedy.checking import Checker

_FORMATS = ("full", "json")


@click.command("fix")
@click.argument("targets", nargs=-1)
@click.option("--diff", is_flag=True, help="Write nothing; show what would change as a diff that `git apply` takes.")
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 if something would change.")
@click.option("--unsafe-fixes", "unsafe", is_flag=True, help="Also replace what the author wrote, and touch tied and frozen weights.")
@click.option("--only", type=Codes(), multiple=True, help="Fix the findings of these rules alone: codes, prefixes or names.")
@click.option(
    "--where", type=Word(WHERE), default="class", help="Where new lines go: a method, a function that is applied, the constructor."
)
@click.option("--scheme", metavar="POLICY", help="Start the whole model by one policy: auto (by place), kaiming_normal, orthogonal ...")
@click.option("--fail-on", type=Word(tuple(reversed(SEVERITIES))), help="Mildest severity that gives exit code 1 if it stays (warning).")
@click.option(
    "--checkpoint", metavar="FILE", help="Draw the flagged tensors of this file anew instead; needs -o, and TARGET names the model."
)
@click.option("-o", "--out", metavar="FILE", help="Where the healed checkpoint goes.")
@verifying
@running
@click.option("--output-format", type=Word(_FORMATS), default="full", envvar="INITCHECK_OUTPUT_FORMAT", help="What standard output shows.")
@appearance
def command(targets: tuple[str, ...], **options: Any) -> int:
    """Rewrite the source of each TARGET where the start of its weights is at fault, and prove it.

    The line that wrote a weight is corrected or replaced; a weight that nobody wrote gets lines in its class. Each change is checked on a
    model that is built from the changed source in a child process; what does not help is taken back. Files are written all or none.
    Safe fixes make a default explicit or correct an argument; what replaces a line of yours needs --unsafe-fixes.

    With --verify each model is trained before and after, and a fix with which it trains worse is taken back.

    Exit codes: 0 nothing is left to fix, 1 findings remain (with --diff and --check: something would
    change), 2 wrong command line, 4 a target could not be checked or a fix was taken back.
    """
    out = console(options["color"], options["verbose"], quiet=options["quiet"])
    flags = {key: options[key] for key in ("fail_on", *SETTINGS) if key != "jobs"} | {"scheme": _policy(options["scheme"])}
    configuration = load(flags=session.checked_settings(select=flat(options["select"]), ignore=flat(options["ignore"]), **flags))
    only = _known(flat(options["only"]))
    wish = wished(options, REWRITTEN)
    if options["checkpoint"] is not None or options["out"] is not None:
        return _checkpoint(targets, only, options, configuration, out)
    specs = session.specs_of(targets, configuration)
    _refuse(specs, configuration, options)
    writes = not (options["diff"] or options["check"])
    result = _mended(
        specs,
        configuration,
        out,
        unsafe=options["unsafe"],
        only=only,
        where=options["where"],
        write=writes,
        scheme=options["scheme"] is not None,
        wish=wish,
    )
    out.done()
    _show(result, options, out)
    return int(_code(result, configuration, writes=writes))


def _mended(specs: Sequence[str], configuration: Configuration, out: Console, *, wish: Wish | None, **wishes: Any) -> Mended:
    from initcheck.remedy.checking import Checker
    from initcheck.remedy.fixing import Order, mend

    shaped = whole if configuration.settings.loader == "import" else _same
    with Checker(specs, configuration, out.user, out.progress, shaped) as checker:
        trial = functools.partial(_trial, wish, checker, out) if wish is not None else None
        result = mend(Order(checker.paths(), **wishes), checker.check, trial)
    return dataclasses.replace(result, undo=_undo(result)) if result.written else result


def _trial(
    wish: Wish, checker: Checker, out: Console, old: Mapping[str, bytes], new: Mapping[str, bytes], specs: Sequence[str]
) -> list[Verification | Failure]:
    """Trains each of the models as its source is, and as it would be."""
    before, after = ({one.spec: one for one in checker.targets(drafts)} for drafts in (old, new))
    return [tried(before[spec], after[spec], wish, checker.configuration.settings, out) for spec in specs]


def _same(target: Target) -> Target:
    return target


def _checkpoint(targets: Sequence[str], only: tuple[str, ...], options: dict[str, Any], configuration: Configuration, out: Console) -> int:
    """`--checkpoint IN -o OUT`: the flagged tensors of a file drawn anew.

    Raises:
        UsageError: when one of the two files is missing, several models are named, or a diff of a source is asked for.
    """
    source, goal = options["checkpoint"], options["out"]
    if source is None or goal is None:
        raise UsageError("--checkpoint and -o belong together", "initcheck fix --checkpoint model.pt -o healed.pt model.py::Net")
    if options["diff"] or options["check"]:
        raise UsageError("--diff and --check are about sources, not checkpoints", f"initcheck fix --checkpoint {source} -o {goal}")
    if options["verify"]:
        raise UsageError(
            "--verify trains what a source builds; a checkpoint is tried when it is there",
            f"initcheck verify model.py::Net --against pretrained:{goal}",
        )
    if len(targets) > 1:
        raise UsageError("a checkpoint belongs to one model", f"initcheck fix --checkpoint {source} -o {goal} {targets[0]}")
    from initcheck.records.serial import to_plain
    from initcheck.remedy.checkpoints import heal_checkpoint

    chosen = configuration.settings
    settings = {field.name: getattr(chosen, field.name) for field in dataclasses.fields(chosen) if field.name != "seed"}
    result = heal_checkpoint(next(iter(targets), None), source, goal, unsafe=options["unsafe"], only=only, seed=chosen.seed, **settings)
    if options["output_format"] == "json":
        out.out(json.dumps(to_plain(result), sort_keys=True, indent=2) + "\n")
    else:
        out.out(Style(ascii_only=out.ascii_only).finish(f"{result}\n"))
    if result.result.restored:
        return int(ExitCode.INCOMPLETE)
    least = rank(chosen.fail_on)
    return int(ExitCode.FINDINGS if any(rank(one.severity) >= least for one in result.result.remaining) else ExitCode.CLEAN)


def _refuse(specs: Sequence[str], configuration: Configuration, options: dict[str, Any]) -> None:
    """Turns down what has no meaning here.

    Raises:
        UsageError: for a source on standard input, and for a loader that builds no model.
    """
    if any(spec == "-" or spec.startswith("-::") for spec in specs) or options["stdin_filename"] is not None:
        raise UsageError("a source on standard input cannot be rewritten", "save it and name the file: initcheck fix model.py")
    if configuration.settings.loader == "static":
        raise UsageError("a fix is proven by building the model, which --static does not", "initcheck fix model.py")


def _policy(name: str | None) -> str:
    """The policy of `--scheme`, empty for none.

    Raises:
        UsageError: for a name that is no policy, and for one that needs data.
    """
    if name is None:
        return ""
    from initcheck.fix.policy import LSUV, POLICIES, RECOMMENDED

    if name == LSUV:
        raise UsageError("lsuv takes its scales from data, which a source cannot hold", "initcheck.initialize(model, batch, policy='lsuv')")
    if name not in ("auto", *POLICIES):
        raise UsageError(f"no policy is called {name!r}", suggestion(name, ("auto", *POLICIES)))
    return RECOMMENDED if name == "auto" else name


def _known(only: tuple[str, ...]) -> tuple[str, ...]:
    """The rules that were asked for.

    Raises:
        UsageError: when a word means none.
    """
    from initcheck.rules import matches, rule_classes

    for word in only:
        if not any(matches(rule, word) or rule.code.startswith(word.upper()) for rule in rule_classes()):
            raise UsageError(f"no rule matches {word!r}", "`initcheck rule --all` lists codes and names")
    return only


def _show(result: Mended, options: dict[str, Any], out: Console) -> None:
    from initcheck.report import fixed

    style = Style(out.color, out.ascii_only, out.width)
    errors = Style(ascii_only=out.ascii_only, width=out.width)
    if options["output_format"] == "json":
        out.out(fixed.as_json(result, version=__version__))
        return
    for failure in result.failures:
        out.note("\n".join(failure_frame(failure, errors)))
    if options["diff"]:
        _raw(fixed.diff(result, style), out)
        for text in (fixed.summary(result), fixed.left_alone(result, errors), fixed.trials(result, errors)):
            if text:
                out.note(text)
        return
    out.out(fixed.render(result, color=out.color, ascii_only=out.ascii_only, width=out.width, verbose=bool(out.verbose)))


def _raw(text: str, out: Console) -> None:
    """A diff byte for byte: its lines end as those of the files do, and are in their encodings."""
    sys.stdout.flush()
    buffer = getattr(sys.stdout, "buffer", None)
    if buffer is None or out.color:
        out.out(text)
        return
    buffer.write(text.encode("utf-8", "surrogateescape"))
    buffer.flush()


def _code(result: Mended, configuration: Configuration, *, writes: bool) -> ExitCode:
    if result.failures or result.restored or result.untried or any(one.unfinished for one in result.trials):
        return ExitCode.INCOMPLETE
    if not writes and result.files:
        return ExitCode.FINDINGS
    if result.failed:
        return ExitCode.INCOMPLETE
    least = rank(configuration.settings.fail_on)
    remaining = [finding for finding in result.remaining if rank(finding.severity) >= least]
    return ExitCode.FINDINGS if writes and remaining else ExitCode.CLEAN


def _undo(result: Mended) -> str:
    """The command that takes the changes back, where git knows the files."""
    git = shutil.which("git")
    names = [change.path for change in result.files]
    if git is None:
        return ""
    known = subprocess.run([git, "ls-files", "--error-unmatch", "--", *names], capture_output=True, check=False)  # noqa: S603
    return f"git checkout -p {shlex.join(names)}" if known.returncode == 0 else ""
