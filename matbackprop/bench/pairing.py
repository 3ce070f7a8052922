"""Ratios of times that were taken side by side: what slows the machine slows both."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np


class Ratio(NamedTuple):
    """The median of the ratios in all rounds, and their quartiles."""

    ratio: float
    ratio_q25: float
    ratio_q75: float


def second_of_two(run: Callable[[], object], /) -> float:
    """Return the seconds of the second of two runs: the first is after whoever had the caches.

    Examples
    --------
    >>> second_of_two(lambda: sum(range(10))) > 0
    True
    """
    run()
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def rounds_of_turns(
    turns: Mapping[str, Callable[[], float]],
    /,
    *,
    repeats: int,
    most: Mapping[str, int],
    before: Callable[[int], None] = lambda done: None,
) -> dict[str, list[float]]:
    """Return all times of each, in the order of the rounds in which they take turns.

    Parameters
    ----------
    turns
        What takes a turn and tells the seconds of it.
    repeats
        How many rounds.
    most
        Those that take part in the first so many rounds only.
    before
        Called before each round with the number of those that are done.

    Examples
    --------
    >>> rounds_of_turns({"a": lambda: 1.0, "b": lambda: 2.0}, repeats=3, most={"b": 1})
    {'a': [1.0, 1.0, 1.0], 'b': [2.0]}
    """
    taken: dict[str, list[float]] = {name: [] for name in turns}
    for done in range(repeats):
        before(done)
        for name, turn in turns.items():
            if done < most.get(name, repeats):
                taken[name].append(turn())
    return taken


def paired_ratio(times: Sequence[float], base: Sequence[float], /) -> Ratio:
    """Return what `times` are of those of `base` in the same rounds; NaN where there are none.

    Examples
    --------
    >>> paired_ratio([2.0, 4.0, 9.0], [1.0, 2.0, 3.0, 50.0])
    Ratio(ratio=2.0, ratio_q25=2.0, ratio_q75=2.5)
    """
    rounds = min(len(times), len(base))
    if not rounds:
        return Ratio(np.nan, np.nan, np.nan)
    ratios = np.asarray(times[:rounds]) / np.asarray(base[:rounds])
    q25, median, q75 = np.quantile(ratios, (0.25, 0.5, 0.75)).tolist()
    return Ratio(median, q25, q75)
