"""The door of the layers: what comes in is checked once, on arrays of any library.

Values are looked at where that is free of surprises: a lazy array (Dask, JAX) is never computed
for the sake of a check, and its NaN go through to the result.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
from array_api_compat import (
    array_namespace,
    device,
    is_array_api_obj,
    is_lazy_array,
    is_numpy_array,
)

from matbackprop._validation import is_frame, not_finite, real_array
from matbackprop.batchnorm.arrays import AnyArray
from matbackprop.errors import DataError, DtypeError, OptionError, ShapeError


def unwarned() -> AbstractContextManager[None]:
    """Keep NumPy from warning of what will be an error in a moment, with a better message."""
    return np.errstate(over="ignore", invalid="ignore")


def admit(value: Any, /, *, call: str, name: str, channels: int | None = None) -> AnyArray:
    """Return `value` as a real array of its own library; lists and data frames become NumPy.

    Raises
    ------
    DtypeError
        If the entries are not real numbers. Integers of NumPy are promoted to float64.
    ShapeError
        If it is not (N, C) or (N, C, …) for that many channels, where they are given; or if a
        length is not known yet.
    DataError
        If it is empty.
    """
    if is_numpy_array(value) or not is_array_api_obj(value):
        # A frame is looked at here, while its column names are at hand.
        value = real_array(value, call=call, name=name, finite=is_frame(value))
    else:
        xp = array_namespace(value)
        if not xp.isdtype(value.dtype, "real floating"):
            remedy = "Convert it first: `xp.astype(…, xp.float64)`, or `.double()` in torch."
            if xp.isdtype(value.dtype, "complex floating"):
                remedy = "The gradients here are of real functions; pass the real part."
            raise DtypeError(
                f"`{call}` needs real floating-point numbers in {name}; got {value.dtype}. {remedy}"
            )
    if not all(isinstance(size, int) or size == size for size in value.shape):  # NaN in Dask
        raise ShapeError(
            f"`{call}` needs {name} of known shape; got {tuple(value.shape)}. "
            "Call `compute_chunk_sizes()` first."
        )
    if math.prod(value.shape) == 0:
        raise DataError(
            f"`{call}` needs at least one entry; {name} has shape {tuple(value.shape)}."
        )
    if channels is not None and (value.ndim < 2 or value.shape[1] != channels):
        raise ShapeError(
            f"`{call}` needs {name} of shape (N, {channels}) or (N, {channels}, …), a column for "
            f"each channel; got {tuple(value.shape)}."
        )
    return value


def check_same_library(*arrays: AnyArray, call: str, names: Collection[str]) -> None:
    """Raise `DtypeError` unless all arrays belong to one library and lie on one device."""
    given = {name: a for name, a in zip(names, arrays, strict=True) if a is not None}
    homes = {name: (library_of(a), _device_of(a)) for name, a in given.items()}
    if len(set(homes.values())) > 1:
        came = ", ".join(f"{name} of {home[0]}{home[1]}" for name, home in homes.items())
        raise DtypeError(
            f"`{call}` needs arrays of one library, on one device; got {came}. Convert them to one."
        )


def _device_of(X: AnyArray) -> str:
    # Where a lazy array will be is not known yet; and that of NumPy goes without saying.
    return "" if is_lazy_array(X) or is_numpy_array(X) else f" on {device(X)}"


def library_of(X: AnyArray, /) -> str:
    """Return the name of the library an array belongs to, for messages.

    Examples
    --------
    >>> library_of(np.zeros(2))
    'numpy'
    """
    return str(array_namespace(X).__name__).removeprefix("array_api_compat.").partition(".")[0]


def check_weights(
    X: AnyArray,
    gamma: AnyArray | None,
    beta: AnyArray | None,
    shape: tuple[int, ...],
    /,
    *,
    affine: bool,
    call: str,
) -> tuple[AnyArray | None, AnyArray | None]:
    """Return γ and β as arrays of that shape; both None, and not given, without `affine`.

    Raises
    ------
    OptionError
        If they are missing, or not wanted.
    ShapeError, DtypeError, DataError
        As `check_array` does.
    """
    if affine != (gamma is not None) or affine != (beta is not None):
        wanted = "both gamma and beta" if affine else "neither gamma nor beta"
        raise OptionError(
            f"`{call}` of a layer with affine={affine} needs {wanted}. Or make it with "
            f"affine={not affine}."
        )
    if gamma is None or beta is None:
        return None, None
    return (
        check_array(gamma, X, shape, call=call, name="gamma"),
        check_array(beta, X, shape, call=call, name="beta"),
    )


def check_array(
    value: AnyArray, X: AnyArray, shape: tuple[int, ...], /, *, call: str, name: str
) -> AnyArray:
    """Return γ, β or a running statistic as a finite array of that shape, in the library of X.

    Raises
    ------
    ShapeError, DtypeError, DataError
        If it has another shape, is of another kind or library, or not finite.
    """
    value = admit(value, call=call, name=name)
    if tuple(value.shape) != shape:
        raise ShapeError(
            f"`{call}` needs {name} of shape {shape}, for data of shape {tuple(X.shape)}; "
            f"got {tuple(value.shape)}."
        )
    check_same_library(X, value, call=call, names=("X", name))
    if not all_finite(value):
        raise_not_finite(value, call=call, name=name)
    return value


def all_finite(stat: AnyArray, /) -> bool:
    """Tell whether all entries are finite; True for a lazy array, which is not asked."""
    if is_lazy_array(stat):
        return True
    xp = array_namespace(stat)
    return bool(xp.all(xp.isfinite(stat)))


def check_data(X: AnyArray, sum_of: AnyArray, /, *, call: str, name: str) -> None:
    """Raise `DataError` if X has an entry that is not finite; a sum over X would show it.

    Looking at a sum that is needed anyway costs nothing, where looking at X costs a pass.
    """
    if all_finite(sum_of):
        return
    xp = array_namespace(X)
    if not bool(xp.all(xp.isfinite(X))):
        raise_not_finite(X, call=call, name=name)
    raise DataError(
        f"`{call}` overflowed: {name} is finite, but the sum of its squares is not. "
        "Measure it in larger units."
    )


def raise_not_finite(X: AnyArray, /, *, call: str, name: str) -> None:
    """Raise `DataError` at the first entry of X that is not finite."""
    xp = array_namespace(X)
    bad = xp.astype(xp.reshape(~xp.isfinite(X), (-1,)), xp.uint8)
    first = int(xp.argmax(bad))
    index: list[int] = []
    rest = first
    for size in reversed(X.shape):
        rest, place = divmod(rest, size)
        index.insert(0, place)
    nan = bool(xp.isnan(xp.reshape(X, (-1,))[first]))
    count = int(xp.sum(bad, dtype=xp.int64))
    raise not_finite(tuple(index), nan, count, call=call, name=name)
