"""The forms that each argument may take: from the layer that reads it, from its parts, from its name, or as another argument has it."""

from __future__ import annotations

import inspect
from dataclasses import dataclass

import torch
from torch.nn import Module

from initcheck.construct.inputs.names import by_name, is_ids, is_lengths, plain
from initcheck.construct.inputs.samples import Fields, Form, Tree
from initcheck.construct.inputs.shapes import Scene, options
from initcheck.construct.inputs.source.needs import Need, need
from initcheck.construct.inputs.source.reading import Key, Reading, Use, first_layer, resolve
from initcheck.construct.inputs.states import made_state

_FEATURES = 32
"""Features of a tensor of which nothing is known."""

Choice = tuple[str, list[Tree]]
"""A group and its forms; arguments of one group take their forms together."""


@dataclass(frozen=True, slots=True)
class Choices:
    """The forms of the arguments of one model."""

    model: Module
    required: list[inspect.Parameter]
    view: Scene
    reading: Reading

    def made(self) -> tuple[list[Choice], str]:
        """For each argument a group and its forms, and where they came from."""
        found: list[Choice | None] = []
        origin = ""
        for position, name in enumerate([parameter.name for parameter in self.required] or ["input"]):
            use = self._structural(position) or self.reading.uses.get((name,))
            choice = self._known(name)
            if choice is None and use is not None:
                origin = origin or f"inferred from {_place(use.need)}"
                choice = use.need.kind, self._options(use)
            found.append(choice or self._named(name, position, _first_rows(found)))
        main = next((choice for choice in found if choice is not None and choice[1][:1] != [None]), None)
        if None in found and (main is None or found[0] is None):
            fallback = self._fallback()
            origin = origin or (f"inferred from {_place(fallback[0])}" if fallback else "guessed")
            if main is None or (fallback and not (main[0] == "ids" and fallback[0].kind == "ids")):
                main = _of(fallback, self.view)
        return [choice or self._like(main, position) for position, choice in enumerate(found)], origin or "guessed from the argument names"

    def _options(self, use: Use) -> list[Tree]:
        """The forms for a layer, in the order that the other arguments suggest: masks and lengths go with sequences, offsets with bags."""
        forms = options(use, self.view)
        names = [parameter.name for parameter in self.required]
        if use.need.kind == "ids" and self.view.graph:
            return [Form((self.view.batch,), "int64", use.need.size), *forms]
        if (
            any("mask" in name or is_lengths(name) for name in names)
            and len(forms) > 1
            and use.need.kind == "features"
            and use.need.size > 1
        ):
            return [forms[1], forms[0], *forms[2:]]
        return forms

    def _known(self, name: str) -> Choice | None:
        """What is known better than the layer that reads it: states, masks, the parts of a bundle."""
        state = made_state(self.model, name, self.view.batch)
        if state is not None:
            return "state", [state[0]]
        if ("mask" in name or name == "offsets") and (forms := by_name(name, self.view, self.view.batch)) is not None:
            return "mask" if "mask" in name else name, forms
        whole = self.reading.uses.get((name,))
        bundle = self._bundle((name,)) if whole is None or whole.stepped < 0 else None
        return None if bundle is None else (name, [bundle])

    def _structural(self, position: int) -> Use | None:
        """Models that are themselves a layer or a sequence of layers have no forward of their own to read."""
        layer = need(self.model, "", position, guess=False)
        if layer is not None or isinstance(self.model, (torch.nn.Sequential, torch.nn.ModuleList)):
            return resolve(self.model, "", position)
        return None

    def _bundle(self, name: Key) -> Tree:
        """A dictionary, a tuple or an object for an argument whose parts are read one by one."""
        keys = [key[len(name)] for key in (*self.reading.uses, *self.reading.parts) if len(key) > len(name) and key[: len(name)] == name]
        keys = list(dict.fromkeys(keys))
        if not keys:
            return None
        if all(isinstance(key, int) for key in keys):
            last = max(key for key in keys if isinstance(key, int))
            parts = {index: self._part((*name, index)) for index in range(last + 1)}
            sibling = next((part for part in parts.values() if part is not None), Form((self.view.batch, _FEATURES)))
            return tuple(sibling if part is None else part for part in parts.values())
        texts = [str(key) for key in keys]
        rows = next(
            (part.shape[0] for text in texts if isinstance(part := self._part((*name, text)), Form) and part.shape), self.view.batch
        )
        fields = {text.lstrip("."): self._part((*name, text), rows) for text in texts}
        filled = {text: self._float() if part is None else part for text, part in fields.items()}
        return Fields(filled) if any(text.startswith(".") for text in texts) else filled

    def _part(self, key: Key, rows: int = 0) -> Tree:
        inner = self._bundle(key)
        if inner is not None:
            return inner
        use = self.reading.uses.get(key)
        if use is not None:
            forms = options(use, self.view)
            edges = self.view.graph and str(key[-1]).lstrip(".") in ("edge_attr", "edge_features", "edge_feat")
            if isinstance(forms[0], Form) and self.view.graph:
                return Form(
                    (4 * rows if edges and rows else forms[0].shape[0], *_tail(forms[0], edges=edges)), forms[0].dtype, forms[0].below
                )
            return forms[0]
        name = str(key[-1]).lstrip(".")
        named = by_name(name, self.view, rows or self.view.batch, graph=self.view.graph) if isinstance(key[-1], str) else None
        return next((form for form in named or () if form is not None), None)

    def _named(self, name: str, position: int, rows: int) -> Choice | None:
        forms = by_name(name, self.view, rows or self.view.batch, graph=self.view.graph)
        if forms is not None:
            return name, forms
        try:
            return name, [plain(self.required[position].annotation)]
        except (KeyError, TypeError, IndexError):
            return None

    def _like(self, main: Choice | None, position: int) -> Choice:
        """An argument of which nothing is known takes the form of the main one, but integers only where its name or type allow."""
        if main is None:
            return "guess", [None]
        parameter = self.required[position] if position < len(self.required) else None
        whole = isinstance(main[1][0], Form) and main[1][0].dtype == "int64"
        if whole and parameter is not None and position and not is_ids(parameter.name) and not _similar(parameter.name, self.required):
            return f"free {parameter.name}", [self._float(), *main[1][:1]]
        return main

    def _float(self) -> Form:
        return Form((self.view.batch, _FEATURES))

    def _fallback(self) -> list[Need]:
        """The first layer by registration, else what bare parameters look like."""
        first = first_layer(self.model)
        if first is not None:
            return [first]
        wishes: list[Need] = []
        for name, parameter in self.model.named_parameters():
            if parameter.dim() in (1, 2, 3):
                wishes += [Need("features", int(size), name, "shape") for size in dict.fromkeys(parameter.shape[-2:])]
            elif parameter.dim() == 4:
                wishes.append(Need("image", int(parameter.shape[1]), name, "shape"))
            if len(wishes) > 3:
                break
        return wishes


def _of(fallback: list[Need], view: Scene) -> Choice:
    forms = [form for wish in fallback for form in options(Use(wish), view)] or [Form((view.batch, _FEATURES))]
    return fallback[0].kind if fallback else "guess", forms


def _similar(name: str, required: list[inspect.Parameter]) -> bool:
    """Whether another argument has nearly the same name: input1 and input2, x and y, premise and hypothesis do not tell."""
    stem = name.rstrip("0123456789_ab")
    return any(other.name != name and other.name.rstrip("0123456789_ab") == stem for other in required)


def _tail(form: Form, *, edges: bool) -> tuple[int, ...]:
    """Nodes and edges have one category each, or a row of features."""
    return () if form.dtype == "int64" else form.shape[-1:] if edges else form.shape[1:]


def _place(wish: Need) -> str:
    return f"{wish.path}.{wish.source}" if wish.path else wish.source


def _first_rows(found: list[Choice | None]) -> int:
    first = next((choice[1][0] for choice in found if choice is not None and choice[1]), None)
    return first.shape[0] if isinstance(first, Form) and first.shape else 0
