"""Some rows of the data, as they come from a source and as they are worked on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from array_api_compat import array_namespace, device, is_numpy_array

from matbackprop.batchnorm.arrays import AnyArray


class Rows(NamedTuple):
    """A chunk of rows: what one thread, or one worker, takes at a time."""

    X: AnyArray  # (n, p1)
    y: AnyArray  # (n,) or (n, q)
    weights: AnyArray | None  # (n,); None for 1 each
    start: int  # the number of its first row, counted from 0
    origin: str = ""  # where it comes from, for messages: "block 713"; empty for plain arrays
    offset: int = 0  # the number of its first row among those of that origin

    def conformed(self, dtype: str) -> Rows:
        """Return the same rows in one dtype, outcomes in columns; nothing is copied needlessly."""
        xp = array_namespace(self.X)
        kind = getattr(xp, dtype)
        y = xp.astype(self.y, kind, copy=False)
        return self._replace(
            X=xp.astype(self.X, kind, copy=False),
            y=y if y.ndim == 2 else xp.expand_dims(y, axis=1),
            weights=None if self.weights is None else xp.astype(self.weights, kind, copy=False),
        )

    def blocks(self, rows: int) -> Iterator[tuple[AnyArray, AnyArray, AnyArray | None]]:
        """Cut into blocks of so many rows: views of X, y and the weights."""
        N = self.X.shape[0]
        for start in range(0, N, rows):
            part = slice(start, min(start + rows, N))
            w = None if self.weights is None else self.weights[part]
            yield self.X[part, :], self.y[part, :], w


def moved(array: Any, like: AnyArray, /) -> AnyArray:
    """Return a NumPy array as one of the library, and on the device, of another array.

    Examples
    --------
    >>> moved(np.ones(2), np.zeros(1))
    array([1., 1.])
    """
    if is_numpy_array(like):
        return array
    # A copy: libraries that would share the memory cannot share what is read-only.
    return array_namespace(like).asarray(np.array(array), device=device(like))
