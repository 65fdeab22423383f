"""Known or unknown: a value that was established, or the reason why it was not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, NoReturn, TypeAlias, TypeVar, Union

from initcheck.errors import NotKnown

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Known(Generic[T]):
    """A value that was established."""

    value: T

    def get(self) -> T:
        """The value."""
        return self.value

    def known(self) -> bool:
        """Always true; the counterpart of `Unknown.known`."""
        return True


@dataclass(frozen=True, slots=True)
class Unknown:
    """A value that could not be established, and why."""

    reason: str

    def get(self) -> NoReturn:
        """Never returns.

        Raises:
            NotKnown: always, with the reason.
        """
        raise NotKnown(self.reason)

    def known(self) -> bool:
        """Always false; the counterpart of `Known.known`."""
        return False


Fact: TypeAlias = Union[Known[T], Unknown]  # noqa: UP007  (a generic alias needs Union before Python 3.12)
