"""Checks at the door. Past these, functions see only conforming, finite, real arrays."""

from collections.abc import Collection

import numpy as np

from matbackprop._typing import Array, ArrayLike
from matbackprop.errors import DataError, DtypeError, OptionError, ShapeError


def real_array(
    value: ArrayLike,
    /,
    *,
    call: str,
    name: str,
    ndim: int | tuple[int, ...] | None = None,
    finite: bool = True,
) -> Array:
    """Return `value` as a real array: float32 stays, every other real kind becomes float64.

    Data frames and series are taken by their values. Nothing is copied that need not be.

    Raises
    ------
    DtypeError
        If the entries are complex, text or objects; the column is named where there is one.
    ShapeError
        If the number of dimensions is not among `ndim`.
    DataError
        If an entry is NaN or infinite; the first such row and column are named.
    """
    array = _from_frame(value, call, name) if is_frame(value) else _from_anything(value)
    if array.dtype.kind not in "biuf":
        raise DtypeError(
            f"`{call}` needs real numbers in {name}; got dtype {array.dtype}. "
            f"{_dtype_remedy(array.dtype.kind)}"
        )
    if array.dtype != np.float32:
        array = array.astype(np.float64, copy=False)
    wanted = (ndim,) if isinstance(ndim, int) else ndim
    if wanted is not None and array.ndim not in wanted:
        dimensions = " or ".join(f"{n}" for n in wanted)
        raise ShapeError(
            f"`{call}` needs {name} with {dimensions} dimension(s); "
            f"got {array.ndim} (shape {array.shape})."
        )
    if finite:
        check_finite(array, call=call, name=name, columns=column_names(value))
    return array


def number_array(
    value: ArrayLike, /, *, call: str, name: str, ndim: tuple[int, ...] | None = None
) -> Array:
    """Like `real_array`, but complex numbers and NaN may pass, and the dtype is kept.

    NaN and infinities pass: these functions move numbers, they do not judge them.

    Raises
    ------
    DtypeError
        If the entries are text or objects (a sparse matrix is such an object).
    ShapeError
        If the number of dimensions is not among `ndim`.
    """
    masked = isinstance(value, np.ma.MaskedArray)
    if isinstance(value, np.ndarray) and value.dtype.kind in "biufc" and not masked:
        array = np.asarray(value)
    else:
        # Lists, frames and wrong kinds take the common road, which has the messages.
        array = _from_sequence(value, call, name)
    if ndim is not None and array.ndim not in ndim:
        wanted = " or ".join(f"{n}-D" for n in ndim)
        raise ShapeError(
            f"`{call}` needs a {wanted} array {name}; got a {array.ndim}-D array of shape "
            f"{array.shape}. Rearrange it with `np.reshape` first."
        )
    return array


def frozen(array: Array, /) -> Array:
    """Return a read-only copy: what a record keeps must not change behind its back."""
    copy = array.copy()
    copy.flags.writeable = False
    return copy


def is_frame(value: object, /) -> bool:
    """Tell whether `value` is a data frame, without importing pandas."""
    return hasattr(value, "columns") and hasattr(value, "to_numpy") and hasattr(value, "dtypes")


def column_names(value: object, /) -> tuple[str, ...] | None:
    """Names of a data frame's columns, or of a series; None for plain arrays."""
    if is_frame(value):
        return tuple(str(column) for column in value.columns)  # type: ignore[attr-defined]
    if getattr(value, "ndim", None) == 1 and hasattr(value, "to_numpy"):  # a series
        name = getattr(value, "name", None)
        return None if name is None else (str(name),)
    return None


def check_finite(
    array: Array, /, *, call: str, name: str, columns: tuple[str, ...] | None = None
) -> None:
    """Raise `DataError` at the first entry, in reading order, that is NaN or infinite."""
    bad = ~np.isfinite(array)
    if bad.any():
        index = tuple(int(i) for i in np.argwhere(bad)[0])
        nan = bool(np.isnan(array[index]))
        raise not_finite(index, nan, int(bad.sum()), call=call, name=name, columns=columns)


def not_finite(
    index: tuple[int, ...],
    nan: bool,
    count: int,
    /,
    *,
    call: str,
    name: str,
    columns: tuple[str, ...] | None = None,
) -> DataError:
    """Return the error for an array whose first entry that is not finite stands at `index`."""
    what = "NaN" if nan else "an infinite value"
    match index:
        case (row, column):
            named = f" ({columns[column]!r})" if columns else ""
            where = f"row {row}, column {column}{named}"
        case (row,):
            where = f"entry {row}"
        case _:
            where = f"index {index}"
    return DataError(
        f"`{call}` needs finite numbers; {name} has {what} at {where} (counted from 0), "
        f"{count} such in all. Drop or impute these rows first."
    )


def check_option(value: object, allowed: Collection[str], /, *, call: str, name: str) -> None:
    """Raise `OptionError` unless `value` is one of the names in `allowed`."""
    if not isinstance(value, str) or value not in allowed:
        names = ", ".join(f'"{option}"' for option in allowed)
        raise OptionError(f"`{call}` knows {name} = {names}; got {value!r}.")


def check_flag(value: object, /, *, call: str, name: str) -> None:
    """Raise `OptionError` unless `value` is True or False, and not merely one of their like."""
    if not isinstance(value, bool):
        raise OptionError(f"`{call}` knows {name} = True, False; got {name}={value!r}.")


def check_count(value: object, /, *, call: str, name: str, at_least: int = 1) -> int:
    """Return `value` as an int, or raise `OptionError` unless it is one and `at_least` so big."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < at_least:
        raise OptionError(f"`{call}` needs an integer {name} >= {at_least}; got {value!r}.")
    return int(value)


def _from_frame(frame: ArrayLike, call: str, name: str) -> Array:
    for column, dtype in zip(frame.columns, frame.dtypes, strict=True):
        if dtype.kind not in "biuf":
            raise DtypeError(
                f"`{call}` needs real numbers in {name}; column {str(column)!r} has dtype "
                f"{dtype}. Leave it out, or encode it in numbers first."
            )
    single = all(dtype == np.float32 for dtype in frame.dtypes)
    # na_value: missing entries become NaN here, so that the finiteness check can name them.
    return np.asarray(frame.to_numpy(np.float32 if single else np.float64, na_value=np.nan))


def _from_sequence(value: ArrayLike, call: str, name: str) -> Array:
    if isinstance(value, complex | list | tuple):
        try:
            array = np.asarray(value)
        except ValueError:  # ragged: the common road names the remedy
            return real_array(value, call=call, name=name, finite=False)
        if array.dtype.kind == "c":
            return array
    return real_array(value, call=call, name=name, finite=False)


def _from_anything(value: ArrayLike) -> Array:
    if isinstance(value, np.ma.MaskedArray):  # np.asarray would silently drop the mask
        if value.dtype.kind not in "biuf":
            return value.data
        return np.ma.filled(value.astype(np.result_type(value.dtype, np.float32)), np.nan)
    try:
        return np.asarray(value)
    except ValueError:  # ragged nested lists
        return np.empty(0, dtype=object)


def _dtype_remedy(kind: str) -> str:
    return {
        "c": "The gradients here are of real functions; pass the real part.",
        "O": "Convert it with `np.asarray(..., dtype=float)` (a sparse matrix: `.toarray()`; "
        "ragged lists: make rows equally long).",
    }.get(kind, "Encode text, dates or categories as numbers first.")
