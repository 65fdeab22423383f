"""Which names of a script only data would tell, and what can be said of a model without them."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable

from initcheck.discover.slicer import ALWAYS_THERE, Slicer

_CONFIGURATION = re.compile(r"(Config|Args|Arguments|HParams|Hparams|Params|Options|Opt|Settings|Cfg)$")


def rests_on_data(slicer: Slicer, name: str) -> bool:
    """Whether the value of a name can only come from data, from training, or from an argument that nobody gives."""
    told = ALWAYS_THERE | slicer.models.classes.keys() | slicer.models.functions.keys()
    waiting, seen = [name], {name}
    while waiting:
        current = waiting.pop()
        if current in told:
            continue
        positions = [index for index in range(len(slicer.body)) if current in slicer.binds(index)]
        if (not positions and not slicer.models.names.stars) or any(index in slicer.heavy for index in positions):
            return True
        reads = {read for index in positions for read in slicer.scopes[index].reads}
        waiting += reads - seen
        seen |= reads
    return False


def fillers(slicer: Slicer) -> frozenset[str]:
    """The classes of the file that may fill an open argument: configurations, and modules that others are made of."""
    configurations = {name for name in (*slicer.models.classes, *slicer.models.names.aliases) if _CONFIGURATION.search(name)}
    modules = {node.name for node in slicer.models.module_classes()} - {slicer.name}
    return frozenset(configurations | modules)


def known(slicer: Slicer) -> Callable[[str], bool]:
    """Names whose value the script itself tells."""
    return lambda name: not rests_on_data(slicer, name)


def plainly_known(slicer: Slicer) -> Callable[[str], bool]:
    """Definitions, imports, and constants of the top level."""
    names = slicer.models.names.aliases
    constants = {
        binding.name for binding in slicer.models.bindings if binding.top < len(slicer.body) and not rests_on_data(slicer, binding.name)
    }
    top = {binding.name for binding in slicer.models.bindings if isinstance(binding.value, (ast.Constant, ast.List, ast.Tuple, ast.Dict))}
    return lambda name: (
        name in slicer.models.classes
        or name in slicer.models.functions
        or name in names
        or name in ALWAYS_THERE
        or (name in constants and name in top)
    )


def afterwards(slicer: Slicer, name: str, made: int, knows: Callable[[str], bool]) -> tuple[int, ...]:
    """The statements that change the instance after it was made and before it is trained, as far as `knows` holds for what they read."""
    slicer.given = name
    held = slicer.aliases(name)
    found = []
    for index in range(made + 1, slicer.limit(made)):
        statement = slicer.body[index]
        if index in slicer.heavy or not slicer.effects.mutates(statement, held, "model"):
            continue
        reads = slicer.scopes[index].reads - held - slicer.scopes[index].binds
        if name not in slicer.binds(index) and all(knows(read) for read in reads):
            slicer.keep(index, index)
            found.append(index)
    return tuple(found)
