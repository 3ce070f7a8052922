"""Rows of arrays: NumPy's, memory maps among them, or another library's on their own device."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
from array_api_compat import (
    array_namespace,
    is_array_api_obj,
    is_dask_array,
    is_numpy_array,
)

from matbackprop._typing import ArrayLike
from matbackprop._validation import column_names, is_frame, real_array
from matbackprop.batchnorm.arrays import AnyArray, constant
from matbackprop.errors import DataError, DtypeError, ShapeError
from matbackprop.network.door import check_same_rows
from matbackprop.streaming.rows import Rows
from matbackprop.streaming.sources.local import LocalSource
from matbackprop.streaming.sources.source import Layout, Loader

STRETCHES = 32
"""Into so many stretches the rows are cut: few enough to cost nothing, many enough to share."""

FEWEST_ROWS = 1024
"""A stretch is no shorter: to hand it to a thread takes as long as some hundred rows."""

STRETCH_BYTES = 2**24
"""A stretch is no larger, so that an interrupt waits for milliseconds, and a copy is small."""


class ArraySource(LocalSource):
    """Rows of X, y and weights that are there; nothing is copied.

    Parameters
    ----------
    X, y, weights
        Checked arrays of one library.
    layout
        Their shapes, dtype and names.
    """

    def __init__(self, X: AnyArray, y: AnyArray, weights: AnyArray | None, layout: Layout) -> None:
        self._X, self._y, self._weights = X, y, weights
        self.layout = layout
        self.in_memory = is_numpy_array(X)
        self.library = library_of(X)
        N = X.shape[0]
        if self.in_memory:
            row_bytes = 8 * max(layout.p1, 1)
            rows = max(-(-N // STRETCHES), FEWEST_ROWS)
            self._rows = max(min(-(-rows // 64) * 64, STRETCH_BYTES // row_bytes), 1)
        else:
            self._rows = max(N, 1)  # one stretch: a device has threads of its own
        self.stretches = -(-N // self._rows)

    def loaders(self) -> Iterator[Loader]:
        """Yield a loader for each stretch of rows."""
        for start in range(0, self._X.shape[0], self._rows):
            yield partial(self._load, start)

    def _load(self, start: int) -> Iterator[Rows]:
        part = slice(start, min(start + self._rows, self._X.shape[0]))
        weights = None if self._weights is None else self._weights[part]
        yield Rows(self._X[part, ...], self._y[part, ...], weights, start, offset=start)


def array_source(
    X: ArrayLike, y: ArrayLike, weights: ArrayLike | None, /, *, call: str, empty: bool = False
) -> ArraySource:
    """Return a source of arrays, or raise one clear error; `empty` lets them have no row.

    Only shapes and dtypes are looked at: the entries are in the survey, block by block.
    """
    check_same_rows(X, y, call=call)
    check_same_rows(X, weights, call=call, name="weights")
    names = column_names(X), column_names(y)
    arrays: dict[str, Any] = {"X": X, "y": y}
    if weights is not None:
        arrays["weights"] = weights
    # A frame or a list becomes NumPy's; an array stays where and what it is.
    arrays = {name: _array(value, call, name) for name, value in arrays.items()}
    check_same_library(arrays, call)
    check_shapes(arrays["X"].shape, arrays["y"].shape, _shape(arrays, "weights"), call)
    data = arrays["X"]
    if data.shape[0] == 0 and not empty:
        raise DataError(f"`{call}` needs at least one row; X has shape {tuple(data.shape)}.")
    outcome = tuple(arrays["y"].shape[1:])
    dtype = common_dtype([kind_of(array) for array in arrays.values()])
    layout = Layout(data.shape[1], outcome, dtype, weights is not None, *names)
    return ArraySource(data, arrays["y"], arrays.get("weights"), layout)


def _shape(arrays: dict[str, Any], name: str) -> tuple[int, ...] | None:
    return tuple(arrays[name].shape) if name in arrays else None


def _array(value: ArrayLike, call: str, name: str) -> AnyArray:
    if is_dask_array(value):
        raise DtypeError(
            f"`{call}` would compute Dask's arrays anew for each piece of rows; pass {name} to "
            "`Problem.from_dask`, or what `.compute()` returns."
        )
    masked = isinstance(value, np.ma.MaskedArray)
    if is_array_api_obj(value) and not is_frame(value) and not masked:
        kind = kind_of(value)
        if kind == "other":
            raise DtypeError(
                f"`{call}` needs real numbers in {name}; got dtype {value.dtype}. "
                "Encode text, dates or categories as numbers first; of complex numbers pass the "
                "real part."
            )
        return constant(value)  # a derivative recorded through every row would fill the memory
    return real_array(value, call=call, name=name, finite=False)


def kind_of(array: AnyArray, /) -> str:
    """Return "float32", "float64" for all other real kinds, or "other"."""
    if isinstance(array, np.ndarray):
        return "other" if array.dtype.kind not in "biuf" else _wide_or(array.dtype == np.float32)
    xp = array_namespace(array)
    if not xp.isdtype(array.dtype, ("bool", "integral", "real floating")):
        return "other"
    return _wide_or(array.dtype == xp.float32)


def _wide_or(narrow: bool) -> str:
    return "float32" if narrow else "float64"


def common_dtype(kinds: list[str], /) -> str:
    """Return float32 where everything is: anything wider would be lost without a word."""
    return "float32" if set(kinds) == {"float32"} else "float64"


def check_same_library(arrays: dict[str, AnyArray], call: str, /) -> None:
    """Raise `DtypeError` unless all arrays are of one library."""
    libraries = {name: library_of(array) for name, array in arrays.items()}
    if len(set(libraries.values())) > 1:
        which = ", ".join(f"{name} of {library}" for name, library in libraries.items())
        raise DtypeError(
            f"`{call}` needs arrays of one library; got {which}. Make all of them arrays of the "
            "library of X, on its device."
        )


def library_of(array: AnyArray, /) -> str:
    """Return the name of an array's library.

    Examples
    --------
    >>> library_of(np.ones(1))
    'numpy'
    """
    return array_namespace(array).__name__.removeprefix("array_api_compat.").removeprefix("jax.")


def check_shapes(
    X: tuple[int, ...], y: tuple[int, ...], weights: tuple[int, ...] | None, call: str, /
) -> None:
    """Raise `ShapeError` unless X is (N, p1), y (N,) or (N, q) and weights (N,)."""
    if len(X) != 2 or X[1] == 0:
        raise ShapeError(f"`{call}` needs X of shape (N, p1); got {tuple(X)}.")
    if len(y) not in (1, 2) or y[0] != X[0] or 0 in y[1:]:
        raise ShapeError(
            f"`{call}` needs y of shape (N,) or (N, q), a row for each of the {X[0]} rows of X; "
            f"got {tuple(y)}."
        )
    if weights is not None and tuple(weights) != (X[0],):
        raise ShapeError(
            f"`{call}` needs weights of shape ({X[0]},), one for each row of X; "
            f"got {tuple(weights)}."
        )
