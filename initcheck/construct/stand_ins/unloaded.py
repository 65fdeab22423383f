"""Weights from files that are not here: what the user's code gets in their place, and the mark that a model keeps of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any

import torch
from torch.nn.modules.module import _IncompatibleKeys

from initcheck.construct.recording.frames import LEFT_OUT_FILE
from initcheck.construct.stand_ins.missing import Site, user_site
from initcheck.construct.stand_ins.nesting import members
from initcheck.errors import TargetError

_HASH = re.compile(r"[-_][0-9a-f]{8,}$")

Note = Callable[[str], None]


@dataclass(slots=True)
class Absence:
    """One file of weights that was asked for; `removed` are the entries that the code took out before it loaded the rest."""

    source: str
    removed: set[str] = field(default_factory=set)
    downloaded: bool = True
    told: bool = False

    @property
    def title(self) -> str:
        """The short name of the weights."""
        if not self.downloaded:
            return self.source
        name = PurePath(self.source.split("?")[0]).name
        return _HASH.sub("", name.rsplit(".", 1)[0] if name.endswith((".pth", ".pt", ".bin", ".safetensors", ".tar")) else name)

    def needed(self, site: Site | None = None) -> TargetError:
        """The error for code that has to see the weights themselves."""
        site = site or user_site()
        where = f"{site} reads" if site else "the model's code reads"
        if self.downloaded:
            message = f"{where} the pretrained weights {self.title}, which were not downloaded: initcheck works offline"
            return TargetError(
                message, f"build it without them (pretrained=False, weights=None), or download {self.source} first", name="offline"
            )
        message = f"{where} {self.source}, which is not there"
        return TargetError(message, f"put {self.source} there, or leave it out: def initcheck_model(): return ...", name="file-missing")


class Unloaded(dict[str, Any]):
    """An empty state dict that remembers what it stands for; its entries are of its own kind."""

    def __init__(self, absence: Absence) -> None:
        super().__init__()
        self.absence = absence

    def __missing__(self, _key: str) -> Any:
        return Unloaded(self.absence)

    def get(self, _key: str, default: Any = None) -> Any:
        """The default if there is one: whether there was such an entry is not known."""
        return Unloaded(self.absence) if default is None else default

    def pop(self, key: str, *_default: Any) -> Any:
        """Takes an entry out, so that the model's own stays."""
        self.absence.removed.add(key)
        return Unloaded(self.absence)

    def __delitem__(self, key: str) -> None:
        self.absence.removed.add(key)

    def copy(self) -> Any:
        """The same."""
        return self

    def __bool__(self) -> bool:
        return True

    def __len__(self) -> int:
        return 0

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        raise self.absence.needed()

    def __call__(self, *_args: Any, **_kwargs: Any) -> Any:
        """Refused: what is in the file is not known."""
        raise self.absence.needed()

    def _refuse(self, *_: object) -> Any:
        raise self.absence.needed()

    __int__ = __float__ = __index__ = __add__ = __radd__ = __sub__ = __mul__ = __rmul__ = __truediv__ = _refuse
    __mod__ = __floordiv__ = __rsub__ = __rtruediv__ = __rmod__ = __rfloordiv__ = __pow__ = __neg__ = _refuse
    __lt__ = __le__ = __gt__ = __ge__ = _refuse

    @classmethod
    def __torch_function__(cls, _func: Any, _types: Any, args: Any = (), kwargs: Any = None) -> Any:
        found = next((value for value in members((*args, *(kwargs or {}).values())) if isinstance(value, Unloaded)), None)
        if found is None:
            return NotImplemented
        raise found.absence.needed()


def told(absence: Absence, model: torch.nn.Module) -> str:
    """The note about weights that were not loaded into a model."""
    if absence.downloaded:
        what = f"pretrained weights of {absence.title} were not downloaded: its random initialization stands in their place"
    else:
        what = f"{absence.source} is not there: the random initialization of {type(model).__name__} stands in its place"
    return f"{what} and is not judged as yours"


def invisible(function: Any, path: str = "<frozen initcheck.unloaded>") -> Any:
    """Files a function under generated code, which the recorder looks through on its way to the user's line."""
    function.__code__ = function.__code__.replace(co_filename=path)
    return function


def _left_out(load: Callable[..., Any], model: torch.nn.Module, state: dict[str, Any]) -> None:
    load(model, state, strict=False)


invisible(_left_out, LEFT_OUT_FILE)


class Loading:
    """`Module.load_state_dict` while weights may be absent: marks the parameters as loaded and leaves their values."""

    def __init__(self, original: Callable[..., Any], note: Note) -> None:
        self._original = original
        self._note = note
        self.absences: list[Absence] = []

    def absent(self, source: str, *, downloaded: bool = True) -> Unloaded:
        """What stands for the weights of a file or an address."""
        absence = Absence(source, downloaded=downloaded)
        self.absences.append(absence)
        return Unloaded(absence)

    @invisible
    def mark(self, model: torch.nn.Module, absence: Absence) -> None:
        """Lets the recorder see that somebody else decides the values of a model's parameters, but for those taken out."""
        state = {name: value for name, value in model.state_dict().items() if name not in absence.removed}
        _left_out(self._original, model, state)
        absence.told = True
        self._note(told(absence, model))

    def function(self) -> Callable[..., Any]:
        """What stands in for `Module.load_state_dict`."""

        def load_state_dict(model: Any, state_dict: Any, *args: Any, **kwargs: Any) -> Any:
            absence = self._behind(state_dict)
            if absence is None:
                if self.absences and not self.absences[-1].told:  # merged into the model's own state, as far as there was anything
                    self.absences[-1].told = True
                    self._note(told(self.absences[-1], model))
                return self._original(model, state_dict, *args, **kwargs)
            self.mark(model, absence)
            return _IncompatibleKeys([], [])

        invisible(load_state_dict)
        return load_state_dict

    def _behind(self, state: Any) -> Absence | None:
        """The absence that a state dict comes from: directly, or as what is left when its entries are sorted into another one."""
        if isinstance(state, Unloaded):
            return state.absence
        if self.absences and hasattr(state, "__len__") and len(state) == 0:
            return self.absences[-1]
        return None
