"""Column moments: of a batch, or kept from training to normalise new rows."""

from dataclasses import dataclass

import numpy as np

from matbackprop._typing import Array, ArrayLike
from matbackprop._validation import real_array
from matbackprop.batchnorm.options import BatchNorm
from matbackprop.errors import DataError, ShapeError


@dataclass(frozen=True, slots=True, eq=False, init=False)
class Moments:
    """Column means and scales of the pre-activation Z.

    Parameters
    ----------
    mu
        Means, shape (p2,).
    sigma
        Scales, shape (p2,): the root of variance + eps, so eps is already inside.

    Raises
    ------
    ShapeError
        If the two are not vectors of one length.
    DataError
        If an entry is not finite, or a scale is not positive.

    Examples
    --------
    >>> Moments(mu=[0.0, 1.0], sigma=[1.0, 2.0]).sigma
    array([1., 2.])
    """

    mu: Array
    sigma: Array

    def __init__(self, mu: ArrayLike, sigma: ArrayLike) -> None:
        call = "Moments(mu, sigma)"
        mean = real_array(mu, call=call, name="mu", ndim=1)
        scale = real_array(sigma, call=call, name="sigma", ndim=1)
        if mean.shape != scale.shape:
            raise ShapeError(
                f"`{call}` needs two vectors of one length, one entry a hidden node; "
                f"got mu {mean.shape}, sigma {scale.shape}."
            )
        if not (scale > 0).all():
            column = int(np.argmin(scale > 0))
            raise DataError(
                f"`{call}` needs sigma > 0; entry {column} (counted from 0) is "
                f"{scale[column]:g}. sigma is the root of variance + eps: use an eps > 0."
            )
        for field, array in (("mu", mean), ("sigma", scale)):
            frozen = array.copy()
            frozen.flags.writeable = False
            object.__setattr__(self, field, frozen)


def batch_moments(Z: Array, options: BatchNorm, /) -> tuple[Array, Array]:
    """Return μ = 1ᵀZ/N and σ = √(1ᵀ(Z − 1μᵀ)²/(N − ddof) + eps), each of shape (p2,).

    Sums are accumulated in float64, also for float32, and in two passes: one-pass raw sums of
    squares would lose every digit where |μ| greatly exceeds σ.

    Raises
    ------
    DataError
        As `check_batch` does.

    Examples
    --------
    >>> mu, sigma = batch_moments(np.array([[1.0], [3.0]]), BatchNorm(ddof=1, eps=0.0))
    >>> float(mu[0]), round(float(sigma[0]) ** 2, 12)
    (2.0, 2.0)
    """
    check_batch(Z, options)
    wide = np.result_type(Z.dtype, np.float64)  # complex128 when a complex step passes through
    mu = Z.mean(axis=0, dtype=wide)
    variance = ((Z - mu) ** 2).sum(axis=0) / (len(Z) - options.ddof)
    return mu, np.sqrt(variance + options.eps)


def check_batch(Z: Array, options: BatchNorm, /, *, magnitude: Array | None = None) -> None:
    """Raise unless the batch has a variance to divide by.

    Parameters
    ----------
    Z, options
        The batch, and how it will be normalised.
    magnitude
        How large the terms were that a column of Z is a sum of, shape (p2,): a column that
        varies only by their rounding counts as constant. By default the largest |entry| of Z.

    Raises
    ------
    DataError
        If N <= ddof, or a column is constant (to rounding) while eps = 0.
    """
    if len(Z) <= options.ddof:
        raise DataError(
            f"`BatchNorm(ddof={options.ddof})` needs more than {options.ddof} row(s) to estimate "
            f"a variance; got N = {len(Z)}. To treat few rows, pass `moments=` from the training "
            "data."
        )
    if options.eps > 0:
        return
    # A column that should be constant rarely is, to the last bit. Within this range its
    # deviations are rounding errors, and X̂ would be noise of unit size.
    values = Z.real
    size = np.abs(values).max(axis=0) if magnitude is None else magnitude
    constant = np.ptp(values, axis=0) <= 8 * np.finfo(Z.dtype).eps * size
    if constant.any():
        column = int(np.argmax(constant))
        raise DataError(
            f"`BatchNorm(eps=0)` divides by the standard deviation of each hidden column; column "
            f"{column} (counted from 0) of Z = X @ Gamma1 is constant at {values[0, column]:g}. "
            "Use an eps > 0, or remove that node."
        )
