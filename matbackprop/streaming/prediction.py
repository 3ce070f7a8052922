"""Fitted values of some rows."""

from __future__ import annotations

import numpy as np

from matbackprop._typing import Array
from matbackprop.network.row_blocks import activate
from matbackprop.streaming.blas_threads import one_blas_thread_each
from matbackprop.streaming.host import on_host
from matbackprop.streaming.rows import Rows
from matbackprop.streaming.works.mapped import RowMap


def predicted(row_map: RowMap, chunk: Rows, outcome: int, /) -> Array:
    """Return ŷ of some rows: (n,) where `outcome` is 1, else (n, q)."""
    chunk = row_map.conformed(chunk)
    block = row_map.on(chunk.X, backwards=False)
    with one_blas_thread_each():
        parts = [on_host(activate(block, X).fitted) for X, _, _ in chunk.blocks(row_map.rows)]
    none = np.empty((0, row_map.Gamma2.shape[1]), dtype=row_map.W.dtype)
    fitted = np.concatenate([none, *parts])
    return fitted[:, 0] if outcome == 1 else fitted
