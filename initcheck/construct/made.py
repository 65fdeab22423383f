"""What construction gives back, and what every way of constructing needs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch

from initcheck.construct.blame import whole_program
from initcheck.construct.stand_ins.evidence import refuse_stand_ins
from initcheck.errors import TargetError
from initcheck.records.target import Built, Target

INPUT_FUNCTIONS = ("initcheck_input", "example_inputs")


@dataclass(frozen=True, slots=True)
class Construction:
    """A model, how it was built, and the sample input that its file offers (`None` for none)."""

    model: torch.nn.Module
    built: Built
    inputs: object = None


@dataclass(slots=True)
class Notes:
    """Remarks for the `built` line, each said once."""

    said: list[str] = field(default_factory=list)

    def add(self, text: str) -> None:
        """Says it, unless it was said."""
        if text not in self.said:
            self.said.append(text)


def offered_inputs(space: dict[str, Any]) -> object:
    """The sample input that a namespace offers, None for none."""
    for name in INPUT_FUNCTIONS:
        if callable(space.get(name)):
            return space[name]()
    offered = space.get("example_input_array", space.get("example_inputs"))
    return offered if isinstance(offered, (torch.Tensor, tuple, list, dict)) else None


def the_module(target: Target, made: object) -> torch.nn.Module:
    """The module that was made, without the wrappers that only spread it over devices."""
    if isinstance(made, (torch.nn.DataParallel, torch.nn.parallel.DistributedDataParallel)):
        made = made.module
    refuse_stand_ins(made)
    inner = getattr(made, "_orig_mod", None)  # what torch.compile wrapped
    made = inner if isinstance(inner, torch.nn.Module) else made
    if isinstance(made, torch.nn.Module):
        return made
    message = f"{target.spec} gave a {type(made).__name__}, not a torch.nn.Module"
    if isinstance(made, (tuple, list)) and any(isinstance(item, torch.nn.Module) for item in made):
        message += "; several modules at once cannot be checked"
    raise TargetError(message, "name what builds one model: initcheck model.py::build", name="no-module")


def refuse_size_zero(target: Target, model: torch.nn.Module) -> None:
    """Raises for a parameter without elements, or a table that is none: something that its size depends on was left out.

    Raises:
        TargetError: names the parameter.
    """
    for name, parameter in model.named_parameters():
        lazy = isinstance(parameter, torch.nn.parameter.UninitializedTensorMixin)
        if not lazy and parameter.dim() > 1 and parameter.numel() == 0:
            shape = "x".join(map(str, parameter.shape))
            message = (
                f"{target.spec} has a parameter of size zero: {name} [{shape}]; something that the model's size depends on did not run"
            )
            hint = "put this into the file: def initcheck_model(): return Net(...)  # with real sizes"
            raise TargetError(message, hint, name="zero-size")
    for name, module in model.named_modules():
        if isinstance(module, torch.nn.Embedding) and module.weight.dim() != 2:
            message = f"{target.spec} has an embedding `{name}` whose table is {list(module.weight.shape)}: what fills it did not run"
            raise TargetError(message, f"run it for real up to its first training step: {whole_program(target)}", name="zero-size")
