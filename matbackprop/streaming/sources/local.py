"""What sources that are read in this process have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator

from matbackprop._typing import Array, Progress
from matbackprop.streaming.faults import other_rows
from matbackprop.streaming.prediction import predicted
from matbackprop.streaming.rows import Rows
from matbackprop.streaming.sources.source import Layout, Loader
from matbackprop.streaming.threads import total_in_threads
from matbackprop.streaming.works.mapped import RowMap
from matbackprop.streaming.works.parts import P, Work


class LocalSource(ABC):
    """Rows in stretches, each read by a loader."""

    layout: Layout
    in_memory: bool = True
    stretches: int | None = None
    """How many stretches there are, where that is known."""

    @abstractmethod
    def loaders(self) -> Iterator[Loader]:
        """Yield a loader for each stretch of rows, in their order."""

    def total(self, work: Work[P], /, *, threads: int, progress: Progress) -> tuple[P | None, int]:
        """Return the merged parts of all rows, and how many rows there were; None without a row."""
        whole, rows = total_in_threads(
            work,
            self.loaders(),
            threads=threads if self.in_memory else 1,
            stretches=self.stretches,
            progress=progress,
        )
        return whole, rows

    def pieces(self) -> Iterator[Rows]:
        """Yield all rows in their order, a piece at a time."""
        for load in self.loaders():
            yield from load()

    def predicted(self, row_map: RowMap, outcome: int, rows: int, /) -> Iterator[Array]:
        """Yield ŷ, a piece of rows at a time; raise `DataError` if these were not all rows."""
        seen = 0
        for piece in self.pieces():
            seen += piece.X.shape[0]
            yield predicted(row_map, piece, outcome)
        if seen != rows:
            raise other_rows("problem.predict(par)", seen, rows)
