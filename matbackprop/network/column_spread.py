"""σ of Z = XΓ₁ without Z: from C where that is accurate, from one more look where it is not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from matbackprop._typing import Array
from matbackprop.batchnorm import BatchNorm
from matbackprop.batchnorm.moments import check_not_constant, check_range_of_spread, too_few_rows
from matbackprop.errors import DataError
from matbackprop.network.data_moments import DataMoments
from matbackprop.network.door import Given

CANCELLING = 1e4
"""How far the terms of Γ₁ᵀCΓ₁ may exceed their sum: σ² is then still right to 1e4 roundings."""

FAR = 8.0
"""A mean of so many standard deviations costs three bits, and the rows are centred from there."""


def sigma_of(
    given: Given,
    options: BatchNorm,
    data: DataMoments,
    squares: Callable[[Array], Array],
    /,
) -> tuple[Array, float]:
    """Return σ, shape (p2,), and its divisor Σw − ddof.

    σ_j² = Γ₁ⱼᵀCΓ₁ⱼ/(Σw − ddof) + eps. Where columns of X nearly cancel in z_j, the terms of that
    form do too, and squared: it loses twice the digits that Z loses. There σ is taken from
    Σ w (z − μ)² instead.

    Parameters
    ----------
    given, options, data
        Parameters, how batch norm divides, and the moments of X.
    squares
        Γ₁ ↦ Σ w (z − μ)², one entry a column; one pass over the rows.

    Raises
    ------
    DataError
        If Σw ≤ ddof; if eps = 0 and a column of Z is constant (to rounding); or if a column
        varies so much or so little that its squares leave the range of floating-point numbers.
    """
    divisor = data.weight - options.ddof
    if divisor <= 0 and data.rows > options.ddof:
        raise DataError(
            f"`{given.call}` with `BatchNorm(ddof={options.ddof})` needs weights that sum to more "
            f"than {options.ddof}; those of the {data.rows} rows sum to {data.weight:g}. A weight "
            "counts how often a row was seen: multiply all by the number of rows over their sum."
        )
    if divisor <= 0:
        raise too_few_rows(given.call, options, data.weight)
    Gamma1 = given.Gamma1.astype(np.float64)
    size = np.abs(Gamma1)
    if not np.isfinite(data.gram).all():
        column = int(np.argmin(np.isfinite(np.diag(data.gram))))
        raise DataError(
            f"`{given.call}`: column {column} (counted from 0) of X varies by over 1e150, too much "
            "to square. Measure X in larger units."
        )
    total = (Gamma1 * (data.gram @ Gamma1)).sum(axis=0)
    terms = (size * (np.abs(data.gram) @ size)).sum(axis=0)
    cancelling = terms > CANCELLING * total  # also where rounding made the total negative
    if cancelling.any():
        total[cancelling] = squares(Gamma1[:, cancelling])
    spread = np.sqrt(total / divisor)
    check_range_of_spread(spread, given.call)
    if options.eps == 0:
        # What rounding does to a sum of p1 products, whose errors add up as a random walk does.
        magnitude = np.sqrt(len(Gamma1)) * ((np.abs(data.mean) + data.spread) @ size)
        rounding = 8 * np.finfo(given.X.dtype).eps * magnitude
        check_not_constant(spread, rounding, data.mean @ Gamma1, given.call)
    return np.sqrt(total / divisor + options.eps), divisor


def is_far_from_zero(data: DataMoments, /) -> bool:
    """Tell whether the columns of X are so far from 0, for their spread, that centring pays.

    Examples
    --------
    >>> from matbackprop.network.data_moments import block_moments
    >>> X = np.array([[1.0], [3.0]])
    >>> is_far_from_zero(block_moments(X)), is_far_from_zero(block_moments(X + 100))
    (False, True)
    """
    spread = data.spread
    # A constant column moves Z by as much as it is large; its own spread says nothing.
    size = np.abs(data.mean)
    constant = spread <= 8 * np.finfo(np.float64).eps * size
    return bool((size > FAR * np.where(constant, spread.max(), spread)).any())
