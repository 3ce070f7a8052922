"""The five passes over the data that batch norm is made of, on arrays of any library.

Everything else in forward and backward is arithmetic on statistics, one number a channel. `X − c`
is taken with a pivot c near the mean, in X's own dtype: two floating-point numbers that are near
each other have an exact difference (Sterbenz), so a large common offset costs no digits, also in
float32 and also where a device has nothing wider.

Statistics (`pivot`, `scale`, …) have the shape of X without `axes`; they are returned in the
wide dtype and enter in any.
"""

from __future__ import annotations

from array_api_compat import array_namespace

from matbackprop.batchnorm.arrays import AnyArray, Axes, spread, wide_dtype, widened


def totals(X: AnyArray, axes: Axes, /) -> AnyArray:
    """Return ΣX over `axes`."""
    return array_namespace(X).sum(X, axis=axes, dtype=wide_dtype(X))


def centred_sums(X: AnyArray, pivot: AnyArray, axes: Axes, /) -> tuple[AnyArray, AnyArray]:
    """Return Σ(X − c) and Σ(X − c)² over `axes`."""
    D = _centred(X, pivot, axes)
    return totals(D, axes), totals(D * D, axes)


def scale_shift(
    X: AnyArray, pivot: AnyArray, scale: AnyArray, offset: AnyArray, axes: Axes, /
) -> AnyArray:
    """Return (X − c)·scale + offset."""
    D = X - spread(pivot, X, axes)
    return D * spread(scale, X, axes) + spread(offset, X, axes)


def cross_sums(
    dY: AnyArray, X: AnyArray, pivot: AnyArray, axes: Axes, /
) -> tuple[AnyArray, AnyArray]:
    """Return ΣdY and Σ dY ⊙ (X − c) over `axes`."""
    return totals(dY, axes), totals(widened(dY, X) * _centred(X, pivot, axes), axes)


def combine(
    dY: AnyArray,
    X: AnyArray,
    pivot: AnyArray,
    scale: AnyArray,
    slope: AnyArray,
    offset: AnyArray,
    axes: Axes,
    /,
) -> AnyArray:
    """Return (dY − offset − (X − c)·slope)·scale.

    Scaled last: of what is subtracted nothing leaves the range of float32 where the result
    does not.
    """
    D = X - spread(pivot, X, axes)
    passed = dY - spread(offset, X, axes) - D * spread(slope, X, axes)
    return passed * spread(scale, X, axes)


def _centred(X: AnyArray, pivot: AnyArray, axes: Axes) -> AnyArray:
    """Return X − c in the wide dtype: where there is a wider one, this rounds nothing."""
    return widened(X, X) - widened(spread(pivot, X, axes), X)
