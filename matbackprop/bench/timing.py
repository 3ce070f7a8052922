"""Timing contenders in turns, so that whatever else the machine does meets all alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping


def median_seconds(
    contenders: Mapping[str, Callable[[], object]], /, *, repeats: int
) -> dict[str, float]:
    """Return the median time of each, over rounds in which all take turns.

    A turn is two runs, of which the second counts: the first finds the caches, the memory and
    the threads as the contender before it left them, and compiles where it has to.

    Examples
    --------
    >>> times = median_seconds({"a": lambda: sum(range(10)), "b": lambda: None}, repeats=3)
    >>> sorted(times)
    ['a', 'b']
    """
    taken: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(repeats):
        for name, run in contenders.items():
            run()
            start = time.perf_counter()
            run()
            taken[name].append(time.perf_counter() - start)
    return {name: statistics.median(times) for name, times in taken.items()}
