"""What it says about a value that it is passed on in a call."""

from __future__ import annotations

import ast
import inspect
from typing import TYPE_CHECKING, Any

import torch

from initcheck.construct.arguments.sources import Scope, function_of, static

if TYPE_CHECKING:
    from initcheck.construct.arguments.reading import Walk

_LISTS = frozenset("enumerate zip list tuple sorted iter map reversed sum prod pairwise chain accumulate any all cumsum set".split())
_COUNTS = frozenset("range zeros ones randn rand empty arange linspace eye full log2 sqrt log ceil floor exp pow view".split())
_TENSORS = frozenset("from_numpy from_pretrained Parameter".split())
_COPIES = frozenset("tensor as_tensor FloatTensor LongTensor Tensor array".split())


def read_call(walk: Walk, call: ast.Call, node: ast.expr, scope: Scope, keyword: str = "") -> None:
    """Adds to the uses what the callee tells."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else call.func.id if isinstance(call.func, ast.Name) else ""
    if _builtin(walk, name, call, node, scope):
        return
    callee = _callee(call, scope)
    if callee is None:
        return
    parameter = _parameter(callee, call, node, keyword, bound=_is_bound(call))
    if not parameter:
        return
    if str(getattr(callee, "__module__", "")).startswith("torch"):
        walk.uses.aliases.append(parameter)
        _layer(walk, callee, parameter)
    elif function_of(callee) is not None:
        if parameter not in walk.uses.aliases:
            walk.uses.aliases.append(parameter)
        walk.reader.follow(walk.uses, callee, parameter, walk.depth + 1)


def _layer(walk: Walk, callee: Any, parameter: str) -> None:
    if parameter in ("kernel_size", "stride", "padding", "dilation", "output_size", "normalized_shape", "size", "input"):
        walk.uses.add("number")
    elif parameter in ("p", "dropout"):
        walk.uses.add("float")
    elif parameter in ("encoder_layer", "decoder_layer", "module"):
        walk.uses.add("module")
    elif parameter in ("modules", "modules_iterable"):
        walk.uses.add("list")
        walk.uses.item().add("module")
    elif parameter in _FRACTIONS:
        walk.uses.add("float")
    elif isinstance(callee, type) and issubclass(callee, torch.nn.Module):
        walk.uses.add("int" if parameter not in _FLAGS else "flag")


_FRACTIONS = frozenset(
    "eps layer_norm_eps momentum negative_slope alpha lambd lambda init beta scale_factor threshold value std mean gain a b".split()
)
_FLAGS = frozenset("bias bidirectional batch_first affine track_running_stats inplace padding_mode nonlinearity activation".split())


def _builtin(walk: Walk, name: str, call: ast.Call, node: ast.expr, scope: Scope) -> bool:
    uses = walk.uses
    first = bool(call.args) and call.args[0] is node
    if name in ("getattr", "hasattr") and len(call.args) > 1:
        _attribute(walk, name, call, node, scope)
    elif name == "isinstance" and first:
        kinds = call.args[1].elts if isinstance(call.args[1], ast.Tuple) else [call.args[1]]
        uses.instances.extend(ast.unparse(kind).rsplit(".", 1)[-1] for kind in kinds)
    elif name == "len":
        uses.add("sized")
    elif name in ("vars", "dict", "Namespace", "SimpleNamespace"):
        uses.add("object")
    elif name in _LISTS or (name in ("max", "min") and len(call.args) == 1):
        uses.add("list")
        above = scope.parents.get(call)
        if name in ("enumerate", "zip", "reversed") and isinstance(above, (ast.For, ast.comprehension)) and above.iter is call:
            _loop(walk, name, call, node, above.target, scope)
    elif name in ("int", "float", "abs", "round") or (name in ("max", "min", "pow") and len(call.args) > 1):
        uses.add("number")
    elif name in _COUNTS:
        uses.add("number" if name in ("sqrt", "log", "exp", "pow") else "int")
    elif (name in _TENSORS and first) or (name == "register_buffer" and not first):
        uses.add("tensor")
    elif name in _COPIES:
        uses.add("copied" if first and len(call.args) == 1 else "int")
    else:
        return False
    return True


def _attribute(walk: Walk, name: str, call: ast.Call, node: ast.expr, scope: Scope) -> None:
    uses = walk.uses
    field = call.args[1]
    if node is field:
        uses.add("str")
        uses.aliases.append(f"{ast.unparse(call.args[0])}.getattr")
    elif node is call.args[0] and isinstance(field, ast.Constant):
        uses.add("object")
        if name == "getattr":
            walk.on(uses.part(str(field.value))).node(call, scope)
        (uses.optional if name == "hasattr" or len(call.args) > 2 else uses.demanded).add(str(field.value))


def _loop(walk: Walk, name: str, call: ast.Call, node: ast.expr, target: ast.expr, scope: Scope) -> None:
    if name == "reversed":
        return walk.elements(target, scope)
    index = 1 if name == "enumerate" else call.args.index(node)
    if isinstance(target, ast.Tuple) and index < len(target.elts):
        walk.elements(target.elts[index], scope)
    return None


def _is_bound(call: ast.Call) -> bool:
    """Whether the callee is a method that gets `self` without writing it."""
    func = call.func
    return isinstance(func, ast.Attribute) and (
        (isinstance(func.value, ast.Name) and func.value.id == "self")
        or (isinstance(func.value, ast.Call) and ast.unparse(func.value.func) == "super")
    )


def _callee(call: ast.Call, scope: Scope) -> Any:
    """The live object that is called, where it is a name of the file, a method of the class or the constructor of its base."""
    func = call.func
    if _is_bound(call) and isinstance(func, ast.Attribute) and scope.owner is not None:
        owner = scope.space.get(scope.owner.name)
        if not isinstance(owner, type):
            return None
        if isinstance(func.value, ast.Name):
            return inspect.getattr_static(owner, func.attr, None)
        return next((vars(base)[func.attr] for base in owner.__mro__[1:] if func.attr in vars(base)), None)
    found = static(func, scope.space)
    return found if callable(found) or isinstance(found, (staticmethod, classmethod)) else None


def _parameter(callee: Any, call: ast.Call, node: ast.expr, keyword: str, *, bound: bool) -> str:
    """The name of the callee's parameter that gets the value."""
    if isinstance(callee, (staticmethod, classmethod)):
        bound = isinstance(callee, classmethod)
        callee = callee.__func__
    try:
        names = [item.name for item in inspect.signature(callee).parameters.values() if item.kind is not item.VAR_POSITIONAL]
    except (ValueError, TypeError):  # written in C
        return keyword
    if keyword:
        return keyword if keyword in names else ""
    if node not in call.args or any(isinstance(item, ast.Starred) for item in call.args[: call.args.index(node)]):
        return ""
    index = call.args.index(node) + bound
    return names[index] if index < len(names) else ""
