"""What a source of rows is, and what can be known of its rows without reading them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np

from matbackprop._typing import Array, Progress
from matbackprop.streaming.rows import Rows
from matbackprop.streaming.works.mapped import RowMap
from matbackprop.streaming.works.parts import P, Work

Loader: TypeAlias = Callable[[], Iterable[Rows]]
"""Reads a stretch of rows when called, a piece at a time; may be called in any thread."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Shapes, dtype and names.

    Parameters
    ----------
    p1
        Columns of X.
    outcome
        () for y of shape (N,), (q,) for (N, q).
    dtype
        "float32" where everything is, else "float64".
    weighted
        Whether rows have weights.
    input_names, output_names
        Names of the columns, where there are any.
    """

    p1: int
    outcome: tuple[int, ...]
    dtype: str
    weighted: bool = False
    input_names: tuple[str, ...] | None = None
    output_names: tuple[str, ...] | None = None

    def stand_ins(self) -> tuple[Array, Array]:
        """Return X and y without rows, of the right shapes and dtype."""
        X = np.empty((0, self.p1), dtype=self.dtype)
        return X, np.empty((0, *self.outcome), dtype=self.dtype)


class Source(Protocol):
    """Rows that can be passed over again and again."""

    @property
    def layout(self) -> Layout:
        """What the rows look like."""

    @property
    def in_memory(self) -> bool:
        """Whether the rows are NumPy's, to be worked on in a CPU's cache."""

    def total(self, work: Work[P], /, *, threads: int, progress: Progress) -> tuple[P | None, int]:
        """Return the merged parts of all rows, and how many rows there were; None without one."""

    def predicted(self, row_map: RowMap, outcome: int, rows: int, /) -> Any:
        """Return ŷ of all rows, lazily: (n,) pieces where `outcome` is 1, else (n, q).

        Raises
        ------
        DataError
            At the end, if there were not so many rows.
        """
