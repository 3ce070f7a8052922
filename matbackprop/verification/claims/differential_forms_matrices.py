"""Matrices that never broadcast, and the symbols of the note's derivation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import numpy as np

from matbackprop._typing import Array
from matbackprop.verification.claims.definition import mean, normalised, variance
from matbackprop.verification.claims.draw import Draw, differential


class Matrix(np.ndarray[Any, Any]):
    """A matrix of strict algebra: what works entry by entry needs equal shapes, or a number.

    Examples
    --------
    >>> one = np.ones((3, 1)).view(Matrix)
    >>> (one @ np.ones((1, 2)) - 1).shape
    (3, 2)
    >>> one * np.ones((3, 2))
    Traceback (most recent call last):
        ...
    ValueError: multiply: (3, 1) and (3, 2) do not conform
    """

    def __array_ufunc__(
        self,
        ufunc: np.ufunc,
        method: Literal["__call__", "reduce", "reduceat", "accumulate", "outer", "at"],
        *inputs: Any,
        **kwargs: Any,
    ) -> Any:
        """Let NumPy work on plain arrays, after a look at their shapes."""
        shapes = [np.shape(x) for x in inputs if np.shape(x)]
        conform = shapes[0][-1] == shapes[1][0] if ufunc is np.matmul else len(set(shapes)) < 2
        if not conform:
            raise ValueError(f"{ufunc.__name__}: {' and '.join(map(str, shapes))} do not conform")
        result = getattr(ufunc, method)(*(np.asarray(x) for x in inputs), **kwargs)
        return result.view(Matrix) if isinstance(result, np.ndarray) else result


class Symbols(NamedTuple):
    """One point of the note's derivation, or a direction at it; rows are (1, D)."""

    one: Array  # (N, 1)
    X: Array  # (N, D)
    mu: Array  # (1, D)
    var: Array  # (1, D)
    gamma: Array  # (1, D)
    beta: Array  # (1, D)
    Xhat: Array  # (N, D)
    G: Array  # (N, D), ∂L/∂Y
    A: Array  # (N, D), ∂L/∂X̂
    eps: float

    @property
    def N(self) -> int:
        """Number of rows."""
        return len(self.X)

    def strict(self) -> Symbols:
        """Return the same as matrices that do not broadcast: what a printed formula gets."""
        return Symbols._make([*(array.view(Matrix) for array in self[:-1]), self.eps])

    def direction(self, draw: Draw) -> Symbols:
        """Return (dX, dμ, dσ², …): random entries, in the same shapes."""
        return Symbols._make([*(draw.matrix(*array.shape) for array in self[:-1]), 0.0])


def symbols(draw: Draw, *, square: bool = False, free: bool = False) -> Symbols:
    """Draw a point: N ≠ D unless `square`; μ the column mean unless `free`, then any row.

    A free μ is for the steps that differentiate with respect to it: at the mean a part of that
    derivative vanishes, and with it the mistakes it may have.

    Examples
    --------
    >>> s = symbols(Draw(np.random.default_rng(0), r={}), square=True)
    >>> s.X.shape[0] == s.X.shape[1], s.mu.shape == (1, s.N)
    (True, True)
    """
    X, gamma, beta, G, eps = draw.batch()
    if square:
        n = min(X.shape)
        X, gamma, beta, G = X[:n, :n], gamma[:n], beta[:n], G[:n, :n]
    N, D = X.shape
    mu = mean(X) + (draw.matrix(1, D) if free else 0.0)
    var = variance(X, mu)
    A = G * gamma
    Xhat = normalised(X, mu, var, eps)
    return Symbols(np.ones((N, 1)), X, mu, var, gamma[None], beta[None], Xhat, G, A, eps)


def along(path: Callable[[Array], Array]) -> Array:
    """Return the derivative of path(t) at t = 0: the differential in a joint direction.

    Examples
    --------
    >>> float(along(lambda t: np.exp(3 * t)))
    3.0
    """
    return differential(path, np.zeros(()), np.ones(()))


def product_first(A: Array, B: Array, C: Array) -> Array:
    """Return tr(AB ⊙ C), read as usual: the product before ⊙."""
    return np.asarray(np.trace((A @ B) * C))


def hadamard_first(A: Array, B: Array, C: Array) -> Array:
    """Return tr(A(B ⊙ C))."""
    return np.asarray(np.trace(A @ (B * C)))
