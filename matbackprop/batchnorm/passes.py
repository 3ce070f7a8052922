"""The five passes over the data that batch norm is made of, on arrays of any library.

Everything else in forward and backward is arithmetic on statistics, one number a channel. `X − c`
is taken with a pivot c near the mean, in X's own dtype: two floating-point numbers that are near
each other have an exact difference (Sterbenz), so a large common offset costs no digits, also in
float32 and also where a device has nothing wider.

Statistics (`pivot`, `scale`, …) have the shape of X without `axes`; they are returned in the
wide dtype and enter in any.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from array_api_compat import array_namespace, is_numpy_array

from matbackprop.batchnorm.arrays import AnyArray, Axes, spread, wide_dtype, widened

WORTH_COMPILED = 65_536
"""Entries from which on compiled passes are faster than it takes to call them."""


def totals(X: AnyArray, axes: Axes, /) -> AnyArray:
    """Return ΣX over `axes`."""
    return array_namespace(X).sum(X, axis=axes, dtype=wide_dtype(X))


def centred_sums(X: AnyArray, pivot: AnyArray, axes: Axes, /) -> tuple[AnyArray, AnyArray]:
    """Return Σ(X − c) and Σ(X − c)² over `axes`."""
    D = widened(X - spread(pivot, X, axes), X)
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
    D = widened(X - spread(pivot, X, axes), X)
    return totals(dY, axes), totals(widened(dY, X) * D, axes)


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
    """Return dY·scale − (X − c)·slope − offset."""
    D = X - spread(pivot, X, axes)
    return dY * spread(scale, X, axes) - D * spread(slope, X, axes) - spread(offset, X, axes)


def passes_for(X: AnyArray, axes: Axes, /, *others: AnyArray) -> Any:
    """Return the module whose passes suit these arrays: compiled, or this one.

    Compiled passes need numba (the extra `fast`) and large C-contiguous NumPy arrays of one real
    dtype, normalised over every axis but the second.
    """
    import sys

    generic = sys.modules[__name__]
    suited = (
        axes == (0, *range(2, X.ndim))
        and is_numpy_array(X)
        and X.size >= WORTH_COMPILED
        and X.dtype.kind == "f"
        and X.dtype.itemsize in (4, 8)
        and all(
            is_numpy_array(a) and a.dtype == X.dtype and a.flags.c_contiguous for a in (X, *others)
        )
    )
    if not suited or find_spec("numba") is None:
        return generic
    from matbackprop.batchnorm import compiled_passes

    return compiled_passes
