"""Lines of Python that start given parameters in a given way, for as many modules at once as one loop can name."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from initcheck.fix.source import calls
from initcheck.fix.source.model import INDEXED, KEYED, Model
from initcheck.records.finding import Step
from initcheck.records.recording import InitCall

ALONE = 2
"""So many modules get lines of their own; more share a loop."""

LISTED = 6
"""So many plain attributes are listed by name rather than told by their class."""

_WIDTH = 100

Steps = tuple[tuple[str, tuple[tuple[InitCall, int, int | None], ...]], ...]
"""What is done to one module: the names of its parameters, and the calls for each with their blocks."""

Demands = Mapping[str, Steps]
"""What is done to each module, by its path."""


@dataclass(frozen=True, slots=True)
class Pen:
    """How a file spells things: `spell` gives a full name of torch as the file writes it; `unit` is one indentation."""

    spell: Callable[[str], str]
    unit: str = "    "
    quote: str = '"'


def demands(todo: Mapping[str, Sequence[Step]], model: Model) -> dict[str, Steps]:
    """The steps of parameters, gathered by the modules that hold them."""
    found: dict[str, list[tuple[str, tuple[tuple[InitCall, int, int | None], ...]]]] = {}
    for name, steps in todo.items():
        module, leaf = model.split(name)
        found.setdefault(module, []).append((leaf, tuple((step.call, step.blocks, step.block) for step in steps)))
    return {module: tuple(actions) for module, actions in found.items()}


def lines(todo: Demands, model: Model, base: str, above: str, pen: Pen) -> list[str]:
    """The lines for all of it, where the module `above` is called `base`."""
    found: list[str] = []
    for actions, paths in grouped(todo, model).items():
        found += _group(actions[1], paths, model, base, above, pen)
    return merged(found)


def grouped(todo: Demands, model: Model) -> dict[tuple[str, Steps], list[str]]:
    """The modules for which the same is done, by their class and what that is."""
    found: dict[tuple[str, Steps], list[str]] = {}
    for path, actions in todo.items():
        kinds = model.modules[path].kinds if path in model.modules else ()
        found.setdefault((kinds[0] if kinds else "", actions), []).append(path)
    return found


def body(actions: Steps, module: str, pen: Pen, *, optional: bool = False) -> list[str]:
    """The lines for one module, called `module`; `optional` asks first whether there is a bias."""
    found: list[str] = []
    for leaf, steps in actions:
        name = leaf_of(module, leaf)
        own = [line for call, blocks, block in steps for line in step_lines(call, blocks, block, name, pen)]
        if optional and leaf == "bias":
            own = [f"if {name} is not None:", *(pen.unit + line for line in own)]
        found += own
    return found


def step_rows(steps: Sequence[Step], name: str, pen: Pen) -> list[str]:
    """The lines of several steps on one parameter."""
    return merged([line for step in steps for line in step_lines(step.call, step.blocks, step.block, name, pen)])


def merged(rows: list[str]) -> list[str]:
    """The lines with blocks under the same `with` or `for` that follow each other made one."""
    found: list[str] = []
    head = ""
    for row in rows:
        if row.startswith(("with ", "for ")):
            if row == head:
                continue
            head = row
        elif not row.startswith((" ", "\t")):
            head = ""
        found.append(row)
    return found


def leaf_of(module: str, leaf: str) -> str:
    """A parameter of a module."""
    return f"{module}.{leaf}" if leaf.isidentifier() else f"{module}[{leaf}]" if leaf.isdigit() else f'{module}["{leaf}"]'


def step_lines(call: InitCall, blocks: int, block: int | None, name: str, pen: Pen) -> list[str]:
    """The lines of one step."""
    if call.name in ("mul_", "zero_row_"):
        value = call.argument("factor", call.argument("row"))
        done = f"{name}.mul_({calls.literal(value)})" if call.name == "mul_" else f"{name}[{value}].zero_()"
        return [f"with {pen.spell('torch.no_grad')}():", pen.unit + done]
    function = pen.spell(f"torch.nn.init.{call.name}")
    if blocks == 1:
        return [calls.written(call, function, name, pen.quote)]
    if block is not None:
        return [calls.written(call, function, f"{name}.detach().chunk({blocks})[{block}]", pen.quote)]
    return [f"for part in {name}.detach().chunk({blocks}):", pen.unit + calls.written(call, function, "part", pen.quote)]


@dataclass(frozen=True, slots=True)
class Loop:
    """A loop over modules: the head, and whether the class has to be asked for and which modules are left out."""

    over: str
    test: str = ""


def _group(actions: Steps, paths: list[str], model: Model, base: str, above: str, pen: Pen) -> list[str]:
    if len(paths) <= ALONE:
        return [line for path in paths for line in body(actions, model.expression(base, above, path), pen)]
    paths = sorted(paths, key=list(model.modules).index)
    loop = loop_over(paths, model, base, above, pen)
    each = _each(paths, model, above) if loop is None or " and " in loop.test else None
    if each is not None:
        container, cut = each
        first = model.children(container)[0]
        inner = body(actions, model.expression("block", first, paths[0]), pen)
        return [f"for block in {model.expression(base, above, container)}{cut}:", *(pen.unit + line for line in inner)]
    if loop is None:
        apart = _apart(paths, model, lambda group: _together(group, model, base, above, pen))
        if len(apart) > 1:
            return [line for group in apart for line in _group(actions, group, model, base, above, pen)]
    if loop is None:
        named = [model.expression(base, above, path) for path in paths]
        over, general = _listed(named), False
    else:
        over, general = loop.over, True
    inner = body(actions, "layer", pen, optional=general and bool(loop and loop.test))
    if loop is not None and loop.test:
        inner = [f"if {loop.test}:", *(pen.unit + line for line in inner)]
    head = over if isinstance(over, list) else [f"for layer in {over}:"]
    return [*head, *(pen.unit + line for line in inner)]


def loop_over(paths: list[str], model: Model, base: str, above: str, pen: Pen) -> Loop | None:
    """A loop that reaches exactly these modules, told by their class and place rather than one by one; None where there is none."""
    kind = next((one for one in model.modules[paths[0]].kinds if _known(one, model, paths)), "")
    root = _common(paths, model, above)
    plain = all("." not in (path[len(above) + 1 :] if above else path) for path in paths)
    if not kind or root is None or (plain and len(paths) <= LISTED and not _container(root, model)):
        return None
    spelled = f"isinstance(layer, {pen.spell(f'torch.nn.{kind}')})"
    reached = model.below(root, kind)
    name = model.expression(base, above, root)
    direct = [path for path in model.children(root) if path in reached]
    if _container(root, model) and set(direct) == set(paths):
        return Loop(name if _sequence(root, model) else f"{name}.values()", "" if direct == model.children(root) else spelled)
    children = model.children(root)
    if _sequence(root, model) and children and set(paths) == set(direct) - {children[-1]} and children[-1] in direct:
        return Loop(f"{name}[:-1]", "" if direct == children else spelled)
    left = [path for path in reached if path not in paths]
    if set(reached) - set(left) != set(paths) or len(left) > ALONE:
        return None
    others = [model.expression(base, above, path) for path in left]
    beside = f" and layer is not {others[0]}" if len(others) == 1 else f" and layer not in ({', '.join(others)})" if others else ""
    return Loop(f"{name}.modules()", spelled + beside)


def _together(paths: list[str], model: Model, base: str, above: str, pen: Pen) -> bool:
    """Whether these modules are few, or can be told without naming each."""
    return len(paths) <= ALONE or loop_over(paths, model, base, above, pen) is not None or _each(paths, model, above) is not None


def _apart(paths: list[str], model: Model, fits: Callable[[list[str]], bool]) -> list[list[str]]:
    """The paths in groups that each fit, by what they are without their numbers or by the containers that they lie in; none if neither does."""
    for key in (lambda path: re.sub(r"\d+", "", path), lambda path: path.rpartition(".")[0]):
        found: dict[str, list[str]] = {}
        for path in paths:
            found.setdefault(key(path), []).append(path)
        groups = list(found.values())
        if all(map(fits, groups)) and len(groups) <= max(len(paths) // 2, 1) and all(path in model.modules for path in paths):
            return groups
    return []


def _each(paths: list[str], model: Model, above: str) -> tuple[str, str] | None:
    """The container of which each element (or each but the last or the first) has one of the modules, always in the same place."""
    for length in range(len(paths[0].split("."))):
        root = ".".join(paths[0].split(".")[:length])
        if root not in model.modules or not _sequence(root, model) or (above and root != above and not root.startswith(f"{above}.")):
            continue
        children = model.children(root)
        tail = paths[0][len(children[0]) :]
        for members, cut in ((children, ""), (children[:-1], "[:-1]"), (children[1:], "[1:]")):
            if tail and [f"{child}{tail}" for child in members] == paths:
                return root, cut
    return None


def _known(kind: str, model: Model, paths: list[str]) -> bool:
    """Whether a name is that of a class of torch.nn that all these modules are of; the user's own classes come under other names."""
    module = model.modules[paths[0]]
    return all(kind in model.modules[path].kinds for path in paths) and not (module.file and kind == module.kinds[0])


def _common(paths: list[str], model: Model, above: str) -> str | None:
    """The nearest module that holds all of them."""
    parts = [path.split(".") for path in paths]
    length = 0
    while all(len(one) > length + 1 for one in parts) and len({one[length] for one in parts}) == 1:
        length += 1
    root = ".".join(parts[0][:length])
    return root if root in model.modules and (not above or root == above or root.startswith(f"{above}.")) else None


def _container(path: str, model: Model) -> bool:
    return any(kind in model.modules[path].kinds for kind in (*INDEXED, *KEYED))


def _sequence(path: str, model: Model) -> bool:
    return any(kind in model.modules[path].kinds for kind in INDEXED)


def _listed(named: list[str]) -> str | list[str]:
    """The modules by name; over several lines where one does not hold them."""
    one = f"({', '.join(named)})"
    if len(one) <= _WIDTH:
        return one
    rows, row = [], ""
    for name in named:
        if row and len(row) + len(name) > _WIDTH - 8:
            rows.append(row.rstrip())
            row = ""
        row += f"{name}, "
    return ["for layer in (", *(f"    {text}" for text in [*rows, row.rstrip()]), "):"]
