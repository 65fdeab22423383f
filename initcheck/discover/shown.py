"""Values that a source connects with names: defaults of command line options, constants, sample inputs."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from initcheck.source.calls import last_name

_DEFINE = re.compile(r"^(DEFINE_\w+|add_argument|option|add_option|Option)$")
_DRAWN = frozenset({"randn", "rand", "zeros", "ones", "empty", "randint"})
_MODELISH = re.compile(
    r"net|model|gen|disc|enc|dec|critic|actor|policy|backbone|classifier|unet|vae|gan|transformer|lstm|rnn|cnn", re.IGNORECASE
)


def options(tree: ast.Module) -> dict[str, ast.expr]:
    """The defaults of command line options by their destination (argparse, click, absl), literals only."""
    found: dict[str, ast.expr] = {}
    for call in _calls(tree):
        if not _DEFINE.match(last_name(call.func)):
            continue
        words = [value.value for value in call.args if isinstance(value, ast.Constant) and isinstance(value.value, str)]
        keywords = {item.arg: item.value for item in call.keywords}
        default = keywords.get("default")
        if last_name(call.func).startswith("DEFINE_") and len(call.args) > 1:
            words, default = words[:1], call.args[1]
        destination = keywords.get("dest")
        if isinstance(destination, ast.Constant):
            words = [str(destination.value)]
        if words and default is not None and _is_literal(default) and not _is_none(default):
            named = next((word for word in words if word.isidentifier()), max(words, key=len))
            found.setdefault(named.lstrip("-").replace("-", "_"), default)
    return found


def constants(tree: ast.Module) -> dict[str, ast.expr]:
    """The literals that the file assigns to a name once, in any function or class body."""
    found: dict[str, list[ast.expr]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                for name, value in _pairs(target, node.value):
                    found.setdefault(name, []).append(value)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
            found.setdefault(node.target.id, []).append(node.value)
    return {name: values[0] for name, values in found.items() if len(values) == 1 and _is_literal(values[0])}


def hints(tree: ast.Module) -> tuple[tuple[str, str], ...]:
    """(name, literal) pairs: options first, then numbers, strings, lists and truth values among the constants, names in small letters."""
    found = {name.lower(): ast.unparse(value) for name, value in constants(tree).items() if not _is_none(value)}
    found.update({name.lower(): ast.unparse(value) for name, value in options(tree).items()})
    return tuple(sorted(found.items()))


def examples(tree: ast.Module) -> tuple[str, ...]:
    """Sample inputs that the file shows, as `--input` texts, with their line behind a `#`.

    `net(torch.randn(1, 3, 32, 32))`, also by way of a name; several arguments of one call are joined by `; `.
    """
    known = constants(tree)
    drawn = dict(_draws(tree, known))
    found: dict[str, None] = {}
    for call in sorted(_calls(tree), key=lambda call: call.lineno):
        if last_name(call.func) in ("summary", "info") and (text := _summary(call, known)):
            found[f"{text}  # line {call.lineno}"] = None
        if not _is_model(call.func) or not call.args:
            continue
        texts = [drawn.get(value.id, "") if isinstance(value, ast.Name) else _drawn(value, known) for value in call.args]
        if all(texts):
            found[f"{'; '.join(texts)}  # line {call.lineno}"] = None
    return tuple(found)


def literal(node: ast.expr, known: dict[str, ast.expr]) -> object:
    """The value of a literal, with constants of the file in it; `None` if it is anything else."""
    if isinstance(node, ast.Name) and node.id in known:
        node = known[node.id]
    if isinstance(node, (ast.Tuple, ast.List)):
        items = [literal(item, known) for item in node.elts]
        return None if any(item is None for item in items) else tuple(items)
    return ast.literal_eval(node) if _is_literal(node) else None


def _draws(tree: ast.Module, known: dict[str, ast.expr]) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            text = _drawn(node.value, known)
            if text:
                yield node.targets[0].id, text


def _drawn(value: ast.expr, known: dict[str, ast.expr]) -> str:
    """`float32[1,3,32,32]` for `torch.randn(1, 3, 32, 32).to(device)`, empty for anything else."""
    while (
        isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) and value.func.attr in ("to", "cuda", "cpu", "float", "long")
    ):
        value = value.func.value
    if isinstance(value, ast.Call) and last_name(value.func) in ("Variable", "FloatTensor") and len(value.args) == 1:
        return _drawn(value.args[0], known)
    if not (isinstance(value, ast.Call) and last_name(value.func) in _DRAWN):
        return ""
    arguments, below = list(value.args), 0
    if last_name(value.func) == "randint":
        bounds = [literal(argument, known) for argument in arguments[:-1]]
        if not bounds or not all(isinstance(bound, int) for bound in bounds) or not isinstance(bounds[-1], int):
            return ""
        arguments, below = arguments[-1:], bounds[-1]
    sizes = [literal(argument, known) for argument in arguments]
    if len(sizes) == 1 and isinstance(sizes[0], tuple):
        sizes = list(sizes[0])
    if not sizes or not all(isinstance(size, int) and not isinstance(size, bool) and 0 < size < 100_000 for size in sizes):
        return ""
    text = ",".join(map(str, sizes))
    return f"int64[{text}]<{below}" if below else f"float32[{text}]"


def _summary(call: ast.Call, known: dict[str, ast.expr]) -> str:
    """The size in `summary(model, (3, 32, 32))` and `summary(model, input_size=(1, 3, 32, 32))`."""
    given = [item.value for item in call.keywords if item.arg == "input_size"] or call.args[1:2]
    size = literal(given[0], known) if given else None
    if isinstance(size, tuple) and size and all(isinstance(edge, int) for edge in size):
        return f"float32[{','.join(map(str, size))}]" if len(size) == 4 else ",".join(map(str, size))
    return ""


def _is_model(function: ast.expr) -> bool:
    if isinstance(function, ast.Call):  # Net()(x)
        return isinstance(function.func, ast.Name) and bool(function.func.id[:1].isupper() or _MODELISH.search(function.func.id))
    name = function.id if isinstance(function, ast.Name) else function.attr if isinstance(function, ast.Attribute) else ""
    return bool(_MODELISH.search(name)) or name in ("m", "g", "d", "f", "G", "D", "self")


def _pairs(target: ast.expr, value: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(target, ast.Name):
        yield target.id, value
    elif isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
        for inner, part in zip(target.elts, value.elts, strict=True):
            yield from _pairs(inner, part)


def _calls(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def _is_literal(node: ast.expr) -> bool:
    try:
        ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return False
    return True


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None
