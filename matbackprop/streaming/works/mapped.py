"""Works along the map of the rows, H = (X − 1·pivotᵀ)W + 1cᵀ, ŷ = a(H)Γ₂: gradient and loss."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
from array_api_compat import is_numpy_array

from matbackprop._typing import Array
from matbackprop.batchnorm.arrays import AnyArray
from matbackprop.network.activations import Activation, left_slope
from matbackprop.network.row_blocks import (
    BlockMap,
    Sums,
    activate,
    block_sums,
    weighted_residuals,
)
from matbackprop.streaming.activation_pairs import pair_of, value_of
from matbackprop.streaming.block_size import evenly
from matbackprop.streaming.compiling import compiled_sums
from matbackprop.streaming.rows import Rows, moved
from matbackprop.streaming.works.parts import Total


@dataclass(frozen=True, slots=True, eq=False)
class RowMap:
    """The map of the rows, as it travels: NumPy arrays in the dtype of the multiplication.

    Parameters
    ----------
    activation
        a.
    W, c, pivot, Gamma2
        Shapes (p1, p2), (p2,), (p1,) or None to subtract nothing, (p2, q).
    rows
        How many make a block.
    """

    activation: Activation
    W: Array
    c: Array
    pivot: Array | None
    Gamma2: Array
    rows: int

    def on(self, like: AnyArray, /, *, backwards: bool = True) -> BlockMap:
        """Return the map in arrays of the library, and on the device, of the data.

        Where it is not gone `backwards`, a′(H) is not computed either.
        """
        W, c, Gamma2 = (moved(array, like) for array in (self.W, self.c, self.Gamma2))
        pivot = None if self.pivot is None else moved(self.pivot, like)
        pair = pair_of(self.activation) if backwards else value_of(self.activation)
        return BlockMap(pair, W, c, pivot, Gamma2)

    def conformed(self, chunk: Rows, /) -> Rows:
        """Return the rows in the dtype of the map."""
        return chunk.conformed(self.W.dtype.name)


@dataclass(frozen=True, slots=True, eq=False)
class GradientWork:
    """The sums of the gradient, Σwε̂², XᵀS, 1ᵀS and Vᵀu.

    Parameters
    ----------
    map
        What the rows meet.
    sweep_rows
        How many rows make a block of the compiled sweep, where numba and the activation allow
        it; None to do without.
    """

    map: RowMap
    sweep_rows: int | None

    def __call__(self, chunk: Rows, /) -> Sums:
        """Return the sums over some rows."""
        chunk, slope = self.map.conformed(chunk), left_slope(self.map.activation)
        # With a negative slope V > 0 on both sides of 0, and the sweep could not tell them apart.
        if self.sweep_rows and slope is not None and slope >= 0 and is_numpy_array(chunk.X):
            sweep = compiled_sums()
            if sweep is not None:
                return self._swept(sweep, chunk, slope, self.sweep_rows)
        block = self.map.on(chunk.X)
        parts = (block_sums(block, *part) for part in chunk.blocks(self.map.rows))
        return reduce(Sums.merge, parts)

    def _swept(self, sweep: Any, chunk: Rows, slope: float, sweep_rows: int) -> Sums:
        none = np.empty(0, dtype=self.map.W.dtype)
        weights = none if chunk.weights is None else chunk.weights
        pivot = none if self.map.pivot is None else self.map.pivot
        y, Gamma2T = chunk.y, self.map.Gamma2.T
        if len(Gamma2T) == 1:
            y, Gamma2T = y[:, 0], Gamma2T[0]
        arrays = (chunk.X, y, weights, self.map.W, self.map.c, pivot, Gamma2T)
        rows = evenly(len(chunk.X), sweep_rows)
        loss, XS, S1, uV = sweep(*map(_read_only, arrays), slope, rows)
        return Sums(np.float64(loss), XS, S1, uV.T if uV.ndim == 2 else uV[:, None])


def _read_only(array: Array) -> Array:
    # numba compiles anew for arrays that may not be written to: let none be.
    view = np.ascontiguousarray(array).view()
    view.flags.writeable = False
    return view


@dataclass(frozen=True, slots=True, eq=False)
class LossWork:
    """Σwε̂² alone."""

    map: RowMap

    def __call__(self, chunk: Rows, /) -> Total:
        """Return the sum over some rows."""
        chunk = self.map.conformed(chunk)
        block = self.map.on(chunk.X, backwards=False)

        def squares(X: AnyArray, y: AnyArray, weights: AnyArray | None) -> Total:
            return Total(weighted_residuals(y - activate(block, X).fitted, weights)[1])

        return reduce(Total.merge, (squares(*part) for part in chunk.blocks(self.map.rows)))
