"""Normalisation and its record: X̂ = (X − μ)/σ."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from array_api_compat import array_namespace

from matbackprop._typing import ArrayLike
from matbackprop._validation import number_array
from matbackprop.batchnorm.arrays import AnyArray, Axes, count, widened
from matbackprop.batchnorm.centring import CentredMoments, centred_moments, given_moments
from matbackprop.batchnorm.dispatch import passes_for
from matbackprop.batchnorm.moments import Moments, check_batch
from matbackprop.batchnorm.options import BatchNorm


@dataclass(frozen=True, slots=True, eq=False)
class Normalized:
    """What normalising leaves behind, enough to pull a gradient back through it.

    It refers to X and does not copy it: do not change X in place before the backward pass.

    Parameters
    ----------
    X
        The data, of any shape.
    pivot, shift
        μ in two parts, see `CentredMoments`; of the shape of X without `axes`.
    sigma
        √(variance + eps), of the same shape.
    divisor
        m − ddof, for m entries normalised together, when the moments are those of the batch and
        hence functions of X; None when they were given and are constants.
    axes
        The axes along which entries are normalised together.
    eps
        What σ² has beside the variance.
    """

    X: AnyArray
    pivot: AnyArray
    shift: AnyArray
    sigma: AnyArray
    divisor: int | None
    axes: Axes
    eps: float

    @property
    def mu(self) -> AnyArray:
        """The means μ."""
        return widened(self.pivot, self.X) + self.shift

    @property
    def Xhat(self) -> AnyArray:
        """X̂, computed anew each time in the dtype of X."""
        passes = passes_for(self.X, self.axes)
        return passes.scale_shift(
            self.X, self.pivot, 1 / self.sigma, -self.shift / self.sigma, self.axes
        )

    @property
    def count(self) -> int:
        """How many entries are normalised together, m."""
        return count(self.X.shape, self.axes)


def normalize(Z: ArrayLike, options: BatchNorm, /, *, moments: Moments | None = None) -> Normalized:
    """Normalise the columns of a matrix by the moments of the batch, or by given ones.

    Raises
    ------
    DataError
        If N <= ddof, or a column is constant while eps = 0, and no moments are given.

    Examples
    --------
    >>> import numpy as np
    >>> normalize(np.array([[1.0], [3.0]]), BatchNorm(ddof=0, eps=0.0)).Xhat
    array([[-1.],
           [ 1.]])
    """
    Z = number_array(Z, call="normalize(Z, options)", name="Z", ndim=(2,))
    if Z.dtype.kind in "biu":
        Z = Z.astype(np.float64)
    if moments is None:
        check_batch(Z, options)
        return by_batch(Z, centred_moments(Z, (0,), options.ddof), options, (0,))
    centre = given_moments(Z, moments.mu, moments.sigma**2)
    return Normalized(Z, centre.pivot, centre.shift, moments.sigma, None, (0,), options.eps)


def by_batch(X: AnyArray, batch: CentredMoments, options: BatchNorm, axes: Axes, /) -> Normalized:
    """Return the record of X normalised by its own moments."""
    xp = array_namespace(X)
    sigma = xp.sqrt(batch.variance + options.eps)
    divisor = count(X.shape, axes) - options.ddof
    return Normalized(X, batch.pivot, batch.shift, sigma, divisor, axes, options.eps)
