"""The second look at Z, for columns whose spread C cannot tell."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import reduce

from matbackprop._typing import Array
from matbackprop.network.data_moments import DataMoments
from matbackprop.network.row_blocks import centred_squares
from matbackprop.streaming.rows import Rows, moved
from matbackprop.streaming.works.parts import Total


@dataclass(frozen=True, slots=True, eq=False)
class SquaresWork:
    """Σ w (z − μ)² of each column of Z = XΓ₁: see `column_spread.sigma_of`."""

    Gamma1: Array  # float64
    data: DataMoments
    dtype: str
    rows: int

    def __call__(self, chunk: Rows, /) -> Total:
        """Return the sums over some rows."""
        chunk = chunk.conformed(self.dtype)
        Gamma1, shift = moved(self.Gamma1, chunk.X), moved(self.data.shift, chunk.X)
        data = replace(self.data, pivot=moved(self.data.pivot, chunk.X), shift=shift)
        blocks = chunk.blocks(self.rows)
        return reduce(
            Total.merge, (Total(centred_squares(X, Gamma1, data, w)) for X, _, w in blocks)
        )
