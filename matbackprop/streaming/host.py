"""From a device to main memory."""

from __future__ import annotations

import numpy as np
from array_api_compat import (
    array_namespace,
    is_array_api_obj,
    is_cupy_array,
    is_numpy_array,
    is_torch_array,
    to_device,
)

from matbackprop._typing import Array
from matbackprop.batchnorm.arrays import AnyArray, constant


def on_host(array: AnyArray, /) -> Array:
    """Return an array of any library, on any device, as one of NumPy.

    Examples
    --------
    >>> on_host(np.ones(2))
    array([1., 1.])
    """
    if is_array_api_obj(array) and not is_numpy_array(array):
        if is_torch_array(array) or is_cupy_array(array):
            array = to_device(constant(array), "cpu")
        else:
            info = array_namespace(array).__array_namespace_info__()
            array = to_device(array, info.default_device())
    return np.asarray(array)
