"""The door of this room: like `_validation.real_array`, but complex numbers may pass."""

import numpy as np

from matbackprop._typing import Array, ArrayLike
from matbackprop._validation import real_array
from matbackprop.errors import ShapeError


def number_array(
    value: ArrayLike, /, *, call: str, name: str, ndim: tuple[int, ...] | None = None
) -> Array:
    """Return `value` as an array of numbers with its dtype kept, real or complex.

    NaN and infinities pass: these functions move numbers, they do not judge them.

    Raises
    ------
    DtypeError
        If the entries are text or objects (a sparse matrix is such an object).
    ShapeError
        If the number of dimensions is not among `ndim`.
    """
    if isinstance(value, np.ndarray) and value.dtype.kind in "biufc":
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


def _from_sequence(value: ArrayLike, call: str, name: str) -> Array:
    if isinstance(value, complex | list | tuple):
        try:
            array = np.asarray(value)
        except ValueError:  # ragged: the common road names the remedy
            return real_array(value, call=call, name=name, finite=False)
        if array.dtype.kind == "c":
            return array
    return real_array(value, call=call, name=name, finite=False)
