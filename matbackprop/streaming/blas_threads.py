"""One BLAS thread for each of ours: two layers of threads would fight for the same cores."""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_turn = threading.Lock()
_inside = 0
_before: list[tuple[Any, int]] = []


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
    global _inside
    entered = False
    try:
        with _turn:
            if not _before:  # else some pass is inside, or one was interrupted as it restored
                _before.extend([(lib, lib.get_num_threads()) for lib in _libraries()])
            for library, _ in _before:
                _set(library, 1)
            _inside, entered = _inside + 1, True
        yield
    finally:
        with _turn:
            _inside -= entered
            if _inside == 0:
                for library, threads in _before:
                    _set(library, threads)
                _before.clear()


def _after_fork() -> None:
    """Give BLAS back in a child: the threads that held it, or the turn, are not in it."""
    global _inside, _turn
    _inside, _turn = 0, threading.Lock()
    for library, threads in _before:
        _set(library, threads)
    _before.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def _set(library: Any, threads: int) -> None:
    # threadpoolctl lets one thread of a process set limits, the first that did, and others in
    # vain. Whoever comes last has to restore here, in whichever thread.
    forget_the_first = getattr(library, "clear_controlling_thread", lambda force: None)
    forget_the_first(force=True)
    library.set_num_threads(threads)
    forget_the_first(force=True)


@functools.cache  # looking for them takes longer than a small pass
def _libraries() -> list[Any]:
    import scipy.linalg  # noqa: F401 - numba multiplies with the BLAS it brings
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController().select(user_api="blas").lib_controllers
