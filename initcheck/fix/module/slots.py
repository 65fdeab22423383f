"""Where a parameter's value lives and how it is set: plainly, through a parametrization, or not at all, and why not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy
from torch.nn.utils import parametrize

_OLD_NORM = ("_g", "_v")
_CLOSE = 1e-3


class Refusal(Exception):
    """A parameter that cannot be written; the message says why."""


@dataclass(slots=True)
class Slot:
    """One value that can be read, written and put back.

    `key` is the same for two names of one value. `backing` are the tensors that a write changes.
    """

    name: str
    key: object
    read: Callable[[], Tensor]
    write: Callable[[Tensor], None]
    backing: list[Tensor]
    saved: list[Tensor] = field(default_factory=list)

    def save(self) -> None:
        """Keeps a copy of every byte that a write may change."""
        self.saved = [tensor.detach().clone() for tensor in self.backing]

    def restore(self) -> None:
        """Puts the kept bytes back."""
        with torch.no_grad():
            for tensor, copy in zip(self.backing, self.saved, strict=True):
                tensor.detach().copy_(copy)


def slot_of(model: nn.Module, name: str) -> Slot:
    """The slot of a parameter by its name in `named_parameters()`.

    Raises:
        Refusal: when there is no such parameter, or it cannot be written.
    """
    path, _, leaf = name.rpartition(".")
    owner = _module(model, path, name)
    if isinstance(owner, parametrize.ParametrizationList):
        outer, _, tensor_name = path.rpartition(".parametrizations.")
        holder = _module(model, outer, name) if outer else model
        if not outer:
            tensor_name = path.removeprefix("parametrizations.")
        return _parametrized(holder, tensor_name, owner, name)
    if parametrize.is_parametrized(owner, leaf):
        return _parametrized(owner, leaf, _lists(owner)[leaf], name)
    if leaf.endswith(_OLD_NORM) and all(hasattr(owner, leaf[:-2] + end) for end in _OLD_NORM):
        return _weight_normed(owner, leaf[:-2], name)
    tensor = getattr(owner, leaf, None)
    if not isinstance(tensor, Tensor):
        raise Refusal(f"the model has no parameter `{name}`")
    _writable(tensor, owner)
    return _plain(tensor, name)


def _module(model: nn.Module, path: str, name: str) -> nn.Module:
    try:
        return model.get_submodule(path)
    except AttributeError:
        raise Refusal(f"the model has no parameter `{name}`") from None
    except RuntimeError:  # scripted modules do not have that method
        found = dict(model.named_modules()).get(path)
        if found is None:
            raise Refusal(f"the model has no parameter `{name}`") from None
        return found


def _lists(module: nn.Module) -> Any:
    return module.parametrizations


def _plain(tensor: Tensor, name: str) -> Slot:
    whole, local = _whole(tensor), _local(tensor)

    def write(value: Tensor) -> None:
        with torch.no_grad():
            tensor.detach().copy_(_placed(value, tensor))

    key = (local.untyped_storage().data_ptr(), local.storage_offset(), tuple(local.shape)) if local.numel() else id(tensor)
    return Slot(name, key, whole, write, [local])


def _parametrized(module: nn.Module, leaf: str, parts: parametrize.ParametrizationList, name: str) -> Slot:
    originals = [tensor for key, tensor in parts.named_parameters(recurse=False) if key.startswith("original")]
    for tensor in originals:
        _writable(tensor, module)
    backing = [*originals, *(buffer for part in parts for buffer in part.buffers())]

    def read() -> Tensor:
        with torch.no_grad():
            shown: Tensor = getattr(module, leaf)
            return shown.detach().clone()

    def write(value: Tensor) -> None:
        copies = [tensor.detach().clone() for tensor in backing]
        try:
            with torch.no_grad():
                setattr(module, leaf, value)
            reached = read()
        except (NotImplementedError, ValueError, RuntimeError, AttributeError, TypeError) as error:
            _put_back(backing, copies)
            raise Refusal(f"its parametrization cannot be inverted: {error}".splitlines()[0]) from error
        if not _alike(reached, value):
            _put_back(backing, copies)
            raise Refusal(f"its parametrization ({', '.join(type(part).__name__ for part in parts)}) cannot hold these values")

    return Slot(name, (id(module), leaf), read, write, backing)


def _weight_normed(module: nn.Module, leaf: str, name: str) -> Slot:
    """The older form of weight normalization: g * v / ||v||, recomputed before each forward pass."""
    length: Tensor = getattr(module, leaf + "_g")
    direction: Tensor = getattr(module, leaf + "_v")
    _writable(direction, module)
    dims = [axis for axis in range(direction.dim()) if length.dim() == 0 or length.shape[axis] == 1]

    def norms(value: Tensor) -> Tensor:
        return value.norm() if length.dim() == 0 else value.pow(2).sum(dims, keepdim=True).sqrt()

    def read() -> Tensor:
        with torch.no_grad():
            return direction.detach() * (length.detach() / norms(direction.detach()))

    def write(value: Tensor) -> None:
        with torch.no_grad():
            fresh = value.to(direction.device, direction.dtype)
            if not bool((norms(fresh) > 0).all()):
                raise Refusal("weight normalization has no direction for rows of zeros")
            direction.copy_(fresh)
            length.copy_(norms(fresh))
            for hook in module._forward_pre_hooks.values():  # noqa: SLF001  (the computed weight is refreshed there, as before each pass)
                if type(hook).__name__ == "WeightNorm" and getattr(hook, "name", "") == leaf:
                    setattr(module, leaf, hook.compute_weight(module))

    return Slot(name, (id(module), leaf), read, write, [length, direction])


def _writable(tensor: Tensor, owner: nn.Module) -> None:
    for reason in _hindrances(tensor, owner):
        raise Refusal(reason)


def hindrance(model: nn.Module, name: str) -> str:
    """Why a parameter cannot be written, empty where it can."""
    try:
        slot_of(model, name)
    except Refusal as refusal:
        return str(refusal)
    return ""


def _hindrances(tensor: Tensor, owner: nn.Module) -> Iterator[str]:
    if is_lazy(tensor):
        yield "it is lazy and has no memory yet: run one batch first"
    elif tensor.is_meta:
        yield "it is on the meta device and holds no values: call to_empty() first"
    elif "FlatParameter" in type(tensor).__name__ or any("FlatParameter" in type(base).__name__ for base in type(tensor).__mro__):
        yield "FSDP has packed it into a flat parameter: initialize before wrapping, or inside summon_full_params"
    elif tensor.is_quantized or not (tensor.is_floating_point() or tensor.is_complex()) or _packed(tensor):
        yield f"it is quantized ({str(tensor.dtype).removeprefix('torch.')}, {type(tensor).__name__}): initialize before quantizing"
    elif tensor.is_complex():
        yield "it is complex, and the schemes are made for real numbers"
    elif tensor.layout != torch.strided:
        yield f"its layout is {tensor.layout}"
    elif tensor.is_inference():
        yield "it was made in inference mode and cannot be written"
    elif isinstance(owner, torch.jit.ScriptModule) and getattr(owner, "_frozen", False):
        yield "its module is a frozen script"


def _packed(tensor: Tensor) -> bool:
    """Whether a subclass stores other numbers than it shows (bitsandbytes, torchao)."""
    return (
        hasattr(tensor, "quant_state")
        or hasattr(tensor, "tensor_impl")
        or any("Quantized" in base.__name__ for base in type(tensor).__mro__)
    )


def _distributed(tensor: Tensor) -> bool:
    return type(tensor).__name__ == "DTensor" or any(base.__name__ == "DTensor" for base in type(tensor).__mro__)


def _local(tensor: Tensor) -> Tensor:
    """The memory of this process."""
    shown: Any = tensor
    return shown.to_local() if _distributed(tensor) else tensor.detach()


def _whole(tensor: Tensor) -> Callable[[], Tensor]:
    shown: Any = tensor
    return (lambda: shown.full_tensor().detach()) if _distributed(tensor) else tensor.detach


def _placed(value: Tensor, like: Tensor) -> Tensor:
    """The value on the device, in the precision and in the shards of another tensor."""
    if not _distributed(like):
        return value.to(like.device, like.dtype)
    from torch.distributed.tensor import distribute_tensor

    shards: Any = like
    local = value.to(shards.device, like.dtype)
    return distribute_tensor(local, shards.device_mesh, shards.placements)


def _put_back(tensors: list[Tensor], copies: list[Tensor]) -> None:
    with torch.no_grad():
        for tensor, copy in zip(tensors, copies, strict=True):
            tensor.detach().copy_(copy)


def _alike(reached: Tensor, wanted: Tensor) -> bool:
    """Equal but for rounding, or for one factor that the parametrization owns (spectral normalization)."""
    one, other = reached.detach().double().flatten().cpu(), wanted.double().flatten().cpu()
    size = other.norm()
    if not bool(torch.isfinite(one).all()):
        return False
    return bool((one - other).norm() <= _CLOSE * size) or (bool(size > 0) and bool(one @ other >= (1 - _CLOSE) * one.norm() * size))
