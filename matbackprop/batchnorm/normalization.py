"""Normalisation and its record: X̂ = (Z − 1μᵀ) diag(σ)⁻¹."""

from dataclasses import dataclass

import numpy as np

from matbackprop._typing import Array
from matbackprop._validation import number_array
from matbackprop.batchnorm.moments import Moments, batch_moments
from matbackprop.batchnorm.options import BatchNorm


@dataclass(frozen=True, slots=True, eq=False)
class Normalized:
    """What normalising leaves behind, enough to pull a gradient back through it.

    Parameters
    ----------
    Xhat
        X̂, shape (N, p2).
    mu, sigma
        The moments used, shape (p2,).
    divisor
        N − ddof when the moments are those of the batch, and hence functions of Z; None when
        they were given and are constants.
    """

    Xhat: Array
    mu: Array
    sigma: Array
    divisor: int | None


def normalize(Z: Array, options: BatchNorm, /, *, moments: Moments | None = None) -> Normalized:
    """Return X̂ = (Z − 1μᵀ) diag(σ)⁻¹ with its moments; X̂ has the dtype of Z.

    The subtraction is done in the (wider) dtype of μ and only its result rounded to the dtype
    of Z: in float32 that keeps the digits which a rounded mean would lose.

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
        mu, sigma = batch_moments(Z, options)
        divisor = len(Z) - options.ddof
    else:
        mu, sigma, divisor = moments.mu, moments.sigma, None
    Xhat = ((Z - mu) / sigma).astype(Z.dtype, copy=False)
    return Normalized(Xhat, mu, sigma, divisor)
