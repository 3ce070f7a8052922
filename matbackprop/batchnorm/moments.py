"""Column moments: of a batch, or kept from training to normalise new rows."""

from dataclasses import dataclass

import numpy as np

from matbackprop._typing import Array, ArrayLike
from matbackprop._validation import frozen, number_array, real_array
from matbackprop.batchnorm.centring import centred_moments
from matbackprop.batchnorm.options import BatchNorm
from matbackprop.errors import DataError, RangeError, ShapeError

_CALL = "batch_moments(Z, options)"
_LARGEST_SPREAD = 1e150  # its square, and that of its inverse, are still normal doubles


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
        object.__setattr__(self, "mu", frozen(mean))
        object.__setattr__(self, "sigma", frozen(scale))


def batch_moments(Z: Array, options: BatchNorm, /) -> tuple[Array, Array]:
    """Return μ = 1ᵀZ/N and σ = √(1ᵀ(Z − 1μᵀ)²/(N − ddof) + eps), each of shape (p2,).

    Sums are accumulated in float64, also for float32, about a pivot near the mean: raw sums of
    squares would lose every digit where μ is far larger than σ.

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
    Z = number_array(Z, call=_CALL, name="Z", ndim=(2,))
    check_batch(Z, options)
    pivot, shift, variance = centred_moments(Z, (0,), options.ddof)
    return pivot + shift, np.sqrt(variance + options.eps)


def check_batch(
    Z: Array, options: BatchNorm, /, *, call: str = _CALL, magnitude: Array | None = None
) -> None:
    """Raise unless the batch has a variance to divide by.

    Parameters
    ----------
    Z, options
        The batch, and how it will be normalised.
    call
        Whose batch it is, for the message.
    magnitude
        How large the terms were that a column of Z is a sum of, shape (p2,): a column that
        varies only by their rounding counts as constant. By default the largest entry of Z in size.

    Raises
    ------
    DataError
        If N <= ddof; if eps = 0 and a column is constant (to rounding); or if a column varies so
        little or so much that its squares leave the range of floating-point numbers.
    """
    if len(Z) <= options.ddof:
        raise too_few_rows(call, options, len(Z))
    values = Z.real
    spread = np.ptp(values, axis=0).astype(np.float64)
    check_range_of_spread(spread, call)
    if options.eps > 0:
        return
    # A column that should be constant rarely is, to the last bit. Within this range its
    # deviations are rounding errors, and X̂ would be noise of unit size.
    size = np.abs(values).max(axis=0) if magnitude is None else magnitude
    check_not_constant(spread, 8 * np.finfo(Z.dtype).eps * size, values[0], call)


def too_few_rows(call: str, options: BatchNorm, N: float, /) -> DataError:
    """Return the error for a batch of N rows (or of that total weight) with N ≤ ddof."""
    return DataError(
        f"`{call}` with `BatchNorm(ddof={options.ddof})` needs more than {options.ddof} row(s) "
        f"to estimate a variance; got N = {N:g}. To treat few rows, pass `moments=` from "
        "the training data."
    )


def check_range_of_spread(spread: Array, call: str, /) -> None:
    """Raise `RangeError` where a column of Z varies so much that its square overflows."""
    if not (spread < _LARGEST_SPREAD).all():  # also where it is NaN
        column = int(np.argmin(spread < _LARGEST_SPREAD))
        raise RangeError(
            f"`{call}`: column {column} (counted from 0) of Z = X @ Gamma1 varies by "
            f"{spread[column]:g}, too much to square. Measure X in larger units."
        )


def check_not_constant(spread: Array, rounding: Array, values: Array, call: str, /) -> None:
    """Raise `DataError` where eps = 0 would divide by a spread of 0, or of mere `rounding`."""
    constant = spread <= rounding
    if constant.any():
        column = int(np.argmax(constant))
        raise DataError(
            f"`{call}` with `BatchNorm(eps=0)` divides by the standard deviation of each hidden "
            f"column; column {column} (counted from 0) of Z = X @ Gamma1 is constant at "
            f"{values[column]:g}. Use an eps > 0, or remove that node."
        )
    if (spread < 1 / _LARGEST_SPREAD).any():
        column = int(np.argmin(spread))
        raise DataError(
            f"`{call}`: column {column} (counted from 0) of Z = X @ Gamma1 varies by only "
            f"{spread[column]:g}, too little to square. Measure X in smaller units."
        )
