"""R's missing values, as they look in NumPy arrays."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

# R marks a missing double by a NaN whose low word is 1954 (arithmetic.c of R; arithmetic may
# set the quiet bit of the high word, so only the low word tells NA from NaN).
NA_BITS: Final = np.uint64(0x7FF0_0000_0000_07A2)
_LOW_WORD: Final = np.uint64(0xFFFF_FFFF)
_NA_LOW_WORD: Final = np.uint64(1954)

NA_REAL: Final = NA_BITS.view(np.float64)
"""R's `NA_real_`: a NaN that R, and `is_na`, can tell from other NaNs."""

NA_INTEGER: Final = -(2**31)
"""How R stores a missing integer or logical; in Python a mask says it instead."""


def is_na(values: Any, /) -> NDArray[np.bool_]:
    """Tell which entries are missing in R's sense; an ordinary NaN is not.

    Parameters
    ----------
    values
        What a backend returned: float64, masked, boolean, integer, text or object array.

    Returns
    -------
    Boolean array of the same shape.

    Examples
    --------
    >>> import numpy as np
    >>> is_na(np.array([1.0, NA_REAL, np.nan]))
    array([False,  True, False])
    >>> is_na(np.array(["a", None], dtype=object))
    array([False,  True])
    """
    if isinstance(values, np.ma.MaskedArray):
        return np.ma.getmaskarray(values)
    array = np.asarray(values)
    if array.dtype == object:
        return np.array([v is None for v in array.flat], dtype=np.bool_).reshape(array.shape)
    if array.dtype == np.float64:
        low = np.ascontiguousarray(array).view(np.uint64) & _LOW_WORD
        return np.asarray(np.isnan(array) & (low.reshape(array.shape) == _NA_LOW_WORD))
    return np.zeros(array.shape, dtype=np.bool_)
