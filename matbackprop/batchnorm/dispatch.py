"""Which passes suit an array: generic ones, or compiled ones."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from importlib.util import find_spec
from typing import Any

from array_api_compat import is_lazy_array, is_numpy_array

from matbackprop.batchnorm import passes
from matbackprop.batchnorm.arrays import AnyArray, Axes

WORTH_COMPILED = 65_536
"""Entries from which on compiled passes are faster than it takes to call them."""

_CPU = 1  # of DLPack's device types
_not_working: list[ImportError] = []  # why numba could not be used; asked once
_compiling: ContextVar[bool] = ContextVar("compiling", default=True)


@contextmanager
def without_compiling() -> Iterator[None]:
    """Leave the compiled passes aside in this block: to compare, or to rule them out.

    Examples
    --------
    >>> import numpy as np
    >>> with without_compiling():
    ...     passes_for(np.zeros((4096, 16)), (0,)) is passes
    True
    """
    token = _compiling.set(False)
    try:
        yield
    finally:
        _compiling.reset(token)


def is_compiling() -> bool:
    """Tell whether compiled passes may be used here: see `without_compiling`.

    Examples
    --------
    >>> with without_compiling():
    ...     is_compiling()
    False
    """
    return _compiling.get()


def passes_for(X: AnyArray, axes: Axes, /, *others: AnyArray) -> Any:
    """Return the module whose passes suit these arrays: `compiled_passes`, or `passes`.

    Compiled passes need numba (the extra `fast`) and large C-contiguous arrays of float32 or of
    float64 in main memory, (N, C) or (N, C, …), normalised over every axis but the second.
    """
    if (
        _compiling.get()
        and axes == (0, *range(2, X.ndim))
        and _entries(X) >= WORTH_COMPILED
        and all(_readable(a) and a.dtype == X.dtype for a in (X, *others))
    ):
        return _compiled() or passes
    return passes


def _compiled() -> Any:
    """Return the compiled passes, if numba is there, and works, and this is no forked process."""
    if find_spec("numba") is None or _not_working:
        return None
    try:
        from matbackprop.batchnorm import compiled_passes
    except ImportError as error:  # numba says so where it does not know this NumPy
        _not_working.append(error)
        warnings.warn(f"numba is installed but does not work here: {error}", stacklevel=2)
        return None
    return compiled_passes if os.getpid() == compiled_passes.HOME else None


def _in_forward_mode() -> bool:
    """Tell whether torch differentiates forwards: a tangent would be lost without a word."""
    forward_ad = sys.modules.get("torch.autograd.forward_ad")
    return getattr(forward_ad, "_current_level", -1) >= 0


def _entries(X: AnyArray) -> float:
    entries = 1.0
    for size in X.shape:
        entries *= size
    return entries


def _readable(X: AnyArray) -> bool:
    """Tell whether compiled code can read X where it lies, nothing copied."""
    if is_numpy_array(X):
        view = X
    elif is_lazy_array(X) or not hasattr(X, "__dlpack__") or _in_forward_mode():
        return False
    else:
        from matbackprop.batchnorm.memory import viewed

        try:
            if X.__dlpack_device__()[0] != _CPU:
                return False
            view = viewed(X)
        # What a library says of an array it will not share: because a derivative is being
        # recorded through it, or because its dtype is not NumPy's.
        except (BufferError, RuntimeError, TypeError, ValueError):
            return False
    return bool(view.dtype.kind == "f" and view.dtype.itemsize in (4, 8)) and bool(
        view.flags.c_contiguous
    )
