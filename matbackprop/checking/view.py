"""One parameter at one point, as an explanation sees it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from matbackprop._typing import Array
from matbackprop.checking.cause import Base, Cause
from matbackprop.checking.quantities import Quantities

RTOL = 1e-6
"""How far two gradients may be apart, relative to the larger, before rounding is allowed for."""

_FLOOR = 1e-14


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """The gradient g of one parameter, the true one t, and what may explain their difference.

    Attributes
    ----------
    name
        The parameter.
    t, g
        The true gradient and the one that is checked, in one shape.
    error
        How far t may be off, entry by entry.
    theta
        The parameter itself; None for a Jacobian, which has no such shape.
    quantities
        What is known at the point.
    bases
        Yields what g would be with mistakes known beforehand, those of a network; fewest first.
    partners
        True gradients of the other parameters, by name.
    transposed
        Whether g came transposed, as its shape betrays.
    first
        Where its user's indices begin: 0 in Python, 1 in R.
    """

    name: str
    t: Array
    g: Array
    error: Array
    theta: Array | None
    quantities: Quantities
    bases: Callable[[], Iterable[Base]] = tuple
    partners: Mapping[str, Array] = field(default_factory=dict)
    transposed: bool = False
    first: int = 0

    def matches(self, predicted: Array, error: Array | float, /) -> Array:
        """Return where `predicted`, known so well, is what g says."""
        return np.abs(predicted - self.g) <= self.allowed(predicted, error)

    def allowed(self, predicted: Array, error: Array | float, /) -> Array:
        """Return how far apart the two may be."""
        size = np.maximum(np.abs(predicted), np.abs(self.g))
        return np.asarray(RTOL * size + error + _FLOOR * np.abs(self.g).max())

    def index(self, *position: Any) -> str:
        """Name an entry as its user would: [1, 2]."""
        return str([int(i) + self.first for i in position])

    @property
    def counted(self) -> str:
        """Say where the indices begin."""
        return f"(counted from {self.first})"

    @property
    def truth(self) -> Base:
        """The true gradient, without a mistake."""
        return Base((), self.t, self.error, 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class Explanation:
    """Mistakes that together turn the true gradient into the one that is checked.

    Attributes
    ----------
    causes
        The mistakes, in the order in which they are best mended.
    predicted
        What the gradient is with them.
    cost
        How much had to be assumed: about one for each mistake, more where numbers had to be fitted.
    matched
        Where the prediction is right.
    """

    causes: tuple[Cause, ...]
    predicted: Array
    cost: float
    matched: Array

    @property
    def key(self) -> frozenset[tuple[str, str]]:
        """What is the same at every point if the explanation is the right one."""
        return frozenset(cause.identity for cause in self.causes)

    @property
    def complete(self) -> bool:
        """Whether every entry is explained."""
        return bool(self.matched.all())
