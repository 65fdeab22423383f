"""The source of forward() as a syntax tree, and the words in it that matter."""

from __future__ import annotations

import ast
import inspect
import textwrap

from torch.nn import Module

KEEPS = frozenset(
    {
        "view",
        "reshape",
        "permute",
        "transpose",
        "flatten",
        "unflatten",
        "unsqueeze",
        "squeeze",
        "float",
        "long",
        "int",
        "to",
        "type",
        "contiguous",
        "clone",
        "detach",
        "expand",
        "repeat",
        "half",
        "double",
        "t",
        "div",
        "mul",
        "add",
        "sub",
        "clamp",
        "relu",
        "tanh",
        "sigmoid",
        "gelu",
        "cuda",
        "cpu",
        "movedim",
        "swapaxes",
        "normalize",
        "pad",
        "interpolate",
        "dropout",
        "silu",
        "elu",
        "leaky_relu",
        "imag",
        "rearrange",
        "log",
        "abs",
        "exp",
        "log1p",
        "requires_grad_",
        "type_as",
        "checkpoint_sequential",
        "bfloat16",
        "div_",
        "mul_",
        "dropout1d",
        "dropout2d",
        "asarray",
        "as_tensor",
    }
)
"""Functions and methods whose result is still the same data, as far as the next layer is concerned."""

_RANGES = (100.0, 65536.0)
"""Divisors from here to there tell the range of the values; smaller ones are arithmetic."""

BUNDLES = frozenset({"batch", "inputs", "input", "data", "sample", "pair"})
"""Names of arguments that hold several tensors when they are unpacked or indexed."""

POINTWISE = frozenset(
    {"relu", "tanh", "sigmoid", "gelu", "silu", "elu", "leaky_relu", "selu", "softplus", "dropout", "float", "contiguous", "normalize"}
) | frozenset({"squeeze", "unsqueeze", "mean", "sum", "softmax", "clone", "detach", "to", "exp", "log_softmax", "relu_"})
"""Functions whose result has as many features as what they are given."""

JOINS = frozenset({"cat", "concat", "hstack", "concatenate"})
"""Functions that put tensors side by side."""

PRODUCTS = frozenset({"linear", "matmul", "mm", "bmm", "conv1d", "conv2d", "conv3d", "embedding"})
"""Functions whose second argument is the weight."""


def forward_source(module: Module, method: str = "forward") -> ast.FunctionDef | None:
    """The syntax tree of a method; `None` when its source is not at hand."""
    try:
        function = inspect.unwrap(getattr(type(module), method, None) or module.forward)
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError, ValueError):
        return None
    return next((node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)), None)


def receiver(function: ast.FunctionDef) -> str:
    """The name of the first argument, which is the module itself."""
    listed = [*function.args.posonlyargs, *function.args.args]
    return listed[0].arg if listed else "self"


def parameters(function: ast.FunctionDef, *, static: bool = False) -> list[str]:
    """The names of the arguments after the module itself."""
    listed = [argument.arg for argument in (*function.args.posonlyargs, *function.args.args)]
    return [*listed[0 if static else 1 :], *(argument.arg for argument in function.args.kwonlyargs)]


def dotted(expression: ast.expr, owner: str) -> list[str]:
    """The parts after `owner` of `owner.a.b`, looking through transposes and casts; empty for anything else."""
    parts: list[str] = []
    while True:
        if isinstance(expression, ast.Call) and isinstance(expression.func, ast.Attribute):
            expression = expression.func.value
        elif isinstance(expression, ast.Attribute):
            if expression.attr not in ("T", "mT", "data"):
                parts.append(expression.attr)
            expression = expression.value
        else:
            break
    return parts[::-1] if isinstance(expression, ast.Name) and expression.id == owner else []


def divisor(expression: ast.expr) -> float:
    """A divisor that tells how large the values before it are (255 for pixels), 1 for any other."""
    value = expression.value if isinstance(expression, ast.Constant) else None
    return float(value) if isinstance(value, (int, float)) and _RANGES[0] <= value <= _RANGES[1] else 1.0


def axis_of(call: ast.Call) -> int | None:
    """The axis that a join names: 0 when it names none, `None` when it is no number."""
    axis = call.args[1] if len(call.args) > 1 else next((k.value for k in call.keywords if k.arg in ("dim", "axis")), None)
    if axis is None:
        return 0
    return axis.value if isinstance(axis, ast.Constant) and isinstance(axis.value, int) else None


def classes_of(module: Module, call: ast.Call, owner: str) -> int:
    """The number of classes in `one_hot(x, classes)`: a number, or an attribute of the module that is one."""
    given = call.args[-1] if len(call.args) > 1 else next((k.value for k in call.keywords if k.arg == "num_classes"), None)
    if isinstance(given, ast.Constant):
        return given.value if isinstance(given.value, int) else 0
    path = dotted(given, owner) if given is not None else []
    value = module.__dict__.get(path[0], 0) if len(path) == 1 else 0
    return value if isinstance(value, int) else 0
