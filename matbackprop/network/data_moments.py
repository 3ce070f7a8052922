"""The first two moments of the rows of X, from sums that merge in any order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

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
    weight: Any  # a number; on a device, and in the middle of a pass, an array of one
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
        xp = array_namespace(self.gram)
        weight = self.weight + other.weight
        share = other.weight / _or_one(weight)
        pivots = widened(other.pivot, other.pivot) - widened(self.pivot, self.pivot)
        delta = pivots + other.shift - self.shift  # x̄₂ − x̄₁
        between = xp.expand_dims(delta, axis=1) * xp.expand_dims(delta, axis=0)
        return DataMoments(
            rows=self.rows + other.rows,
            weight=weight,
            pivot=self.pivot,
            shift=self.shift + delta * share,
            gram=self.gram + other.gram + between * (self.weight * share),
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
    rows, w = X.shape[0], None
    weight: Any = float(rows)
    mean = xp.sum(wide, axis=0) / rows
    if weights is not None:
        w = xp.expand_dims(widened(weights, X), axis=1)
        weight = xp.sum(w)
        # Of a block without weight that of the bare rows: a pivot has to lie near them.
        mean = xp.where(weight > 0, xp.sum(w * wide, axis=0) / _or_one(weight), mean)
    pivot = xp.astype(mean, X.dtype, copy=False)
    D = wide - widened(pivot, X)
    WD = D if w is None else w * D
    shift = xp.sum(WD, axis=0) / _or_one(weight)
    # D is centred but for the rounding of the pivot: this difference is harmless.
    between = xp.expand_dims(shift, axis=1) * xp.expand_dims(shift, axis=0)
    return DataMoments(rows, weight, pivot, shift, WD.T @ D - weight * between)


def _or_one(weight: Any) -> Any:
    """Return the weight, or 1 where it is 0: nothing is asked of a device, so nothing waits."""
    if isinstance(weight, float):
        return weight or 1.0
    return array_namespace(weight).where(weight == 0, 1 + 0 * weight, weight)
