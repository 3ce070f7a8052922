"""One piece of memory, two libraries: NumPy views of other CPU arrays, and back, by DLPack."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from array_api_compat import array_namespace, is_numpy_array

from matbackprop._typing import Array
from matbackprop.batchnorm.arrays import AnyArray


def viewed(X: AnyArray, /) -> Array:
    """Return X as a NumPy array on the same memory."""
    return X if is_numpy_array(X) else np.from_dlpack(X)


def on_views(function: Callable[..., Any], otherwise: Callable[..., Any], /) -> Callable[..., Any]:
    """Let a function of NumPy arrays take those of any library, and return that library's.

    Where one of the arrays cannot be shared, because a derivative is being recorded through it,
    `otherwise` is called instead.

    Examples
    --------
    >>> double = on_views(lambda X: 2 * X, lambda X: X + X)
    >>> double(np.ones(2))
    array([2., 2.])
    """

    @functools.wraps(function)
    def call(*arguments: Any) -> Any:
        first = arguments[0]
        if is_numpy_array(first):
            return function(*arguments)
        shared = array_namespace(first).from_dlpack
        try:
            views = [viewed(a) if hasattr(a, "__dlpack__") else a for a in arguments]
        except (BufferError, RuntimeError):
            return otherwise(*arguments)
        result = function(*views)
        return tuple(map(shared, result)) if isinstance(result, tuple) else shared(result)

    return call
