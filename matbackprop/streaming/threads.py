"""A pass over rows that are read here: several threads, one order."""

from __future__ import annotations

import functools
import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING

import numpy as np

from matbackprop._typing import Progress
from matbackprop.streaming.blas_threads import one_blas_thread_each
from matbackprop.streaming.works.parts import P, Work

if TYPE_CHECKING:
    from matbackprop.streaming.sources.source import Loader


def total_in_threads(
    work: Work[P],
    loaders: Iterator[Loader],
    /,
    *,
    threads: int,
    stretches: int | None,
    progress: Progress,
) -> tuple[P | None, int]:
    """Return the merged parts of all stretches of rows, and how many rows there were.

    At most two stretches a thread are under way, so that memory stays constant; parts are merged
    in the order of the rows, whichever thread is done first. Ctrl-C ends it within a stretch.

    Parameters
    ----------
    work
        What to do.
    loaders
        A loader for each stretch of rows; iterated in the calling thread.
    threads
        How many there are.
    stretches
        How many loaders will come, where it is known; for the progress alone.
    progress
        Called in the calling thread after each stretch.
    """
    whole: P | None = None
    rows = done = 0

    def take(result: tuple[P | None, int]) -> None:
        nonlocal whole, rows, done
        part, count = result
        if part is not None:
            with _quiet():
                whole = part if whole is None else whole.merge(part)
        rows += count
        done += 1
        progress(done, max(done, stretches or 0), f"{rows:,} rows")

    with one_blas_thread_each():
        if threads == 1 or stretches == 1:
            for load in loaders:
                take(_of_stretch(work, load))
            return whole, rows
        under_way: deque[Future[tuple[P | None, int]]] = deque()
        pool = _pool(threads, os.getpid())
        try:
            for load in loaders:
                if len(under_way) == 2 * threads:
                    take(under_way.popleft().result())
                under_way.append(pool.submit(_of_stretch, work, load))
            while under_way:
                take(under_way.popleft().result())
        finally:
            for future in under_way:
                future.cancel()
            wait(under_way)  # nobody reads the data after this pass
    return whole, rows


@functools.cache
def _pool(threads: int, process: int) -> ThreadPoolExecutor:
    """Return the threads of this process, which outlive a pass: to start them may take longer."""
    return ThreadPoolExecutor(threads, thread_name_prefix="matbackprop")


def _of_stretch(work: Work[P], load: Loader) -> tuple[P | None, int]:
    whole: P | None = None
    rows = 0
    for piece in load():
        count = piece.X.shape[0]
        if count:
            with _quiet():
                part = work(piece)
                whole = part if whole is None else whole.merge(part)
            rows += count
    return whole, rows


def _quiet() -> np.errstate:
    """Let what is not finite show in the sums, without a warning before the error; one thread."""
    return np.errstate(over="ignore", invalid="ignore")
