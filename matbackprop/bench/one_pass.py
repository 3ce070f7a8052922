"""The one-pass gradient beside everything that a user would take instead."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import count
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np

from matbackprop._typing import Progress
from matbackprop._validation import check_count, check_flag, check_option
from matbackprop.bench.contender import (
    NETWORK,
    Contender,
    Task,
    blocks_of,
    draw,
    equal_threads,
    largest_error,
)
from matbackprop.bench.engines import ENGINES, ONE_PASS, PRODUCTS
from matbackprop.bench.memory import peak_mib
from matbackprop.bench.pairing import paired_ratio, rounds_of_turns
from matbackprop.errors import MissingExtraError, OptionError, RUnavailableError
from matbackprop.network import Gradient, Parameters, gradient

if TYPE_CHECKING:
    import pandas as pd

Shape = tuple[int, int, int]
SHAPES: tuple[Shape, ...] = ((200_000, 20, 50), (200_000, 50, 100), (100_000, 200, 200))
"""Rows, inputs and hidden nodes."""
DTYPES = ("float64", "float32")
OTHERS = ("torch", "torch.compile", "JAX")
"""Those of which the fastest is what to be faster than."""

_CALL = "bench_engines(shapes)"


def bench_engines(
    shapes: Sequence[Shape] = SHAPES,
    /,
    *,
    dtype: str = "float64",
    engines: Sequence[str] | None = None,
    repeats: int = 15,
    threads: int | None = None,
    memory: bool = True,
    progress: Progress = lambda done, total, what: None,
) -> pd.DataFrame:
    """Time one gradient of all rows, by each engine, and see that it is right.

    The engines take turns, round after round, and times are compared within a round. What
    prepares an engine (compilation, the pass for the moments) is not counted, as it is done
    once for all gradients; the pass for the moments has a row of its own.

    Parameters
    ----------
    shapes
        Numbers of rows, inputs and hidden nodes, (N, p1, p2) each.
    dtype
        "float64" or "float32", of data and parameters.
    engines
        Names in `ENGINES`; all by default. Our one pass, to which the ratios are, takes part
        in any case.
    repeats
        How many rounds; slow engines take part in the first three.
    threads
        How many threads each engine gets; by default one for each core.
    memory
        Whether to measure memory too, each engine in a process of its own.
    progress
        Called before each part of the work.

    Returns
    -------
    One row for each shape and engine: shape, dtype, engine; the median of its times in
    milliseconds; ratio, ratio_q25 and ratio_q75, the median and the quartiles of its time
    divided by that of our one pass in the same round (above 1 is slower than ours);
    to_products, the median of the same by the time of the two products alone; rounds, in how
    many it took part; largest_error, in any block of the gradient, relative to the block's
    largest entry, against the closed form in float64 on the same numbers; peak_mib, the most
    memory beyond the data (see `matbackprop.bench.memory`); and a note, which says why where an
    engine takes no part. Numbers that there are not are NaN.

    Raises
    ------
    OptionError
        If an option does not exist or is out of range.

    Notes
    -----
    In float32 the largest error is mostly that of rows which rounding takes across the kink of
    relu; which rows these are differs between engines.

    Examples
    --------
    >>> small = {"repeats": 1, "memory": False}
    >>> frame = bench_engines([(50, 3, 2)], engines=["matbackprop, compact"], **small)
    >>> frame["engine"].tolist()
    ['matbackprop, one pass', 'matbackprop, compact']
    """
    import pandas as pd

    cases = [_checked_shape(shape) for shape in shapes]
    check_option(dtype, DTYPES, call=_CALL, name="dtype")
    check_count(repeats, call=_CALL, name="repeats")
    check_flag(memory, call=_CALL, name="memory")
    if threads is not None:
        check_count(threads, call=_CALL, name="threads")
    names = _checked_names(engines)
    libraries = {module for name in names for module in ENGINES[name].needs}
    parts = len(names) * (2 if memory else 1) + repeats
    rows: list[dict[str, Any]] = []
    for case in cases:
        task = draw(*case, dtype=dtype, threads=threads)
        shape = " × ".join(map(str, case))
        steps = count(len(rows) // len(names) * parts)

        def tell(what: str, shape: str = shape, steps: Iterator[int] = steps) -> None:
            progress(next(steps), len(cases) * parts, f"{shape} {dtype}, {what}")

        with equal_threads(task.threads, libraries):
            measured = _measured(task, names, repeats, tell)
        for name, row in measured.items():
            if memory:
                tell(f"memory of {name}")
            took_part = memory and row["rounds"] > 0
            peak = peak_mib(name, case, dtype=dtype, threads=task.threads) if took_part else np.nan
            note = row.pop("note")
            labels = {"shape": shape, "dtype": dtype, "engine": name}
            rows.append({**labels, **row, "peak_mib": peak, "note": note})
    progress(len(cases) * parts, len(cases) * parts, "done")
    return pd.DataFrame(rows)


def fastest_other(frame: pd.DataFrame, /) -> pd.DataFrame:
    """Return, for each shape and dtype, the row of the fastest of torch, torch.compile and JAX.

    The column `of` has the names of those that took part. There is no row where none did.

    Examples
    --------
    >>> import pandas as pd
    >>> times = {"torch": 3.0, "torch.compile": 2.0, "autograd": 1.0, "JAX": float("nan")}
    >>> rows = [(name, "9 × 2 × 2", "float32", taken) for name, taken in times.items()]
    >>> frame = pd.DataFrame(rows, columns=["engine", "shape", "dtype", "milliseconds"])
    >>> fastest_other(frame)[["engine", "of"]].to_numpy().tolist()
    [['torch.compile', ['torch', 'torch.compile']]]
    """
    ran = frame[frame["engine"].isin(OTHERS) & frame["milliseconds"].notna()]
    names = ran.groupby(["shape", "dtype"])["engine"].agg(list).rename("of")
    return (
        ran.sort_values("milliseconds")
        .drop_duplicates(["shape", "dtype"])
        .sort_index()
        .join(names, on=["shape", "dtype"])
    )


def _measured(
    task: Task, names: Sequence[str], repeats: int, tell: Callable[[str], None]
) -> dict[str, dict[str, Any]]:
    """Return, by engine, what is measured in this process."""
    exact = _exact(task)
    contenders: dict[str, Contender] = {}
    errors = dict.fromkeys(names, np.nan)
    notes = {}
    for name in names:
        tell(f"preparing {name}")
        try:
            contenders[name] = ENGINES[name].prepare(task)
        except (MissingExtraError, OptionError, RUnavailableError) as error:
            notes[name] = str(error)
        else:
            errors[name] = largest_error(contenders[name].run(), exact)
            notes[name] = contenders[name].note
    times: dict[str, list[float]] = {name: [] for name in (*names, PRODUCTS)}
    times |= rounds_of_turns(
        {name: contender.turn for name, contender in contenders.items()},
        repeats=repeats,
        most={name: ENGINES[name].rounds or repeats for name in names},
        before=lambda done: tell(f"round {done + 1} of {repeats}"),
    )
    return {
        name: {
            "milliseconds": 1e3 * median(times[name]) if times[name] else np.nan,
            **paired_ratio(times[name], times[ONE_PASS])._asdict(),
            "to_products": paired_ratio(times[name], times[PRODUCTS]).ratio,
            "rounds": len(times[name]),
            "largest_error": errors[name],
            "note": notes[name],
        }
        for name in names
    }


def _exact(task: Task) -> Gradient:
    wide = (block.astype(np.float64) for block in blocks_of(task.par))
    X, y = (array.astype(np.float64) for array in (task.X, task.y))
    return gradient(NETWORK, Parameters(*wide), X, y)


def _checked_shape(shape: Shape) -> Shape:
    if len(shape) != 3:
        raise OptionError(
            f"`{_CALL}` needs shapes of three sizes: rows, inputs, hidden nodes; got {shape}."
        )
    N, p1, p2 = (
        check_count(size, call=_CALL, name=name)
        for name, size in zip(("N", "p1", "p2"), shape, strict=True)
    )
    return N, p1, p2


def _checked_names(engines: Sequence[str] | None) -> list[str]:
    for name in engines or ():
        check_option(name, ENGINES, call=_CALL, name="engines")
    return [name for name in ENGINES if engines is None or name in (ONE_PASS, *engines)]
