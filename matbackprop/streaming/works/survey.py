"""The first look at the data: how many rows, how heavy, whether all finite, and their moments."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
from array_api_compat import array_namespace

from matbackprop.batchnorm.arrays import AnyArray, wide_dtype
from matbackprop.network.data_moments import DataMoments, block_moments
from matbackprop.streaming.rows import Rows


@dataclass(frozen=True, slots=True, eq=False)
class Survey:
    """What the first pass finds.

    Parameters
    ----------
    rows, weight
        How many, and Σw.
    negative
        How many weights are below 0.
    probe
        A sum of everything, which is finite only if every entry is.
    moments
        x̄ and C; None where not asked for.
    """

    rows: int
    weight: Any
    negative: Any
    probe: AnyArray
    moments: DataMoments | None

    def merge(self, other: Survey, /) -> Survey:
        """Return the survey of the rows of both."""
        moments = self.moments
        if moments is not None and other.moments is not None:
            moments = moments.merge(other.moments)
        return Survey(
            self.rows + other.rows,
            self.weight + other.weight,
            self.negative + other.negative,
            self.probe + other.probe,
            moments,
        )


@dataclass(frozen=True, slots=True)
class SurveyWork:
    """Count, weigh, and with batch norm find x̄ and C.

    Parameters
    ----------
    dtype
        In which the rows are read.
    rows
        How many make a block.
    with_moments
        Whether x̄ and C are wanted.
    """

    dtype: str
    rows: int
    with_moments: bool

    def __call__(self, chunk: Rows, /) -> Survey:
        """Return the survey of some rows."""
        with np.errstate(over="ignore", invalid="ignore"):  # what is not finite shows in the probe
            chunk = chunk.conformed(self.dtype)
            parts = (self._block(*block) for block in chunk.blocks(self.rows))
            return reduce(Survey.merge, parts)

    def _block(self, X: AnyArray, y: AnyArray, weights: AnyArray | None) -> Survey:
        xp, wide = array_namespace(X), wide_dtype(X)
        moments = block_moments(X, weights) if self.with_moments else None
        probe = xp.sum(X, dtype=wide) + xp.sum(y, dtype=wide)
        if weights is None:
            return Survey(X.shape[0], float(X.shape[0]), 0.0, probe, moments)
        weight = xp.sum(weights, dtype=wide)
        negative = xp.sum(xp.astype(weights < 0, wide))
        return Survey(X.shape[0], weight, negative, probe + weight, moments)
