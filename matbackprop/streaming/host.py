"""From a device to main memory."""

from __future__ import annotations

import numpy as np
from array_api_compat import is_array_api_obj, is_numpy_array, to_device

from matbackprop._typing import Array
from matbackprop.batchnorm.arrays import AnyArray


def on_host(array: AnyArray, /) -> Array:
    """Return an array of any library, on any device, as one of NumPy.

    Examples
    --------
    >>> on_host(np.ones(2))
    array([1., 1.])
    """
    if is_array_api_obj(array) and not is_numpy_array(array):
        # A library whose only device is main memory knows it by a name of its own.
        array = array if _is_readable(array) else to_device(array, "cpu")
    return np.asarray(array)


def _is_readable(array: AnyArray) -> bool:
    try:
        np.asarray(array)
    except (TypeError, RuntimeError):
        return False
    return True
