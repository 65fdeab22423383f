"""From a target to a live model: runs the slice of a file, imports a module, or calls a library's constructor, all under a recorder."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import replace

from initcheck.construct.command_line import empty_command_line
from initcheck.construct.from_file import from_file
from initcheck.construct.from_library import from_module, hugging_face
from initcheck.construct.guard import guarded
from initcheck.construct.made import Construction, Notes, refuse_size_zero
from initcheck.construct.recording.placement import on_cpu
from initcheck.construct.stand_ins.session import standing_in
from initcheck.records.target import Target


def construct(target: Target, watch: AbstractContextManager[object]) -> Construction:
    """Builds the model of a target inside `watch`.

    Raises:
        TargetError: when the user's code fails, exits, or gives no module; names the user's line and cause.
    """
    notes = Notes()
    folder = target.path if target.recipe is not None else ""
    with guarded(folder, notes.add), on_cpu(notes.add), standing_in(target, notes.add), empty_command_line(notes.add):
        if target.recipe is not None:
            made = from_file(target, target.recipe, watch, notes)
        elif target.path == "hf":
            made = hugging_face(target, watch, notes)
        else:
            made = from_module(target, watch, notes)
    refuse_size_zero(target, made.model)
    return replace(made, built=replace(made.built, notes=tuple(dict.fromkeys((*made.built.notes, *notes.said)))))
