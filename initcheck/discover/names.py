"""What a dotted name in a file stands for, through all its imports, as far as the text says."""

from __future__ import annotations

import ast


class ImportedNames:
    """The import aliases of one file.

    `stars` are the modules imported with `*`. Imports inside functions count too: a clash between them is not worth a scope analysis.
    """

    def __init__(self, tree: ast.Module) -> None:
        self.aliases: dict[str, str] = {}
        self.stars: list[str] = []
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                self._import(node)
            elif isinstance(node, ast.ImportFrom):
                self._import_from(node)

    def dotted(self, expression: ast.expr) -> str:
        """The full name of `a.b.c` (`nn.Linear` gives `torch.nn.Linear`), empty if the expression is no plain chain of names."""
        parts: list[str] = []
        while isinstance(expression, ast.Attribute):
            parts.append(expression.attr)
            expression = expression.value
        if not isinstance(expression, ast.Name):
            return ""
        root = self.aliases.get(expression.id, expression.id)
        return ".".join([root, *reversed(parts)])

    def _import(self, node: ast.Import) -> None:
        for alias in node.names:
            if alias.asname:
                self.aliases[alias.asname] = alias.name
            else:
                root = alias.name.split(".")[0]
                self.aliases[root] = root

    def _import_from(self, node: ast.ImportFrom) -> None:
        module = "." * node.level + (node.module or "")
        for alias in node.names:
            if alias.name == "*":
                self.stars.append(module)
            else:
                joint = "" if module.endswith(".") else "."
                self.aliases[alias.asname or alias.name] = f"{module}{joint}{alias.name}"


def root_name(expression: ast.expr) -> str:
    """The name at the root of `a.b[0].c(...)`, empty if there is none."""
    while True:
        if isinstance(expression, ast.Name):
            return expression.id
        if isinstance(expression, (ast.Attribute, ast.Subscript, ast.Starred, ast.Await)):
            expression = expression.value
        elif isinstance(expression, ast.Call) and isinstance(expression.func, ast.Attribute):
            expression = expression.func
        else:
            return ""
