"""The two sides of a pass: a work, and the parts that it makes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, Self, TypeVar

from matbackprop.batchnorm.arrays import AnyArray
from matbackprop.streaming.rows import Rows


class Part(Protocol):
    """What comes of some rows."""

    def merge(self, other: Self, /) -> Self:
        """Return what comes of these rows and those of `other`, which follow them."""


P = TypeVar("P", bound=Part)
P_co = TypeVar("P_co", bound=Part, covariant=True)


class Work(Protocol[P_co]):
    """What is done with some rows."""

    def __call__(self, chunk: Rows, /) -> P_co:
        """Return what comes of them."""


@dataclass(frozen=True, slots=True, eq=False)
class Total:
    """A sum over rows, an array.

    Examples
    --------
    >>> Total(1.0).merge(Total(2.0)).value
    3.0
    """

    value: AnyArray

    def merge(self, other: Total, /) -> Total:
        """Return the sum over the rows of both."""
        return Total(self.value + other.value)
