"""One BLAS thread for each of ours: two layers of threads would fight for the same cores."""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_turn = threading.Lock()
_inside = 0
_limit: Any = None


@contextmanager
def one_blas_thread_each() -> Iterator[None]:
    """Hold BLAS to one thread in this block, in the whole process; passes may overlap.

    Examples
    --------
    >>> import threadpoolctl
    >>> with one_blas_thread_each():
    ...     {pool["num_threads"] for pool in threadpoolctl.threadpool_info()
    ...      if pool["user_api"] == "blas"}
    {1}
    """
    global _inside, _limit
    with _turn:
        if _inside == 0:
            _limit = _libraries().limit(limits=1, user_api="blas")
        _inside += 1
    try:
        yield
    finally:
        with _turn:
            _inside -= 1
            if _inside == 0:
                _limit.restore_original_limits()


@functools.cache  # looking for them takes longer than a small pass
def _libraries() -> Any:
    import scipy.linalg  # noqa: F401 - numba multiplies with the BLAS it brings
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
