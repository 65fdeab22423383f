"""One Python source as it lies in a file: its text, where its lines begin, and what it is with some of its characters replaced."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from initcheck.fix.source.notebooks import NotebookFile
from initcheck.records.source import Edit
from initcheck.source.reading import encoding_of, is_notebook

_LINE = re.compile(r"\r\n|\r|\n")
_MARKERS = re.compile(r"^(<{7} |={7}\r?$|>{7} )", re.MULTILINE)


@dataclass(slots=True)
class Change:
    """A replacement of the characters `start` to `end` of a source; an insertion where both are equal."""

    start: int
    end: int
    text: str


@dataclass
class Source:
    """A source in Python and the bytes that it came from.

    `text` is what Python reads: of a notebook the joined cells, else the decoded file without its byte order mark. Positions count its
    characters, from 0; lines count from 1.
    """

    path: str
    data: bytes
    text: str
    encoding: str = "utf-8"
    book: NotebookFile | None = None
    tree: ast.Module = field(default_factory=lambda: ast.Module([], []))

    @classmethod
    def of(cls, path: str, data: bytes) -> Source:
        """The source that these bytes hold.

        Raises:
            SyntaxError: when they are no Python.
            ValueError: when they are no text, or the notebook cannot be rewritten.
        """
        if is_notebook(path):
            book = NotebookFile.of(path, data)
            return cls(path, data, book.text, book=book, tree=ast.parse(book.text, path))
        encoding = encoding_of(data)
        text = data.decode(encoding)
        return cls(path, data, text, encoding, tree=ast.parse(text, path))

    @cached_property
    def starts(self) -> list[int]:
        """Where each line begins."""
        return [0, *(match.end() for match in _LINE.finditer(self.text))]

    @cached_property
    def newline(self) -> str:
        """The line end of the file: the first one that it uses."""
        match = _LINE.search(self.text)
        return match[0] if match else "\n"

    @cached_property
    def unit(self) -> str:
        """One level of indentation, as the file uses it."""
        for node in ast.walk(self.tree):
            body = getattr(node, "body", None)
            if isinstance(node, ast.stmt) and isinstance(body, list) and body and body[0].lineno > node.lineno:
                outer, inner = self.indent(node.lineno), self.indent(body[0].lineno)
                if inner.startswith(outer) and inner != outer:
                    return inner[len(outer) :]
        return "    "

    @cached_property
    def quote(self) -> str:
        """The quotation mark that the file prefers."""
        single = double = 0
        for match in re.finditer(r"(?<![\w'\"])(['\"])(?!\1)[\w ./-]*\1", self.text):
            single += match[1] == "'"
            double += match[1] == '"'
        return "'" if single > double else '"'

    def line(self, number: int) -> str:
        """The characters of a line, without its end."""
        last = self.starts[number] if number < len(self.starts) else len(self.text)
        return self.text[self.starts[number - 1] : last].rstrip("\r\n")

    def indent(self, number: int) -> str:
        """The white space that a line begins with."""
        text = self.line(number)
        return text[: len(text) - len(text.lstrip(" \t\f"))]

    def indented(self, indent: str, rows: Sequence[str]) -> list[str]:
        """Lines under an indentation, their own levels in its kind of white space."""
        unit = "\t" if indent.endswith("\t") else "    " if indent and self.unit == "\t" else self.unit
        found = []
        for row in rows:
            bare = row.lstrip(" \t")
            levels = (len(row) - len(bare)) // max(len(self.unit), 1) if row.startswith(self.unit) else 0
            found.append(indent + unit * levels + bare if levels else indent + row)
        return found

    def offset(self, line: int, column: int) -> int:
        """The position of a column that `ast` gives, in bytes of UTF-8 from 0."""
        text = self.line(line)
        inside = column if text.isascii() else len(text.encode()[:column].decode(errors="ignore"))
        return self.starts[line - 1] + inside

    def span(self, node: ast.AST) -> tuple[int, int]:
        """First and last position of a node."""
        first = self.offset(node.lineno, node.col_offset)  # type: ignore[attr-defined]
        return first, self.offset(node.end_lineno, node.end_col_offset)  # type: ignore[attr-defined]

    def segment(self, node: ast.AST) -> str:
        """The characters of a node, as they were written."""
        start, end = self.span(node)
        return self.text[start:end]

    def after_line(self, line: int, lines: Sequence[str]) -> Change:
        """New lines behind a line; where that has no end, the last new one has none either."""
        at = self.starts[line - 1] + len(self.line(line))
        return Change(at, at, "".join(self.newline + text for text in lines))

    def before_line(self, line: int, lines: Sequence[str]) -> Change:
        """New lines in front of a line."""
        at = self.starts[line - 1]
        return Change(at, at, "".join(text + self.newline for text in lines))

    def replaced(self, changes: Iterable[Change]) -> bytes:
        """The bytes of the file with these changes.

        Raises:
            ValueError: when two of them overlap, or one cannot be carried back into the notebook or the encoding.
        """
        ordered = in_order(changes)
        if self.book is not None:
            return self.book.replaced([(change.start, change.end, change.text) for change in ordered])
        return applied(self.text, ordered).encode(self.encoding)


def in_order(changes: Iterable[Change]) -> list[Change]:
    """The changes by position, insertions at one place joined in the order in which they were made.

    Raises:
        ValueError: when two overlap.
    """
    found: list[Change] = []
    for change in sorted(changes, key=lambda change: (change.start, change.end)):
        last = found[-1] if found else None
        if last is not None and last.start == last.end == change.start == change.end:
            found[-1] = Change(last.start, last.end, last.text + change.text)
        elif last is not None and change.start < last.end:
            raise ValueError("two remedies change the same place")
        else:
            found.append(change)
    return found


def applied(text: str, changes: Iterable[Change]) -> str:
    """A text with changes that are in order."""
    parts, at = [], 0
    for change in changes:
        parts += [text[at : change.start], change.text]
        at = change.end
    return "".join([*parts, text[at:]])


def decoded(path: str, data: bytes) -> str:
    """The text of a file whose characters an `Edit` counts: a notebook's JSON, a source without its byte order mark."""
    if is_notebook(path):
        return data.decode("utf-8-sig")
    return data.decode(encoding_of(data))


def conflicted(data: bytes) -> bool:
    """Whether a file holds the markers of an unfinished merge."""
    text = data.decode("utf-8", "replace")
    return text.count("<<<<<<< ") > 0 and len({match[1][:1] for match in _MARKERS.finditer(text)}) > 1


def edits_between(path: str, before: str, after: str) -> tuple[Edit, ...]:
    """The smallest runs of whole lines that turn one text into the other, as edits of the first."""
    import difflib

    old, new = _pieces(before), _pieces(after)
    starts = [0]
    for piece in old:
        starts.append(starts[-1] + len(piece))
    found = []
    for tag, first, last, begin, end in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag != "equal":
            found.append(Edit(path, starts[first], starts[last], "".join(new[begin:end])))
    return tuple(found)


def _pieces(text: str) -> list[str]:
    return [piece for piece in re.split(r"(?<=\n)", text) if piece]
