"""Which classes, functions and expressions of a file are models, by reasoning about its text alone."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from initcheck.discover.names import ImportedNames
from initcheck.source.calls import MODULE_METHODS, receivers
from initcheck.source.flattening import is_main_guard

Function = ast.FunctionDef | ast.AsyncFunctionDef

# Methods that hand back the module they are called on.
FLUENT = frozenset(
    "to cuda cpu xpu double float half bfloat16 type eval train apply requires_grad_ to_empty share_memory share_memory_ compile".split()
)
WRAPPERS = frozenset({"torch.nn.DataParallel", "torch.nn.parallel.DistributedDataParallel", "torch.compile", "torch.jit.script"})
_MODULE_BASES = re.compile(
    r"^(torch\.nn\.(modules\.\w+\.)?(?!.*(Parameter|init)\b)[A-Z]\w*"
    r"|(pytorch_lightning|lightning(\.pytorch)?|pl|L)\.(core\.)?LightningModule"
    r"|torchvision\.models\..*|timm\.models\..*|torch_geometric\.nn\.[A-Z]\w*|transformers\..*(PreTrainedModel|Model|For[A-Z]\w*))$"
)
_BUILDERS = re.compile(
    r"^(torchvision\.models\.([a-z_]+\.)?([a-z]\w*|[A-Z]\w*Net\w*|get_model)|timm\.create_model|torch\.hub\.load"
    r"|transformers\.(Auto)?\w*(Model|For[A-Z]\w*)(\.from_(config|pretrained))?|torch_geometric\.nn\.models\.\w+)$"
)
_LOSS = re.compile(r"(Loss|Criterion|_loss)$")
# Modules of torch.nn that hold parameters or other modules; a lone ReLU is no model.
_TORCH_PARTS = re.compile(
    r"^torch\.nn\.(modules\.\w+\.)?(Sequential|Module(List|Dict)|(Lazy)?(Linear|Bilinear|Conv(Transpose)?\dd)|Embedding(Bag)?|RNN|LSTM|GRU"
    r"|(RNN|LSTM|GRU)Cell|MultiheadAttention|Transformer(\w*Layer|Encoder|Decoder)?|DataParallel)$"
)


@dataclass(frozen=True, slots=True)
class Binding:
    """A name that a top-level statement (also inside `if`, `try` and `with`) gives a value; `top` is its position in the module body."""

    name: str
    value: ast.expr
    top: int


class FileModels:
    """The classes and functions of a file and what they make."""

    def __init__(self, tree: ast.Module) -> None:
        self.tree = tree
        self.names = ImportedNames(tree)
        self.classes: dict[str, ast.ClassDef] = {}
        self.functions: dict[str, Function] = {}
        self.bindings: list[Binding] = []
        for top, statement in enumerate(tree.body):
            for inner in _blocks(statement):
                self._collect(inner, top)
        self._deciding: set[str] = set()
        self._decided: dict[str, bool] = {}
        self._locals: dict[str, dict[str, ast.expr]] = {}
        # an optimizer has a state_dict and a zero_grad, too
        self.used_as_module = receivers(tree, MODULE_METHODS) - receivers(tree, frozenset({"step", "minimize"}))

    def module_classes(self) -> tuple[ast.ClassDef, ...]:
        """The classes that are modules, losses left out."""
        return tuple(node for name, node in self.classes.items() if self.is_module_class(name) and not _LOSS.search(name))

    def factories(self) -> tuple[Function, ...]:
        """The functions that return a module, losses left out."""
        return tuple(node for name, node in self.functions.items() if self.is_factory(name) and not _LOSS.search(name))

    def instances(self) -> tuple[Binding, ...]:
        """The bindings of top-level names to modules, in order."""
        return tuple(binding for binding in self.bindings if self._is_instance(binding))

    def is_module_class(self, name: str) -> bool:
        """Whether a class of this file descends from a module, or does what a module does."""
        node = self.classes.get(name)
        if node is None:
            return False
        return self._decide("class " + name, lambda: any(self._is_module_base(base, node) for base in node.bases))

    def is_factory(self, name: str) -> bool:
        """Whether a function of this file returns a module."""
        node = self.functions.get(name)
        return node is not None and self._decide("def " + name, lambda: self._returns_module(node))

    def _decide(self, question: str, answer: Callable[[], bool]) -> bool:
        """The answer, worked out once; while it is being worked out, the same question adds nothing."""
        if question in self._decided:
            return self._decided[question]
        if question in self._deciding:
            return False
        first = not self._deciding
        self._deciding.add(question)
        try:
            found = answer()
        finally:
            self._deciding.discard(question)
        if found or first:  # a refusal inside another question may be due to that question
            self._decided[question] = found
        return found

    def _returns_module(self, node: Function) -> bool:
        returned = [inner.value for inner in own_nodes(node) if isinstance(inner, ast.Return) and inner.value is not None]
        if not returned:
            return False
        annotated = node.returns is not None and self._is_module_type(node.returns)
        if node.name not in self._locals:
            self._locals[node.name] = _local_values(node)
        return annotated or any(self.is_module(value, self._locals[node.name]) for value in returned)

    def is_module(self, value: ast.expr, local: Mapping[str, ast.expr] | None = None) -> bool:
        """Whether an expression makes a module; `local` holds the values of local names."""
        local = local or {}
        if isinstance(value, ast.IfExp):
            return self.is_module(value.body, local) or self.is_module(value.orelse, local)
        if isinstance(value, ast.NamedExpr):
            return self.is_module(value.value, local)
        if isinstance(value, ast.Name):
            inner = local.get(value.id)
            remaining = {name: expression for name, expression in local.items() if name != value.id}
            return inner is not None and self.is_module(inner, remaining)
        return isinstance(value, ast.Call) and self._makes_module(value, local)

    def signature(self, name: str) -> ast.arguments | None:
        """The parameters of a function, or of the `__init__` that a class has or inherits within this file; `None` if there is none."""
        if name in self.functions:
            return self.functions[name].args
        for node in self.lineage(name):
            for inner in node.body:
                if isinstance(inner, ast.FunctionDef) and inner.name == "__init__":
                    return inner.args
        return None

    def lineage(self, name: str) -> Iterator[ast.ClassDef]:
        """A class and its ancestors within this file, nearest first."""
        seen: set[str] = set()
        waiting = [name]
        while waiting:
            current = waiting.pop(0)
            node = self.classes.get(current)
            if node is None or current in seen:
                continue
            seen.add(current)
            yield node
            waiting += [base.id for base in node.bases if isinstance(base, ast.Name)]

    def _collect(self, statement: ast.stmt, top: int) -> None:
        if isinstance(statement, ast.ClassDef):
            self.classes[statement.name] = statement
        elif isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)):
            self.functions[statement.name] = statement
        else:
            self.bindings += [Binding(name, value, top) for name, value in _assigned(statement)]

    def _is_instance(self, binding: Binding) -> bool:
        earlier = {other.name: other.value for other in self.bindings if other.top < binding.top}
        return self.is_module(binding.value, earlier) or (
            isinstance(binding.value, ast.Call) and binding.name in self.used_as_module and not self._is_loss(binding.value)
        )

    def _makes_module(self, call: ast.Call, local: Mapping[str, ast.expr]) -> bool:
        function = call.func
        if isinstance(function, ast.Attribute) and function.attr in FLUENT and self.is_module(function.value, local):
            return True
        dotted = self._full(function)
        if dotted in WRAPPERS or dotted == "copy.deepcopy":
            return bool(call.args) and self.is_module(call.args[0], local)
        if isinstance(function, ast.Name):
            if function.id in self.classes:
                return self.is_module_class(function.id) and not _LOSS.search(function.id)
            if function.id in self.functions:
                return self.is_factory(function.id)
        if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name) and self.is_module_class(function.value.id):
            return function.attr.startswith(("from_", "build", "create", "make"))
        return bool(_TORCH_PARTS.match(dotted) or _BUILDERS.match(dotted)) and not _LOSS.search(dotted)

    def _full(self, expression: ast.expr) -> str:
        dotted = self.names.dotted(expression)
        if isinstance(expression, ast.Name) and dotted == expression.id and {"torch.nn", "torchvision.models"} & set(self.names.stars):
            return f"torch.nn.{dotted}" if "torch.nn" in self.names.stars else f"torchvision.models.{dotted}"
        return dotted

    def _is_module_base(self, base: ast.expr, node: ast.ClassDef) -> bool:
        if isinstance(base, ast.Subscript):  # Generic[T] and the like
            base = base.value
        if isinstance(base, ast.Name) and base.id in self.classes:
            return self.is_module_class(base.id)
        dotted = self._full(base)
        if _MODULE_BASES.match(dotted):
            return not _LOSS.search(dotted)
        imported = dotted.split(".")[0] != getattr(base, "id", None) or dotted in self.names.aliases.values()
        return imported and not dotted.startswith("torch.") and self._acts_as_module(node)

    def _acts_as_module(self, node: ast.ClassDef) -> bool:
        methods = {inner.name: inner for inner in node.body if isinstance(inner, ast.FunctionDef)}
        if not {"forward", "training_step"} & set(methods) or "__init__" not in methods:
            return False
        calls = [inner for inner in ast.walk(methods["__init__"]) if isinstance(inner, ast.Call)]
        return any(self._full(call.func).startswith("torch.nn.") for call in calls)

    def _is_module_type(self, annotation: ast.expr) -> bool:
        if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
            try:
                annotation = ast.parse(annotation.value, mode="eval").body
            except SyntaxError:
                return False
        if isinstance(annotation, ast.Name) and annotation.id in self.classes:
            return self.is_module_class(annotation.id)
        return bool(_MODULE_BASES.match(self._full(annotation)))

    def _is_loss(self, call: ast.Call) -> bool:
        dotted = self._full(call.func)
        return bool(_LOSS.search(dotted)) or dotted.startswith(("torch.optim", "torch.utils.data"))


def own_nodes(function: Function | ast.Lambda) -> Iterator[ast.AST]:
    """The nodes of a function body without those of functions and classes inside it."""
    waiting: list[ast.AST] = list(function.body) if not isinstance(function, ast.Lambda) else [function.body]
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
            waiting += ast.iter_child_nodes(node)


def _blocks(statement: ast.stmt) -> Iterator[ast.stmt]:
    """The statement itself and those inside its `if`, `try` and `with` blocks, the main guard left out."""
    if is_main_guard(statement):
        return
    yield statement
    if isinstance(statement, (ast.If, ast.Try, ast.With)):
        inner = [*statement.body, *getattr(statement, "orelse", []), *getattr(statement, "finalbody", [])]
        for handler in getattr(statement, "handlers", []):
            inner += handler.body
        for child in inner:
            yield from _blocks(child)


def _assigned(statement: ast.stmt) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name) and statement.value is not None:
        yield statement.target.id, statement.value
    elif isinstance(statement, ast.Assign):
        for target in statement.targets:
            yield from _pairs(target, statement.value)
    if isinstance(statement, (ast.Expr, ast.Assign, ast.If, ast.Assert)):
        value = statement.test if isinstance(statement, (ast.If, ast.Assert)) else statement.value
        for node in ast.walk(value):
            if isinstance(node, ast.NamedExpr):
                yield node.target.id, node.value


def _pairs(target: ast.expr, value: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(target, ast.Name):
        yield target.id, value
    elif isinstance(target, (ast.Tuple, ast.List)) and isinstance(value, (ast.Tuple, ast.List)) and len(target.elts) == len(value.elts):
        for inner, part in zip(target.elts, value.elts, strict=True):
            yield from _pairs(inner, part)


def _local_values(function: Function) -> dict[str, ast.expr]:
    values: dict[str, ast.expr] = {}
    for node in own_nodes(function):
        if isinstance(node, ast.stmt):
            for name, value in _assigned(node):
                if name not in values or not isinstance(value, ast.Name):
                    values.setdefault(name, value)
    return values
