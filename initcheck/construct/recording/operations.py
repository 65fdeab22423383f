"""What one torch operation does to memory: which arguments it writes, how, and how the call is spelled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import torch
from torch.utils._mode_utils import no_dispatch

from initcheck.construct.recording.frames import is_plain
from initcheck.records.recording import InitCall, Plain

Effect: TypeAlias = Literal["overwrite", "rescale", "scatter"]
"""Every element anew; every element from its old value; some elements that the operation picks itself."""

# fmt: off
OVERWRITING = frozenset({
    "copy_", "fill_", "zero_", "normal_", "uniform_", "random_", "bernoulli_", "exponential_", "geometric_", "log_normal_", "cauchy_",
    "_foreach_copy_", "_foreach_zero_",
})
SCATTERING = frozenset({
    "index_put_", "_index_put_impl_", "_unsafe_index_put_", "index_fill_", "index_copy_", "index_add_", "index_reduce_", "scatter_",
    "scatter_add_", "scatter_reduce_", "masked_fill_", "masked_scatter_", "put_", "fill_diagonal_", "triu_", "tril_",
})
EMPTY = frozenset({"empty", "empty_like", "empty_strided", "empty_permuted", "new_empty", "new_empty_strided"})
COPYING = frozenset({
    "copy_", "_foreach_copy_", "clone", "_to_copy", "lift_fresh", "lift", "lift_fresh_copy", "copy", "contiguous", "_copy_from",
})
JOINING = frozenset({"cat", "stack", "index", "index_select", "gather", "repeat", "flip", "roll", "constant_pad_nd"})
RANDOM = frozenset({
    "rand", "randn", "randint", "randperm", "rand_like", "randn_like", "randint_like", "normal", "bernoulli", "multinomial", "poisson",
    "normal_", "uniform_", "random_", "bernoulli_", "exponential_", "geometric_", "log_normal_", "cauchy_", "xavier_uniform_",
    "xavier_normal_", "kaiming_uniform_", "kaiming_normal_", "trunc_normal_", "orthogonal_", "sparse_",
})
DROPPABLE = frozenset({
    "mul", "div", "add", "sub", "rsub", "clamp", "clamp_min", "clamp_max", "masked_fill", "index_fill", "fill", "triu", "tril", "lerp",
    "erfinv", "neg", "pow", "copy",
})
"""Operations with a twin that works in place, so that somebody who drops their result meant the twin."""
UNSPOKEN = frozenset({
    "dtype", "layout", "device", "pin_memory", "memory_format", "non_blocking", "generator", "size", "stride", "names", "implicit",
    "requires_grad",
})
# fmt: on


@dataclass(frozen=True, slots=True)
class Operation:
    """One overload, as far as the recorder needs to know it.

    `written` are the positions of the written arguments in the schema. `pure`: the values are copied unchanged; `joining`: they are
    picked or put together unchanged.
    """

    name: str
    names: tuple[str, ...]
    defaults: tuple[Any, ...]
    written: tuple[int, ...]
    effect: Effect
    creates: bool
    empty: bool
    pure: bool
    joining: bool
    reads: bool
    resizes: bool
    sets: bool

    @property
    def idle(self) -> bool:
        """Whether the operation neither writes nor makes memory (views, sizes, comparisons to Python values)."""
        return not (self.written or self.creates or self.resizes or self.sets)

    def values(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> list[Any]:
        """All arguments in the order of the schema, defaults included."""
        given = list(args[: len(self.names)])
        rest = range(len(given), len(self.names))
        return given + [kwargs.get(self.names[index], self.defaults[index]) for index in rest]

    def spelled(self, values: Sequence[Any], item: int | None = None) -> InitCall:
        """The call with its plain arguments by name; `item` picks one tensor of a `_foreach_` operation."""
        kwargs: list[tuple[str, Plain]] = []
        for position, (name, value) in enumerate(zip(self.names, values, strict=True)):
            if position in self.written or name in UNSPOKEN:
                continue
            one = value[item] if item is not None and isinstance(value, (list, tuple)) and item < len(value) else value
            plain = _number(one)
            if plain is not None:
                kwargs.append((name, plain))
        return InitCall(self.name, tuple(kwargs))


def operation(func: Any) -> Operation | None:
    """Read the schema of one overload; None for what has none (higher-order operators)."""
    schema = getattr(func, "_schema", None)
    if schema is None:
        return None
    name = schema.name.rpartition("::")[2]
    spoken = tuple(argument.name for argument in schema.arguments)
    written = tuple(
        index for index, argument in enumerate(schema.arguments) if argument.alias_info is not None and argument.alias_info.is_write
    )
    moves_only = torch.Tag.inplace_view in func.tags
    into_out = any(schema.arguments[index].is_out for index in written)
    return Operation(
        name=name,
        names=spoken,
        defaults=tuple(argument.default_value if argument.has_default_value() else None for argument in schema.arguments),
        written=() if moves_only else written,
        effect=_effect(name, into_out),
        creates=any(result.alias_info is None and "Tensor" in str(result.type) for result in schema.returns) or name == "lift_fresh",
        empty=name in EMPTY,
        pure=name in COPYING or name.endswith("_copy"),
        joining=name in JOINING,
        reads=not (name.endswith("_like") or name.startswith("new_") or name == "lift_fresh"),
        resizes=name == "resize_",
        sets=name == "set_",
    )


def _effect(name: str, into_out: bool) -> Effect:
    if into_out or name in OVERWRITING:
        return "overwrite"
    return "scatter" if name in SCATTERING else "rescale"


def _number(value: Any) -> Plain:
    """The plain value of an argument; a tensor without axes on the CPU counts as its number."""
    if type(value) is torch.Tensor and value.ndim == 0 and value.device.type == "cpu" and not value.is_complex():
        with no_dispatch():
            return value.item()  # type: ignore[no-any-return]
    return value if is_plain(value) else None
