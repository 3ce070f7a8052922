"""What an offset of the data costs the gradient, engine by engine, against the exact answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from matbackprop._typing import Progress
from matbackprop._validation import check_count
from matbackprop.bench.contender import NETWORK, Task, blocks_of, largest_error
from matbackprop.bench.engines import ENGINES, ONE_PASS
from matbackprop.errors import MissingExtraError, OptionError
from matbackprop.network import Parameters, gradient

if TYPE_CHECKING:
    import pandas as pd

OFFSETS = (0.0, 1.0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6)
DTYPES = ("float64", "float32")
COMPARED = (ONE_PASS, "matbackprop, compact", "torch")
GRID = 8
"""Entries are multiples of 1/8: then 1e6 + x is a float32 still, and nothing is rounded."""

_CALL = "bench_offsets(offsets)"


def bench_offsets(
    offsets: Sequence[float] = OFFSETS,
    /,
    *,
    rows: int = 4096,
    progress: Progress = lambda done, total, what: None,
) -> pd.DataFrame:
    """Measure the error of the gradient for data of unit spread and a mean of `offset`.

    Batch norm does not see an offset: the gradient for X + offset is that for X. X lies on a
    grid so coarse that X + offset is exact, in float32 too; so the closed form in float64 on X
    itself is the exact answer, to its own rounding of some 1e-15.

    Parameters
    ----------
    offsets
        Means of the columns, multiples of 1/8 up to 1e6 in size.
    rows
        How many.
    progress
        Called before each offset.

    Returns
    -------
    One row for each dtype, offset and engine: dtype, offset, engine, error. The error is the
    largest in any block of the gradient, relative to the block's largest entry. Engines that are
    not installed are left out.

    Raises
    ------
    OptionError
        If an offset does not lie on the grid, or `rows` is no integer of at least 2.

    Examples
    --------
    >>> frame = bench_offsets([0.0, 1e6], rows=256)
    >>> ours = frame.query("engine == 'matbackprop, one pass' and dtype == 'float64'")
    >>> bool((ours["error"] < 1e-12).all())
    True
    """
    import pandas as pd

    check_count(rows, call=_CALL, name="rows", at_least=2)
    for offset in offsets:
        if not (abs(offset) <= 1e6 and float(offset * GRID).is_integer()):
            raise OptionError(
                f"`{_CALL}` needs multiples of 1/{GRID} up to 1e6 in size; got {offset!r}."
            )
    rng = np.random.default_rng(0)
    X = np.round(rng.standard_normal((rows, 20)) * GRID) / GRID
    y = rng.standard_normal(rows).astype(np.float32)
    drawn = blocks_of(Parameters.random(20, 50, rng=rng))
    narrow = Parameters(*(block.astype(np.float32) for block in drawn))
    wide = Parameters(*(block.astype(np.float64) for block in blocks_of(narrow)))
    exact = gradient(NETWORK, wide, X, y.astype(np.float64))
    found: list[dict[str, Any]] = []
    for done, offset in enumerate(offsets):
        progress(done, len(offsets), f"offset {offset:g}")
        for dtype, par in zip(DTYPES, (wide, narrow), strict=True):
            task = Task((X + offset).astype(dtype), y.astype(dtype), par, 1)
            for engine in COMPARED:
                try:
                    result = ENGINES[engine].prepare(task).run()
                except MissingExtraError:
                    continue
                error = largest_error(result, exact)
                found.append({"dtype": dtype, "offset": offset, "engine": engine, "error": error})
    progress(len(offsets), len(offsets), "done")
    return pd.DataFrame(found)
