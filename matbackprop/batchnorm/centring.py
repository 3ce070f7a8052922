"""The moments of a batch, from sums about a pivot."""

from __future__ import annotations

from typing import NamedTuple

from array_api_compat import array_namespace

from matbackprop.batchnorm.arrays import AnyArray, Axes, count, widened
from matbackprop.batchnorm.dispatch import passes_for


class CentredMoments(NamedTuple):
    """μ = pivot + shift, and the variance: one entry for each set normalised together.

    The mean is kept as a number of X's dtype and what that number lacks: μ itself, rounded to
    X's dtype, would be wrong by as much as the offset of the data times one rounding.
    """

    pivot: AnyArray  # in X's dtype
    shift: AnyArray  # wide
    variance: AnyArray  # wide; divided by m − ddof

    @property
    def mean(self) -> AnyArray:
        """μ, wide."""
        xp = array_namespace(self.shift)
        return xp.astype(self.pivot, self.shift.dtype, copy=False) + self.shift


def centred_moments(X: AnyArray, axes: Axes, ddof: int = 0, /) -> CentredMoments:
    """Return the mean, in two parts, and Σ(X − μ)²/(m − ddof), over `axes`.

    Two passes: the mean, rounded, is the pivot c; then with δ = Σ(X − c)/m,

        μ = c + δ,    Σ(X − μ)² = Σ(X − c)² − mδ².

    The last difference is harmless, since c is the mean to rounding and mδ² tiny.

    Examples
    --------
    >>> import numpy as np
    >>> far = np.array([[1e8], [1e8 + 1], [1e8 + 5]], dtype=np.float32)
    >>> m = centred_moments(far, (0,))
    >>> m.pivot, m.shift  # the mean is 1e8 + 2 + 2/3, of which float32 holds 1e8
    (array([1.e+08], dtype=float32), array([2.66666667]))
    """
    xp = array_namespace(X)
    passes, m = passes_for(X, axes), count(X.shape, axes)
    pivot = xp.astype(passes.totals(X, axes) / m, X.dtype, copy=False)
    total, squares = passes.centred_sums(X, pivot, axes)
    shift = total / m
    squares = squares - m * shift * shift
    if xp.isdtype(X.dtype, "real floating"):  # a constant column, to rounding, may come out < 0
        squares = xp.where(squares < 0, 0 * squares, squares)
    return CentredMoments(pivot, shift, squares / (m - ddof))


def given_moments(X: AnyArray, mean: AnyArray, variance: AnyArray, /) -> CentredMoments:
    """Return moments that come from elsewhere in the same two parts.

    Examples
    --------
    >>> import numpy as np
    >>> m = given_moments(np.zeros((2, 1), np.float32), np.array([0.1]), np.array([1.0]))
    >>> m.pivot, m.shift.round(12)
    (array([0.1], dtype=float32), array([-1.49e-09]))
    """
    xp = array_namespace(X)
    mean = widened(mean, X)
    pivot = xp.astype(mean, X.dtype, copy=False)
    return CentredMoments(pivot, mean - widened(pivot, X), widened(variance, X))
