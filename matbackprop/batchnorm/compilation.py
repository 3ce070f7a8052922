"""How functions are compiled by numba here: the one place that imports its `njit`."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from numba import njit

# Reordering sums lets them use vector registers; NaN and infinities keep their meaning.
_FAST = {"reassoc", "contract", "nsz"}


def compiled(function: Callable[..., Any], /, *, parallel: bool = False) -> Any:
    """Compile a function when it is first called, and store it for the processes to come.

    With `parallel` over numba's own threads; without, it lets other threads of Python run.
    """
    compile_it = functools.partial(njit, parallel=parallel, nogil=not parallel, fastmath=_FAST)
    try:
        return compile_it(cache=True)(function)
    except RuntimeError:  # there is no place where it may write
        return compile_it()(function)
