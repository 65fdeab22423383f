"""Loads stored weights into a model or a target, checks what came of it, and writes the filled model only when it is sound."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from initcheck.errors import UsageError
from initcheck.files import beside
from initcheck.records.loading import LoadReport, withheld
from initcheck.records.report import ModelReport
from initcheck.records.target import Fill, Target

if TYPE_CHECKING:
    import torch

_TORCH = (".pt", ".pth", ".bin", ".ckpt")


def load(
    model: torch.nn.Module,
    source: str,
    *,
    rename: str | Iterable[str] = (),
    strict: bool = False,
    fix_missing: bool = False,
    out: str = "",
    inputs: object = None,
    **settings: Any,
) -> LoadReport:
    """Loads stored weights into a model in place, and proves that they arrived.

    Args:
        model: the module to fill.
        source: a file of weights, an index of several, a folder, `torchvision:NAME[:WEIGHTS]`, `hf:DIR_OR_ID` or `timm:NAME`.
        rename: `OLD=NEW`, or several; a `*` stands for one part of a name.
        strict: whether everything has to fit for the report to be ok.
        fix_missing: whether what stays random is drawn by the recommended scheme of its place.
        out: a file for the filled model, `.safetensors` or `.pt`; not written when the load is not sound.
        inputs: a sample input for the check of what stays random, as for `initcheck.check`.
        **settings: fields of `Settings`.

    Returns:
        What was loaded, what stays random, and the check of the model. Nothing is downloaded.

    Raises:
        InitcheckError: when the source cannot be opened, or the model's own code refuses the weights.
    """
    from initcheck.engine import check_filled
    from initcheck.pretrained.loading import load_into
    from initcheck.pretrained.saving import save
    from initcheck.pretrained.sources import opened_source

    texts = (rename,) if isinstance(rename, str) else tuple(rename)
    opened = opened_source(source, trusted=bool(settings.get("trust_pickle")))
    arrival = load_into(model, opened, texts)
    report = check_filled(model, (arrival,), inputs, fix_missing=fix_missing, **settings)
    arrival = report.recording.arrivals[-1] if report.recording is not None else arrival
    result = LoadReport(report, arrival, strict, settings.get("fail_on", "warning"))
    if not out:
        return result
    reason = withheld(report, arrival, strict=strict)
    if reason:
        return replace(result, withheld=reason)
    with reserved(out) as place:
        save(model, place, file_format(out))
    return replace(result, written=out)


def with_fill(target: Target, fill: Fill) -> Target:
    """The target with something to load.

    Raises:
        UsageError: for a target that stands for no single model.
    """
    if target.kind in ("weights", "program"):
        raise UsageError(f"{target.spec} is not a model that weights can be loaded into", "initcheck load model.py::Net --from weights.pt")
    return replace(target, fill=fill)


def report_of(model: ModelReport, fill: Fill, out: str, fail_on: Literal["error", "warning", "info"]) -> LoadReport | None:
    """The report of a load that ran in another process; None when it did not come to the load."""
    arrivals = model.recording.arrivals if model.recording is not None else ()
    arrival = next((one for one in arrivals if one.how == "initcheck load"), None)
    if arrival is None:
        return None
    reason = withheld(model, arrival, strict=fill.strict) if out else ""
    return LoadReport(model, arrival, fill.strict, fail_on, "" if reason else out, reason)


def file_format(out: str) -> Literal["safetensors", "torch"]:
    """How a file is written, by its ending.

    Raises:
        UsageError: for an ending that stands for neither.
    """
    if out.endswith(".safetensors"):
        return "safetensors"
    if out.endswith(_TORCH):
        return "torch"
    raise UsageError(f"cannot tell how to write {out}", f"-o {Path(out).stem or 'model'}.safetensors, or one of {', '.join(_TORCH)}")


@contextmanager
def reserved(out: str) -> Iterator[str]:
    """An empty file beside `out` that takes its place at the end, and leaves nothing behind when nothing was written into it.

    Raises:
        UsageError: when there can be no such file.
    """
    path = Path(out)
    file_format(out)
    with ExitStack() as stack:
        try:
            place = stack.enter_context(beside(path))
        except OSError as error:
            raise UsageError(f"cannot write {out}: {error.strerror or error}", f"ls -ld {path.parent}") from error
        yield str(place)
