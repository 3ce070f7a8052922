"""Whether numba's sweep can be had."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any


@functools.cache
def compiled_sums() -> Callable[..., Any] | None:
    """Return `compiled_blocks.two_line_sums`, or None without a numba that works."""
    if find_spec("numba") is None:
        return None
    try:
        from matbackprop.streaming.compiled_blocks import two_line_sums
    except ImportError as error:  # numba says so where it does not know this NumPy
        warnings.warn(f"numba is installed but does not work here: {error}", stacklevel=2)
        return None
    sums: Callable[..., Any] = two_line_sums
    return sums
