"""Arrays of any library that follows the array API standard; none is named here.

A statistic has one entry for each set of entries that is normalised together: for a matrix and
axes (0,) one a column. Statistics are kept in the widest real dtype the device offers, float64
nearly everywhere, and enter a pass over the data in the data's own dtype.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any, TypeAlias

from array_api_compat import array_namespace, device

AnyArray: TypeAlias = Any
"""An array of NumPy, torch, JAX, Dask or another library of the standard."""

Axes: TypeAlias = tuple[int, ...]


def wide_dtype(X: AnyArray, /) -> Any:
    """Return float64 for real X, complex128 for complex, where the device of X has them.

    Examples
    --------
    >>> import numpy as np
    >>> wide_dtype(np.zeros(2, dtype=np.float32)) == np.float64
    True
    """
    return _wide_dtype(array_namespace(X), X.dtype, device(X))


@functools.cache  # a library takes longer to say than a small sum takes
def _wide_dtype(xp: Any, dtype: Any, where: Any) -> Any:
    if xp.isdtype(dtype, "complex floating"):
        return xp.complex128
    known = xp.__array_namespace_info__().dtypes(device=where, kind="real floating")
    return known.get("float64", dtype)


def widened(stat: AnyArray, like: AnyArray, /) -> AnyArray:
    """Return `stat` in the dtype in which statistics of `like` are kept."""
    wide = wide_dtype(like)
    return stat if stat.dtype == wide else array_namespace(like).astype(stat, wide)


def constant(stat: AnyArray, /) -> AnyArray:
    """Return a statistic through which no derivative is recorded, where a library records them."""
    return stat.detach() if hasattr(stat, "detach") else stat


def spread(stat: AnyArray, X: AnyArray, axes: Axes, /) -> AnyArray:
    """Return a statistic in X's dtype, with an axis of length 1 for each of `axes`.

    Examples
    --------
    >>> import numpy as np
    >>> spread(np.array([1.0, 2.0, 3.0]), np.zeros((4, 3, 5)), (0, 2)).shape
    (1, 3, 1)
    """
    xp = array_namespace(X)
    stat = xp.astype(stat, X.dtype, copy=False)
    for axis in axes:
        stat = xp.expand_dims(stat, axis=axis)
    return stat


def count(shape: Sequence[int], axes: Axes, /) -> int:
    """Return how many entries are normalised together.

    Examples
    --------
    >>> count((4, 3, 5), (0, 2))
    20
    """
    return math.prod(shape[axis] for axis in axes)
