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

BUNDLES = frozenset({"batch", "inputs", "input", "data", "sample", "pair"})
"""Names of arguments that hold several tensors when they are unpacked or indexed."""

PRODUCTS = frozenset({"linear", "matmul", "mm", "bmm", "conv1d", "conv2d", "conv3d", "embedding"})
"""Functions whose second argument is the weight."""


def forward_source(module: Module, method: str = "forward") -> ast.FunctionDef | None:
    """The syntax tree of a method; `None` when its source is not at hand."""
    function = inspect.unwrap(getattr(type(module), method, None) or module.forward)
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError):
        return None
    return next((node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)), None)


def receiver(function: ast.FunctionDef) -> str:
    """The name of the first argument, which is the module itself."""
    listed = [*function.args.posonlyargs, *function.args.args]
    return listed[0].arg if listed else "self"


def parameters(function: ast.FunctionDef) -> list[str]:
    """The names of the arguments after the module itself."""
    listed = [argument.arg for argument in (*function.args.posonlyargs, *function.args.args)]
    return [*listed[1:], *(argument.arg for argument in function.args.kwonlyargs)]


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
