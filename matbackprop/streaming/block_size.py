"""How many rows are worked on at a time."""

from __future__ import annotations

import functools
from pathlib import Path

SMALL_PRODUCT = 1_000_000
"""Multiplications up to which OpenBLAS multiplies two matrices where they lie.

Above it copies both into an order of its own first, which for the narrow matrices here costs as
much as it gains. Measured on AVX-512: blocks just below this size take 0.78 of the time of those
just above at 50 × 100, 0.75 at 20 × 50; at 200 × 200 so few rows would remain that it does not pay.
"""

FEWEST, MOST = 128, 512

HEAP_BYTES = 120 * 1024
"""Larger arrays malloc may map anew each time, and the kernel clear page by page.

Measured: tanh's gradient takes 15 ns an entry of H in blocks of 100 kB, and 34 in those of 200 kB.
"""


def rows_of_sweep(p1: int, p2: int, itemsize: int, /) -> int:
    """Return how many rows make a block of the compiled sweep: a multiple of 8.

    Examples
    --------
    >>> rows_of_sweep(50, 100, 8)
    200
    """
    by_product = SMALL_PRODUCT // (p1 * p2)
    by_cache = _second_cache() // (itemsize * (p1 + p2))  # X and H
    rows = min(by_product if by_product >= FEWEST else MOST, by_cache, MOST)
    return max(rows // 8 * 8, 8)


def evenly(n: int, rows: int, /) -> int:
    """Return the size of blocks that share n rows evenly, none larger than `rows`.

    A last block of a few rows would cost as much as one of many.

    Examples
    --------
    >>> evenly(1024, 200)
    171
    """
    return -(-n // -(-n // rows))


def rows_of_temporaries(width: int, itemsize: int, /) -> int:
    """Return how many rows make a block where NumPy makes a new array in each step.

    Examples
    --------
    >>> rows_of_temporaries(50, 8)
    304
    """
    return max(HEAP_BYTES // (width * itemsize) // 8 * 8, 32)


def rows_on_device(p1: int, p2: int, itemsize: int, /) -> int:
    """Return how many rows make a block on a device: so many that starting a kernel costs little.

    About 256 MiB for what a block needs.

    Examples
    --------
    >>> rows_on_device(50, 100, 4)
    149130
    """
    return max(2**28 // (itemsize * (p1 + 4 * p2)), 1)


@functools.cache
def _second_cache() -> int:
    """Return the size of the second-level cache of a core in bytes; one MiB where unknown."""
    try:
        folder = Path("/sys/devices/system/cpu/cpu0/cache/index2")
        text = (folder / "size").read_text(encoding="ascii").strip()
        return int(text.removesuffix("K")) * 1024
    except (OSError, ValueError):
        return 2**20
