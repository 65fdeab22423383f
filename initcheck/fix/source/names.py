"""How a file spells the names of torch, and what has to be imported for a name that it does not have yet."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from functools import cached_property

from initcheck.fix.source.text import Change, Source
from initcheck.fix.source.tree import FUNCTIONS

INIT = "torch.nn.init"


class Names:
    """The imports of one file; asking for a name that none of them gives adds one."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self._changes: list[tuple[str, Change]] = []
        self._added: dict[str, str] = {}

    def imports(self, changes: Iterable[Change]) -> list[Change]:
        """The new imports that these changes need."""
        texts = "\n".join(change.text for change in changes)
        return [change for name, change in self._changes if name in texts]

    def dotted(self, node: ast.expr) -> str:
        """The full name that an expression stands for (`init.normal_` is `torch.nn.init.normal_`), empty where it is none."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.insert(0, node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return ""
        origin = self._bound.get(node.id)
        if origin is None:
            return f"{INIT}.{node.id}" if INIT in self._stars and not parts and node.id.endswith("_") else ".".join([node.id, *parts])
        return ".".join([origin, *parts])

    def spelled(self, full: str) -> str:
        """A full name as this file writes it, with the longest of its own names for a part of it."""
        package, _, name = full.rpartition(".")
        if package in self._stars and name not in self._shadowed:
            return name
        known = {origin: alias for alias, origin in self._bound.items() if alias not in self._shadowed} | self._added
        if full in known and package == INIT:
            return known[full]
        parts = package.split(".")
        for length in range(len(parts), 0, -1):
            alias = known.get(".".join(parts[:length]))
            if alias is not None:
                return ".".join([alias, *parts[length:], name])
        return self._imported(full)

    def beside(self, function: ast.expr, name: str) -> str:
        """Another function of torch.nn.init, spelled as the one that is called here."""
        if isinstance(function, ast.Attribute):
            return f"{self.source.segment(function.value)}.{name}"
        full = f"{INIT}.{name}"
        if INIT in self._stars or full in self._bound.values() or full in self._added:
            return self.spelled(full)
        imported = next((node for node in self._imports if isinstance(node, ast.ImportFrom) and node.module == INIT), None)
        if imported is None or not isinstance(function, ast.Name):
            return self.spelled(full)
        _, end = self.source.span(imported.names[-1])
        self._changes.append((name, Change(end, end, f", {name}")))
        self._added[full] = name
        return name

    def free(self, wanted: str, *others: str) -> str:
        """The first of these names that the file does not use."""
        used = {node.id for node in ast.walk(self.source.tree) if isinstance(node, ast.Name)} | self._shadowed | set(self._bound)
        return next((name for name in (wanted, *others) if name not in used), f"{wanted}_")

    @cached_property
    def _imports(self) -> list[ast.Import | ast.ImportFrom]:
        """The imports of the module itself, those in `try` and `if` blocks included."""
        found: list[ast.Import | ast.ImportFrom] = []
        waiting: list[ast.AST] = list(self.source.tree.body)
        while waiting:
            node = waiting.pop(0)
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                found.append(node)
            elif not isinstance(node, (*FUNCTIONS, ast.ClassDef)):
                waiting += [child for child in ast.iter_child_nodes(node) if isinstance(child, (ast.stmt, ast.ExceptHandler))]
        return found

    @cached_property
    def _bound(self) -> dict[str, str]:
        names: dict[str, str] = {}
        for node in self._imports:
            for item in node.names:
                if isinstance(node, ast.Import):
                    names[item.asname or item.name.split(".")[0]] = item.name if item.asname else item.name.split(".")[0]
                elif not node.level and item.name != "*":
                    names[item.asname or item.name] = f"{node.module}.{item.name}"
        return names

    @cached_property
    def _stars(self) -> set[str]:
        return {str(node.module) for node in self._imports if isinstance(node, ast.ImportFrom) and node.names[0].name == "*"}

    @cached_property
    def _shadowed(self) -> set[str]:
        """Names that something besides an import binds, somewhere in the file."""
        found: set[str] = set()
        for node in ast.walk(self.source.tree):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                found.add(node.id)
            elif isinstance(node, ast.arg):
                found.add(node.arg)
            elif isinstance(node, (*FUNCTIONS, ast.ClassDef)):
                found.add(node.name)
        return found

    def _imported(self, full: str) -> str:
        """A new import behind the last one of the first block of imports."""
        package, name = ("torch", "nn") if full.startswith("torch.nn.") else ("", "torch")
        origin = f"{package}.{name}" if package else name
        alias = name if name not in self._shadowed else f"torch_{name}" if package else "pytorch"
        text = f"from {package} import {name}" if package else f"import {name}"
        if alias != name:
            text += f" as {alias}"
        self._added[origin] = alias
        body = self.source.tree.body
        tops = [node for node in body if isinstance(node, (ast.Import, ast.ImportFrom))]
        torches = [node for node in tops if isinstance(node, ast.ImportFrom) and str(node.module).split(".")[0] == "torch"]
        if torches and not package:
            change = self.source.before_line(torches[0].lineno, [text])
        elif tops:
            change = self.source.after_line(tops[-1].end_lineno or tops[-1].lineno, [text])
        elif body and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant) and isinstance(body[0].value.value, str):
            change = self.source.after_line(body[0].end_lineno or 1, ["", text])
        else:
            change = self.source.before_line(body[0].lineno if body else 1, [text])
        self._changes.append((alias, change))
        return alias + full[len(origin) :]
