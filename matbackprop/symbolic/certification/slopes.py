"""The numerical derivative of an expression along given directions: the independent witness."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from matbackprop import linalg
from matbackprop._typing import Array
from matbackprop.differences import central_difference, complex_step
from matbackprop.errors import DataError
from matbackprop.symbolic.certification.plain_text import plain
from matbackprop.symbolic.certification.sampling import Point
from matbackprop.symbolic.expressions.expression import Expr, Variable
from matbackprop.symbolic.expressions.functions import FUNCTIONS
from matbackprop.symbolic.expressions.nodes import Apply

# Of central differences of first derivatives that are exact but for rounding.
SECOND_LEVELS = 5

# √0 has a finite complex step, i·√h. What is steeper than this, in terms of F, has no slope.
STEEPEST = 1e9


def moved_by(roots: Iterable[Expr], X: Variable, /) -> tuple[Expr, ...]:
    """Return X and the nodes of the expressions that depend on it, operands first."""
    moving: dict[Expr, None] = {X: None}
    for node in dict.fromkeys(node for root in roots for node in root.nodes()):
        if any(arg in moving for arg in node.args):
            moving[node] = None
    return tuple(moving)


class Slopes:
    """Derivatives of expressions with respect to X, from their values alone.

    Exact to rounding by the complex step, which every value rule lets pass, or by extrapolated
    central differences where a function of X has no complex version.

    Parameters
    ----------
    roots
        The expressions; of several, the vecs are stacked.
    X
        The variable.
    """

    def __init__(self, roots: Sequence[Expr], X: Variable, /) -> None:
        self.roots = tuple(roots)
        self.X = X
        self.moving = moved_by(roots, X)
        self.analytic = all(
            FUNCTIONS[node.name].complex_step for node in self.moving if isinstance(node, Apply)
        )

    @property
    def method(self) -> str:
        """What the derivatives are taken by."""
        return "complex step" if self.analytic else "central differences"

    @property
    def gradient(self) -> str:
        """What a gradient is taken by, as second derivatives tell it."""
        return f"{'a ' if self.analytic else ''}{self.method}"

    def first(self, point: Point, directions: Array, /) -> tuple[Array, Array]:
        """Return dF along each direction, entries × directions, and the estimated errors.

        `directions` has shape (number, *shape of X).

        Raises
        ------
        DataError
            If F has no finite derivative at the point.
        """
        near = self._near(point, point.array(self.X), directions)
        value, doubt = self._derivative(near, directions)
        if np.max(np.abs(value), initial=0.0) > STEEPEST * (1 + self.largest_term(point)):
            raise DataError(f"{plain(self.roots[0])} has no finite derivative at this point.")
        return value, doubt

    def second(self, point: Point, U: Array, V: Array, /) -> tuple[Array, Array]:
        """Return D²L[u, v] of one scalar, for u in U and v in V, and the estimated errors."""
        X = point.array(self.X)

        def gradient(t: Array) -> Array:
            moved = X + np.tensordot(t, V, 1)
            return self._derivative(self._near(point, moved, U), U)[0][0]

        estimate = central_difference(gradient, np.zeros(len(V)), levels=SECOND_LEVELS)
        return estimate.value, estimate.error

    def largest_term(self, point: Point, /) -> float:
        """Return the largest entry of X, or of what depends on it, at a point."""
        return float(max(np.max(np.abs(point.values[node])) for node in self.moving))

    def _near(self, point: Point, X: Array, directions: Array) -> Callable[[Array], Array]:
        dtype = np.complex128 if self.analytic else np.float64

        def stacked(t: Array) -> Array:
            values = point.after(self.moving, self.X, X + np.tensordot(t, directions, 1))
            parts = [linalg.vec(np.atleast_2d(values[root])) for root in self.roots]
            return np.concatenate(parts).astype(dtype)

        return stacked

    def _derivative(self, f: Callable[[Array], Array], directions: Array) -> tuple[Array, Array]:
        origin = np.zeros(len(directions))
        if self.analytic:
            value = complex_step(f, origin)
            return value, np.zeros_like(value)
        estimate = central_difference(f, origin)
        return estimate.value, estimate.error
