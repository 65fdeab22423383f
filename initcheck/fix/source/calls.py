"""Initializing calls as text: written anew, or an existing one with another name and other arguments, its comments and layout kept."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence

import libcst as cst

from initcheck.records.recording import InitCall, Plain

_KAIMING: dict[str, Plain] = {"a": 0, "mode": "fan_in", "nonlinearity": "leaky_relu"}
SIGNATURES: dict[str, dict[str, Plain]] = {
    "uniform_": {"a": 0.0, "b": 1.0},
    "normal_": {"mean": 0.0, "std": 1.0},
    "trunc_normal_": {"mean": 0.0, "std": 1.0, "a": -2.0, "b": 2.0},
    "constant_": {"val": None},
    "ones_": {},
    "zeros_": {},
    "eye_": {},
    "dirac_": {"groups": 1},
    "xavier_uniform_": {"gain": 1.0},
    "xavier_normal_": {"gain": 1.0},
    "kaiming_uniform_": _KAIMING,
    "kaiming_normal_": _KAIMING,
    "orthogonal_": {"gain": 1.0},
    "sparse_": {"sparsity": None, "std": 0.01},
}
"""The functions of torch.nn.init with their arguments behind the tensor, in order, and the defaults (None: there is none)."""

DRAWING = frozenset(SIGNATURES) - {"constant_", "ones_", "zeros_", "eye_", "dirac_"}
"""Those that take a `generator`."""


def is_init(name: str) -> bool:
    """Whether a name is that of a function of torch.nn.init, in its present or its old spelling."""
    return name in SIGNATURES or f"{name}_" in SIGNATURES


def literal(value: Plain, quote: str = '"') -> str:
    """A value as it is written in a source; numbers have no more digits than they need."""
    if isinstance(value, str):
        return f"{quote}{value}{quote}"
    if isinstance(value, float):
        root = next((number for number in (2, 3, 5) if abs(value / number**0.5 - 1) < 5e-4), 0)
        if root:
            return f"{root}**0.5"
        short = float(f"{value:.7g}")
        return repr(int(short)) if short.is_integer() and abs(short) < 1e6 and short not in (0.0, 1.0) else repr(short)
    return repr(value)


def wanted(call: InitCall) -> dict[str, Plain]:
    """The arguments that differ from the defaults."""
    defaults = SIGNATURES.get(call.name, {})
    return {key: value for key, value in call.kwargs if key in defaults and (defaults[key] is None or value != defaults[key])}


def written(call: InitCall, function: str, tensor: str, quote: str) -> str:
    """The call of a function on a tensor, arguments that have their default left out."""
    given = wanted(call)
    first = [literal(given.pop("val"), quote)] if call.name == "constant_" and "val" in given else []
    return f"{function}({', '.join([tensor, *first, *(f'{key}={literal(value, quote)}' for key, value in given.items())])})"


def twin(present: str, call: InitCall) -> InitCall:
    """The same scheme in the distribution that the author chose: uniform where both a uniform and a normal one would do."""
    scheme, _, kind = call.name.rstrip("_").rpartition("_")
    if kind == "normal" and scheme in ("kaiming", "xavier") and present.rstrip("_").endswith(("kaiming_uniform", "xavier_uniform")):
        return InitCall(f"{scheme}_uniform_", call.kwargs)
    return call


def rewritten(text: str, call: InitCall, function: str, tensor: str, quote: str) -> str:
    """An existing call of torch.nn.init turned into another one: what need not change stays as it was written.

    Args:
        text: the present call.
        call: the one that is wanted.
        function: its name as the file spells it.
        tensor: the first argument, empty to keep the present one.
        quote: the file's quotation mark.
    """
    node = cst.parse_expression(text)
    if not isinstance(node, cst.Call):
        return written(call, function, tensor, quote)
    present = _last_name(node.func)
    same = present.rstrip("_") == call.name.rstrip("_")
    args = _arguments(node, call, same=same, quote=quote)
    if tensor:
        args = [
            arg.with_changes(value=cst.parse_expression(tensor)) if _key(arg, index, present) == "tensor" else arg
            for index, arg in enumerate(args)
        ]
    changed = node.with_changes(func=cst.parse_expression(function), args=_joined(node.args, args))
    return cst.Module([]).code_for_node(changed)


def _arguments(node: cst.Call, call: InitCall, *, same: bool, quote: str) -> list[cst.Arg]:
    """The arguments that are wanted, present ones first and in their order."""
    present = _last_name(node.func)
    defaults, missing = SIGNATURES.get(call.name, {}), wanted(call)
    values: Mapping[str, Plain] = dict(call.kwargs)
    kept: list[cst.Arg] = []
    for index, arg in enumerate(node.args):
        key = _key(arg, index, present)
        if key == "a" and arg.keyword is not None and str(values.get("nonlinearity", "leaky_relu")) != "leaky_relu":
            continue  # says the slope of a leaky rectifier, and nothing here
        if key == "tensor" or (key == "generator" and call.name in DRAWING) or arg.star:
            kept.append(arg)
        elif key in defaults and key in values and (same or arg.keyword is not None):
            kept.append(arg.with_changes(value=_valued(arg.value, values[key], quote)))
            missing.pop(key, None)
    for key, value in missing.items():
        name = None if call.name == "constant_" else cst.Name(key)
        equal = cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace(""))
        new = cst.Arg(cst.parse_expression(literal(value, quote)), name, equal=equal if name else cst.MaybeSentinel.DEFAULT)
        at = next((index for index, arg in enumerate(kept) if arg.keyword is not None), len(kept)) if name is None else len(kept)
        kept.insert(at, new)
    return kept


def _valued(old: cst.BaseExpression, value: Plain, quote: str) -> cst.BaseExpression:
    """The value as it was written where it is the same."""
    code = cst.Module([]).code_for_node(old)
    if _literal(code) == value:
        return old
    if isinstance(value, str) and code[:1] in "'\"":
        quote = code[0]
    return cst.parse_expression(literal(value, quote))


def _literal(code: str) -> object:
    """What a text says as a Python literal; itself, where it is none."""
    try:
        return ast.literal_eval(code)
    except (ValueError, SyntaxError, TypeError):
        return (code,)


def _key(arg: cst.Arg, index: int, function: str) -> str:
    """The name of the parameter that an argument is for."""
    if arg.keyword is not None:
        return arg.keyword.value
    names = ("tensor", *SIGNATURES.get(function, SIGNATURES.get(f"{function}_", {})))
    return names[index] if index < len(names) else ""


def _joined(before: Sequence[cst.Arg], after: list[cst.Arg]) -> list[cst.Arg]:
    """The arguments with commas and line breaks in the manner of those that were there."""
    if not before or not after:
        return after
    last = before[-1]
    between = before[0].comma if len(before) > 1 else cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
    if isinstance(last.comma, cst.Comma) and len(before) == 1:
        between = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
    found = []
    for index, arg in enumerate(after):
        if index == len(after) - 1:
            found.append(arg.with_changes(comma=last.comma, whitespace_after_arg=last.whitespace_after_arg))
        elif arg is last or not isinstance(arg.comma, cst.Comma):
            found.append(arg.with_changes(comma=between, whitespace_after_arg=cst.SimpleWhitespace("")))
        else:
            found.append(arg)
    return found


def _last_name(function: cst.BaseExpression) -> str:
    if isinstance(function, cst.Attribute):
        return function.attr.value
    return function.value if isinstance(function, cst.Name) else ""
