"""The first two moments of the rows of X, from sums that merge in any order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from array_api_compat import array_namespace

from matbackprop._typing import Array
from matbackprop.batchnorm.arrays import AnyArray, widened


@dataclass(frozen=True, slots=True, eq=False)
class DataMoments:
    """How many rows there are, their mean x̄, and C = Σ w (x − x̄)(x − x̄)ᵀ.

    The mean is kept as a pivot, a number of X's own dtype near it, and what the pivot lacks:
    x̄ itself, rounded, would be wrong by as much as the offset of the data times one rounding, and
    what is far from 0 but near each other has an exact difference.

    Parameters
    ----------
    rows
        How many rows were seen.
    weight
        Σw, the sum of their weights; without weights the same number.
    pivot
        A point near the mean, shape (p1,), in the dtype of X.
    shift
        x̄ − pivot, shape (p1,), float64.
    gram
        C, shape (p1, p1), float64.

    References
    ----------
    Chan, Golub and LeVeque (1983), *Algorithms for Computing the Sample Variance*.

    Examples
    --------
    >>> X = np.array([[1e8], [1e8 + 1], [1e8 + 5]])
    >>> both = block_moments(X[:1]).merge(block_moments(X[1:]))
    >>> both.rows, both.mean - 1e8, both.gram
    (3, array([2.]), array([[14.]]))
    """

    rows: int
    weight: float
    pivot: AnyArray
    shift: AnyArray
    gram: AnyArray

    @property
    def mean(self) -> Array:
        """The mean x̄, shape (p1,), float64."""
        return widened(self.pivot, self.pivot) + self.shift

    @property
    def spread(self) -> Array:
        """Standard deviations of the columns of X (divisor Σw), shape (p1,)."""
        # Of a constant column the diagonal may come out below 0, by rounding.
        return np.sqrt(np.maximum(np.diag(self.gram), 0) / self.weight)

    def merge(self, other: DataMoments, /) -> DataMoments:
        """Return the moments of the rows of both.

        Raw sums of squares would lose every digit where the mean greatly exceeds the spread; the
        difference of two means does not.
        """
        if self.weight == 0 or other.weight == 0:
            one = other if self.weight == 0 else self
            return DataMoments(self.rows + other.rows, one.weight, one.pivot, one.shift, one.gram)
        xp = array_namespace(self.gram)
        weight = self.weight + other.weight
        pivots = widened(other.pivot, other.pivot) - widened(self.pivot, self.pivot)
        delta = pivots + other.shift - self.shift  # x̄₂ − x̄₁
        between = xp.expand_dims(delta, axis=1) * xp.expand_dims(delta, axis=0)
        return DataMoments(
            rows=self.rows + other.rows,
            weight=weight,
            pivot=self.pivot,
            shift=self.shift + delta * (other.weight / weight),
            gram=self.gram + other.gram + between * (self.weight * (other.weight / weight)),
        )

    def settled(self) -> DataMoments:
        """Return the same moments with the pivot as near to the mean as its dtype allows."""
        xp = array_namespace(self.gram)
        pivot = xp.astype(self.mean, self.pivot.dtype, copy=False)
        moved = widened(pivot, pivot) - widened(self.pivot, self.pivot)
        return DataMoments(self.rows, self.weight, pivot, self.shift - moved, self.gram)


def block_moments(X: AnyArray, weights: AnyArray | None = None, /) -> DataMoments:
    """Return the moments of a block of rows, of any array library.

    Parameters
    ----------
    X
        Shape (n, p1), n ≥ 1.
    weights
        Shape (n,), none negative; None for 1 each.

    Examples
    --------
    >>> block_moments(np.array([[0.0], [6.0]]), np.array([2.0, 1.0])).mean
    array([2.])
    """
    xp, wide = array_namespace(X), widened(X, X)
    rows, weighted, weight = X.shape[0], wide, float(X.shape[0])
    if weights is not None:
        w = widened(weights, X)
        weight = float(xp.sum(w))
        weighted = xp.expand_dims(w, axis=1) * wide
    mean = xp.sum(weighted, axis=0) / weight if weight else 0 * wide[0, :]
    pivot = xp.astype(mean, X.dtype, copy=False)
    D = wide - widened(pivot, X)
    WD = D if weights is None else xp.expand_dims(w, axis=1) * D
    shift = xp.sum(WD, axis=0) / weight if weight else mean
    # D is centred but for the rounding of the pivot: this difference is harmless.
    between = xp.expand_dims(shift, axis=1) * xp.expand_dims(shift, axis=0)
    return DataMoments(rows, weight, pivot, shift, WD.T @ D - weight * between)
