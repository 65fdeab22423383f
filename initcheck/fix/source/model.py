"""What a report knows of the model whose source is rewritten: its modules, their classes, and how code gets at them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

from initcheck.records.finding import Step
from initcheck.records.recording import ParameterRecord
from initcheck.records.report import ModelReport, ModuleRecord

INDEXED = ("Sequential", "ModuleList", "ParameterList")
KEYED = ("ModuleDict", "ParameterDict")


class Model:
    """The modules of one report."""

    def __init__(self, report: ModelReport) -> None:
        self.report = report
        self.parameters: tuple[ParameterRecord, ...] = report.recording.parameters if report.recording is not None else ()

    @cached_property
    def modules(self) -> dict[str, ModuleRecord]:
        """All modules by their paths."""
        return {module.path: module for module in self.report.modules}

    def record(self, name: str) -> ParameterRecord | None:
        """The record of a parameter."""
        return self.report.recording.parameter(name) if self.report.recording is not None else None

    def instances(self, file: str, qualname: str) -> list[str]:
        """The paths of the modules of one class."""
        return [module.path for module in self.report.modules if (module.file, module.qualname) == (file, qualname)]

    def classes_above(self, path: str) -> list[ModuleRecord]:
        """The modules from this one up to the model whose classes are not torch's own, the nearest first."""
        chain = [path, *(path.rsplit(".", count)[0] for count in range(1, path.count(".") + 1)), ""]
        found = [self.modules[one] for one in dict.fromkeys(chain) if one in self.modules]
        return [module for module in found if module.file]

    def expression(self, base: str, above: str, path: str) -> str:
        """How code that calls the module `above` by `base` gets at the module (or parameter) `path` below it."""
        inside = path[len(above) + 1 :] if above else path
        at, text = above, base
        for part in inside.split(".") if inside else ():
            kinds = self.modules[at].kinds if at in self.modules else ()
            if any(kind in kinds for kind in INDEXED) and part.isdigit():
                text += f"[{part}]"
            elif any(kind in kinds for kind in KEYED):
                text += f'["{part}"]'
            else:
                text = f"{text}.{part}" if part.isidentifier() else f'getattr({text}, "{part}")'
            at = f"{at}.{part}" if at else part
        return text

    def split(self, name: str) -> tuple[str, str]:
        """The module that holds a parameter, and the parameter's own name in it."""
        module, _, leaf = name.rpartition(".")
        return module, leaf

    def children(self, path: str) -> list[str]:
        """The direct children of a module, in order."""
        start = f"{path}." if path else ""
        return [one for one in self.modules if one != path and one.startswith(start) and "." not in one[len(start) :] and one]

    def below(self, path: str, kind: str) -> list[str]:
        """The modules of a class of torch.nn in a module, itself included, that have parameters of their own."""
        start = f"{path}." if path else ""
        owners = {record.module for record in self.parameters}
        return [
            one for one, module in self.modules.items() if kind in module.kinds and one in owners and (one == path or one.startswith(start))
        ]


def by_parameter(steps: Iterable[Step]) -> dict[str, list[Step]]:
    """The steps of each parameter, in order."""
    found: dict[str, list[Step]] = {}
    for step in steps:
        for name in step.parameters:
            found.setdefault(name, []).append(Step((name,), step.call, step.blocks, step.block))
    return found


def whole(step: Step) -> bool:
    """Whether a step writes the whole parameter by one call."""
    return step.blocks == 1 and step.block is None and step.call.name not in ("mul_", "zero_row_")
