"""Random data for an experiment, and what R answered, from one place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from matbackprop._typing import Array
from matbackprop.differences import complex_step


class Batch(NamedTuple):
    """A batch for batch norm, and ∂L/∂Y of a loss L = ⟨dY, Y⟩ behind it."""

    X: Array  # (N, D)
    gamma: Array  # (D,)
    beta: Array  # (D,)
    dY: Array  # (N, D)
    eps: float


class Draw:
    """Makes random matrices of random shapes, and asks R.

    Parameters
    ----------
    rng
        Where the numbers come from.
    r
        R's answers by the name of the R function, live or recorded; see `RECORDED`.

    Examples
    --------
    >>> draw = Draw(np.random.default_rng(0), r={})
    >>> draw.matrix(2, 3).shape
    (2, 3)
    """

    def __init__(self, rng: np.random.Generator, r: Mapping[str, Any]) -> None:
        self.rng = rng
        self.r = r

    def size(self, low: int = 3, high: int = 7) -> int:
        """Return an integer, low <= size <= high."""
        return int(self.rng.integers(low, high + 1))

    def sizes(self, count: int, *, low: int = 3, high: int = 7) -> tuple[int, ...]:
        """Return that many *different* integers, so that a wrong shape cannot pass by luck."""
        return tuple(int(n) for n in self.rng.permutation(np.arange(low, high + 1))[:count])

    def matrix(self, *shape: int) -> Array:
        """Return standard normal entries."""
        return self.rng.standard_normal(shape)

    def positive(self, *shape: int) -> Array:
        """Return entries between 0.5 and 2."""
        return self.rng.uniform(0.5, 2.0, shape)

    def batch(self, *, eps: float | None = None) -> Batch:
        """Return X with columns of different means and scales, γ, β, ∂L/∂Y; 0.1 < eps < 0.5."""
        N, D = self.sizes(2, low=4, high=9)
        X = self.matrix(N, D) * self.positive(D) + 3 * self.matrix(D)
        eps = float(self.rng.uniform(0.1, 0.5)) if eps is None else eps
        return Batch(X, self.matrix(D), self.matrix(D), self.matrix(N, D), eps)


def pulled_back(f: Callable[[Array], Array], X: Array, dY: Array, /) -> Array:
    """Return ∂L/∂X of L = ⟨dY, f(X)⟩, by a complex step through f: no formula is involved.

    Examples
    --------
    >>> pulled_back(lambda X: X**2, np.array([[1.0, 2.0]]), np.array([[1.0, 1.0]]))
    array([[2., 4.]])
    """
    # A scalar f makes complex_step return the gradient itself; an array, the Jacobian.
    jacobian = complex_step(lambda x: np.atleast_1d(f(x)), X)
    flat = np.atleast_1d(np.asarray(dY, dtype=np.float64)).ravel(order="F")
    return (jacobian.T @ flat).reshape(X.shape, order="F")


def differential(f: Callable[[Array], Array], X: Array, dX: Array, /) -> Array:
    """Return df(X)[dX], the derivative of f at X in the direction dX, by one complex step.

    Examples
    --------
    >>> differential(lambda X: X @ X, np.eye(2), np.ones((2, 2)))
    array([[2., 2.],
           [2., 2.]])
    """
    h = 1e-100
    return np.asarray(f(X + 1j * h * dX)).imag / h
