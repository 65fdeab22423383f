"""What a top-level statement does when it runs: train, load data, make an optimizer, or change an object in place."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator

from initcheck.discover.models import FileModels, own_nodes
from initcheck.discover.names import root_name

_TRAINING_METHODS = frozenset({"backward", "step", "manual_backward"})
_TRAINER = re.compile(r"train|learn|fabric|model|net", re.IGNORECASE)
_TRAINING_FUNCTION = re.compile(
    r"^(train|fit|finetune|fine_tune|pretrain)(_(model|net|network|gan|vae|loop|step|epoch|epochs|one_epoch|and_\w+|\w+_epoch))?$"
)
_DATA = re.compile(
    r"^(torchvision\.datasets|torchaudio\.datasets|torchtext|torch_geometric\.(datasets|loader)|ogb|tensorflow_datasets|gym|gymnasium|datasets)\.\w+"
    r"|^torch\.utils\.data\.(DataLoader|random_split|dataloader)|^sklearn\.datasets\.|^pandas\.read_|^numpy\.(load|loadtxt|genfromtxt)$"
    r"|^urllib\.request\.|^requests\.|^PIL\.Image\.open|^open$|^(cv2\.imread|wget\.download)$|(Dataset|DataLoader)$"
)
_SEEDS = re.compile(
    r"^(torch\.(random\.)?manual_seed|torch\.set_default_(dtype|device|tensor_type)|random\.seed|numpy\.random\.seed|sys\.path\.(append|insert|extend)"
    r"|transformers\.set_seed|absl\.flags\.DEFINE_\w+|(pytorch_lightning|lightning(\.pytorch|\.fabric)?|pl|L)\.seed_everything)$"
)
_INIT_FUNCTION = re.compile(r"^torch\.nn\.(init\.\w+_?|utils\.(?!clip_|rnn)\w+(\.\w+)*)$")
# Methods of a model that can change its parameters; everything else (train, eval, parameters, summary, calls) leaves them as they are.
_MODEL_METHOD = re.compile(
    r"^(apply|append|extend|insert|half|double|float|bfloat16|to|type|tie_\w+)$|[^_]_$|init|reset|load|^_?set_|^add_|register|freez|resiz|prun|replac|fill"
)
_INIT_WORD = re.compile(r"init|reset|weight|xavier|kaiming|orthog|load|freez|replac|patch|convert|inject|norm|set_", re.IGNORECASE)
_SETUP_WORD = re.compile(r"set|update|merge|fill|load|build|add|parse|config|prepar|init|register", re.IGNORECASE)
_PURE_METHOD = re.compile(
    r"^(get|items|keys|values|copy|lower|upper|split|strip|join|startswith|endswith|format|encode|decode|index|count|size|dim|numel|item|tolist"
    r"|parameters|state_dict|cpu|cuda|numpy|detach|exists|is_file|is_dir|mkdir|close|flush)$|^(save|dump|write|print|plot|show|log|info|debug|warn|error|to_)"
)
_CONTAINER_METHODS = frozenset("append extend insert update pop popitem setdefault add remove discard clear sort reverse".split())
_VIEWS = frozenset(
    "parameters named_parameters modules named_modules children named_children buffers state_dict get_submodule get_parameter items values data"
    " to cuda cpu float double half eval train apply requires_grad_".split()
)
_WRAPPING = frozenset({"list", "tuple", "dict", "filter", "sorted", "reversed", "enumerate", "zip"})


class Effects:
    """Judges the statements of one file."""

    def __init__(self, models: FileModels) -> None:
        self.models = models
        self._training: dict[str, bool] = {}
        self._mutating: dict[str, bool] = {}

    def trains(self, statement: ast.stmt) -> bool:
        """Whether running the statement trains something: a backward pass or an optimizer step, also inside the functions it calls."""
        return any(self._call_trains(call) for call in _calls(executed(statement)))

    def data(self, statement: ast.stmt) -> str:
        """In a few words, which data the statement loads (`MNIST download`); empty if none."""
        for call in _calls(executed(statement)):
            dotted = self.models.names.dotted(call.func)
            last = dotted.rsplit(".", 1)[-1]
            if any(item.arg == "download" and isinstance(item.value, ast.Constant) and item.value.value for item in call.keywords):
                return f"{last} download"
            if _DATA.search(dotted) and last not in self.models.functions:
                if last == "open":
                    return "reading of files"
                return "data loading" if last[:1].islower() or last == "DataLoader" else f"{last} data"
        return ""

    def optimizes(self, statement: ast.stmt) -> bool:
        """Whether the statement makes an optimizer or a learning rate schedule."""
        dotted = (self.models.names.dotted(call.func) for call in _calls(executed(statement)))
        return any(name.startswith("torch.optim.") or name.endswith(".configure_optimizers") for name in dotted)

    def heavy(self, statement: ast.stmt) -> bool:
        """Whether the statement trains, loads data or makes an optimizer."""
        return self.trains(statement) or bool(self.data(statement)) or self.optimizes(statement)

    def seeds(self, statement: ast.stmt) -> bool:
        """Whether the statement sets a seed, a default for new tensors, or where imports are found."""
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            return False
        return any(_SEEDS.match(self.models.names.dotted(call.func)) for call in _calls(executed(statement)))

    def mutates(self, statement: ast.stmt, names: frozenset[str], kind: str) -> bool:
        """Whether the statement changes in place what one of `names` (one object and its aliases) holds.

        `kind` is `model`, `import`, `container` (a literal list, dict or set), `plain` (any other literal), or `object`.
        """
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) or self.trains(statement):
            return False
        if kind == "model" and self.optimizes(statement):
            return False
        held = names | _inner_aliases(statement, names)
        nodes = list(executed(statement))
        if any(_stores(node, held) for node in nodes) and not (kind == "import" and "sys" in names):
            return True
        if isinstance(statement, ast.Expr) and self._mutates_inside(statement.value, names, kind):
            return True
        return any(self._call_mutates(call, held, kind) for call in _calls(nodes))

    def unjudged(self, statement: ast.stmt, names: frozenset[str]) -> str:
        """The name of a function of unknown intent that a statement hands the whole model to; empty if none."""
        if not isinstance(statement, ast.Expr) or not isinstance(statement.value, ast.Call):
            return ""
        call = statement.value
        name = call.func.id if isinstance(call.func, ast.Name) else ""
        known = (
            not name or name in self.models.functions or (name in self.models.names.aliases and "torch" in self.models.names.aliases[name])
        )
        handed = any(isinstance(argument, ast.Name) and argument.id in names for argument in call.args)
        return "" if known or not handed or re.search(r"print|summary|info|count|plot|show|len|eval|test|str|repr|type|id", name) else name

    def _call_trains(self, call: ast.Call) -> bool:
        function = call.func
        if isinstance(function, ast.Attribute):
            if function.attr in {"fit", "learn"} or (function.attr == "train" and call.args and not isinstance(call.args[0], ast.Constant)):
                return bool(_TRAINER.search(root_name(function)))
            if function.attr == "train" and re.search(r"trainer", root_name(function), re.IGNORECASE):
                return True
            return function.attr in _TRAINING_METHODS
        if not isinstance(function, ast.Name):
            return False
        if function.id in self.models.functions:
            return self.function_trains(function.id)
        imported = function.id in self.models.names.aliases or bool(self.models.names.stars)
        return imported and bool(call.args) and bool(_TRAINING_FUNCTION.match(function.id))

    def function_trains(self, name: str) -> bool:
        """Whether calling a function of this file trains something."""
        if name not in self._training:
            self._training[name] = False  # while deciding: a function that calls itself adds nothing
            self._training[name] = any(self._call_trains(call) for call in _calls(own_nodes(self.models.functions[name])))
        return self._training[name]

    def _call_mutates(self, call: ast.Call, held: frozenset[str], kind: str) -> bool:
        function = call.func
        if isinstance(function, ast.Attribute) and root_name(function) in held:
            return self._method_mutates(function, kind)
        arguments = [*call.args, *(item.value for item in call.keywords)]
        if not any(_mentions(argument, held) for argument in arguments):
            return False
        dotted = self.models.names.dotted(function)
        if _INIT_FUNCTION.match(dotted) or dotted in {"setattr", "delattr"}:
            return True
        direct = any(root_name(argument) in held for argument in arguments)
        if not direct or kind in {"import", "plain"}:
            return False
        if isinstance(function, ast.Name) and function.id in self.models.functions:
            return self._function_mutates(function.id)
        word = dotted.rsplit(".", 1)[-1]
        if word in self.models.classes or word[:1].isupper() or dotted.startswith(("os.", "shutil.", "logging.", "builtins.")):
            return False
        return bool((_INIT_WORD if kind == "model" else _SETUP_WORD).search(word)) and word not in {"len", "dict", "list", "set", "setattr"}

    def _mutates_inside(self, value: ast.expr, names: frozenset[str], kind: str) -> bool:
        """Whether a call of a function of this file changes a global object that is not handed to it."""
        if not isinstance(value, ast.Call) or not isinstance(value.func, ast.Name) or value.func.id not in self.models.functions:
            return False
        function = self.models.functions[value.func.id]
        nodes = list(own_nodes(function))
        local = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
        local |= {node.arg for node in ast.walk(function.args) if isinstance(node, ast.arg)}
        held = names - local
        return bool(held) and any(
            _stores(node, held) or (isinstance(node, ast.Call) and self._call_mutates(node, held, kind)) for node in nodes
        )

    def _method_mutates(self, function: ast.Attribute, kind: str) -> bool:
        if kind in {"import", "plain"}:
            return False
        if kind == "container":
            return function.attr in _CONTAINER_METHODS
        if kind == "model":
            return bool(_MODEL_METHOD.search(function.attr)) and not function.attr.startswith("zero_grad")
        return not _PURE_METHOD.search(function.attr)

    def _function_mutates(self, name: str) -> bool:
        """Whether a function of this file may change what it is given; one that touches data is taken for an evaluation."""
        if name not in self._mutating:
            self._mutating[name] = False
            nodes = list(own_nodes(self.models.functions[name]))
            loads = any(_DATA.search(self.models.names.dotted(call.func)) for call in _calls(nodes))
            self._mutating[name] = not loads and any(self._node_mutates(node) for node in nodes)
        return self._mutating[name]

    def _node_mutates(self, node: ast.AST) -> bool:
        if isinstance(node, (ast.Attribute, ast.Subscript)):
            return isinstance(node.ctx, (ast.Store, ast.Del))
        if not isinstance(node, ast.Call):
            return False
        function = node.func
        if isinstance(function, ast.Attribute):
            if function.attr in {"to", "float", "double", "half", "type", "append"}:  # on tensors and lists of results, in evaluations
                return False
            return bool(_MODEL_METHOD.search(function.attr)) or function.attr in _CONTAINER_METHODS
        if isinstance(function, ast.Name) and function.id in self.models.functions:
            return self._function_mutates(function.id)
        return bool(_INIT_FUNCTION.match(self.models.names.dotted(function))) or root_name(function) in {"setattr", "delattr"}


def executed(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes that run when a statement runs: everything but the bodies of functions and lambdas."""
    waiting = [node]
    while waiting:
        current = waiting.pop()
        yield current
        if isinstance(current, (ast.FunctionDef, ast.AsyncFunctionDef)):
            waiting += [*current.decorator_list, *current.args.defaults, *(item for item in current.args.kw_defaults if item)]
        elif not isinstance(current, ast.Lambda):
            waiting += ast.iter_child_nodes(current)


def literal_kind(node: ast.expr) -> str:
    """`container` for a literal list, dict or set (also `dict(...)`), `plain` for any other literal, `object` for the rest."""
    if isinstance(node, (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp)):
        return "container"
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"list", "dict", "set"}:
        return "container"
    if isinstance(node, ast.BinOp):
        return "container" if "container" in {literal_kind(node.left), literal_kind(node.right)} else "plain"
    if isinstance(node, (ast.Constant, ast.JoinedStr, ast.UnaryOp, ast.Compare, ast.BoolOp)):
        return "plain"
    return "object"


def alias_of(value: ast.expr) -> str:
    """The object that an expression hands out a part of (`net.fc.weight`, `list(net.parameters())`); empty if it makes something new."""
    if isinstance(value, ast.Call):
        if isinstance(value.func, ast.Name) and value.func.id in _WRAPPING and value.args:
            return alias_of(value.args[-1])
        if not (isinstance(value.func, ast.Attribute) and value.func.attr in _VIEWS):
            return ""
    elif not isinstance(value, (ast.Attribute, ast.Subscript, ast.Name)):
        return ""
    return root_name(value)


def _calls(nodes: Iterable[ast.AST]) -> Iterator[ast.Call]:
    return (node for node in nodes if isinstance(node, ast.Call))


def _mentions(node: ast.AST, names: frozenset[str]) -> bool:
    return any(isinstance(inner, ast.Name) and inner.id in names for inner in ast.walk(node))


def _stores(node: ast.AST, names: frozenset[str]) -> bool:
    """Whether a node assigns to, or deletes, a part of what the names hold."""
    return isinstance(node, (ast.Attribute, ast.Subscript)) and isinstance(node.ctx, (ast.Store, ast.Del)) and root_name(node) in names


def _inner_aliases(statement: ast.stmt, names: frozenset[str]) -> frozenset[str]:
    """The names that loops, comprehensions and assignments inside a statement give to parts of the object."""
    held = set(names)
    for _ in range(3):  # loops over parts of parts
        for node in executed(statement):
            if isinstance(node, (ast.For, ast.comprehension)) and _mentions(node.iter, frozenset(held)):
                held |= {inner.id for inner in ast.walk(node.target) if isinstance(inner, ast.Name)}
            elif isinstance(node, ast.Assign) and node is not statement and alias_of(node.value) in held:
                held |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return frozenset(held)
