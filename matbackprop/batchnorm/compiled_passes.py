"""The passes of `passes`, compiled by numba: each reads the data once, on every core.

For large arrays in main memory, (N, C) or (N, C, …), normalised over every axis but the second.
They are read where they lie, whichever library they belong to. Sums are kept in
float64, also of float32. numba stores what it compiled, so that only a first use waits for it.
"""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import get_num_threads, prange

from matbackprop._typing import Array
from matbackprop.batchnorm import passes
from matbackprop.batchnorm.arrays import Axes
from matbackprop.batchnorm.compilation import compiled
from matbackprop.batchnorm.memory import on_views

_compiled = functools.partial(compiled, parallel=True)

HOME = os.getpid()
"""The process that may run these passes: OpenMP's threads do not outlive a fork."""

_turn = threading.RLock()


def _pass(function: Callable[..., Any], /) -> Callable[..., Any]:
    """Let one thread in at a time: a pass uses every core, and not every layer below is safe."""

    @functools.wraps(function)
    def call(*arguments: Any) -> Any:
        with _turn:
            return function(*arguments)

    return on_views(call, getattr(passes, function.__name__))


@_pass
def totals(X: Array, axes: Axes, /) -> Array:
    """Return ΣX."""
    return centred_sums(X, np.zeros(X.shape[1]), axes)[0]


@_pass
def centred_sums(X: Array, pivot: Array, axes: Axes, /) -> tuple[Array, Array]:
    """Return Σ(X − c) and Σ(X − c)²."""
    loop = _centred_rows if X.ndim == 2 else _centred_runs
    sums = loop(_data(X), _stat(pivot, X), get_num_threads())
    return sums[0], sums[1]


@_pass
def scale_shift(X: Array, pivot: Array, scale: Array, offset: Array, axes: Axes, /) -> Array:
    """Return (X − c)·scale + offset."""
    loop, Y = _scale_rows if X.ndim == 2 else _scale_runs, np.empty_like(X)
    loop(_data(X), *(_stat(stat, X) for stat in (pivot, scale, offset)), _flat(Y))
    return Y


@_pass
def cross_sums(dY: Array, X: Array, pivot: Array, axes: Axes, /) -> tuple[Array, Array]:
    """Return ΣdY and Σ dY ⊙ (X − c)."""
    loop = _cross_rows if X.ndim == 2 else _cross_runs
    sums = loop(_data(dY), _data(X), _stat(pivot, X), get_num_threads())
    return sums[0], sums[1]


@_pass
def combine(
    dY: Array,
    X: Array,
    pivot: Array,
    scale: Array,
    slope: Array,
    offset: Array,
    axes: Axes,
    /,
) -> Array:
    """Return (dY − offset − (X − c)·slope)·scale."""
    loop, dX = _combine_rows if X.ndim == 2 else _combine_runs, np.empty_like(X)
    stats = (_stat(stat, X) for stat in (pivot, scale, slope, offset))
    loop(_data(dY), _data(X), *stats, _flat(dX))
    return dX


def _flat(X: Array) -> Array:
    """Return X as (N, C), or as (N, C, L) if it has more axes: a view."""
    return X.reshape(X.shape if X.ndim == 2 else (*X.shape[:2], -1))


def _data(X: Array) -> Array:
    return _read_only(_flat(X))


def _stat(stat: Array, X: Array) -> Array:
    """Return a statistic with an entry for each channel, in the dtype of the data."""
    full = np.broadcast_to(stat, X.shape[1])
    return _read_only(np.ascontiguousarray(full, dtype=X.dtype).view())


def _read_only(view: Array) -> Array:
    # numba compiles anew for arrays that may not be written to: let none be.
    view.flags.writeable = False
    return view


# Two forms of each loop, because the innermost must run along memory: over the columns of a row
# in (N, C), along the run of one channel in (N, C, L). A part is a range of rows: summed apart,
# parts need no locks.


@_compiled
def _centred_rows(X: Array, c: Array, parts: int) -> Array:
    N, C = X.shape
    sums = np.zeros((parts, 2, C))
    for part in prange(parts):
        total, squares = np.zeros(C), np.zeros(C)
        for n in range(part * N // parts, (part + 1) * N // parts):
            for j in range(C):
                d = np.float64(X[n, j]) - np.float64(c[j])
                total[j] += d
                squares[j] += d * d
        sums[part, 0], sums[part, 1] = total, squares
    return sums.sum(axis=0)


@_compiled
def _centred_runs(X: Array, c: Array, parts: int) -> Array:
    N, C, L = X.shape
    sums = np.zeros((parts, 2, C))
    for part in prange(parts):
        for n in range(part * N // parts, (part + 1) * N // parts):
            for j in range(C):
                total, squares = 0.0, 0.0
                for k in range(L):
                    d = np.float64(X[n, j, k]) - np.float64(c[j])
                    total += d
                    squares += d * d
                sums[part, 0, j] += total
                sums[part, 1, j] += squares
    return sums.sum(axis=0)


@_compiled
def _scale_rows(X: Array, c: Array, scale: Array, offset: Array, Y: Array) -> None:
    for n in prange(X.shape[0]):
        for j in range(X.shape[1]):
            Y[n, j] = (X[n, j] - c[j]) * scale[j] + offset[j]


@_compiled
def _scale_runs(X: Array, c: Array, scale: Array, offset: Array, Y: Array) -> None:
    for n in prange(X.shape[0]):
        for j in range(X.shape[1]):
            for k in range(X.shape[2]):
                Y[n, j, k] = (X[n, j, k] - c[j]) * scale[j] + offset[j]


@_compiled
def _cross_rows(dY: Array, X: Array, c: Array, parts: int) -> Array:
    N, C = X.shape
    sums = np.zeros((parts, 2, C))
    for part in prange(parts):
        total, cross = np.zeros(C), np.zeros(C)
        for n in range(part * N // parts, (part + 1) * N // parts):
            for j in range(C):
                g = np.float64(dY[n, j])
                total[j] += g
                cross[j] += g * (np.float64(X[n, j]) - np.float64(c[j]))
        sums[part, 0], sums[part, 1] = total, cross
    return sums.sum(axis=0)


@_compiled
def _cross_runs(dY: Array, X: Array, c: Array, parts: int) -> Array:
    N, C, L = X.shape
    sums = np.zeros((parts, 2, C))
    for part in prange(parts):
        for n in range(part * N // parts, (part + 1) * N // parts):
            for j in range(C):
                total, cross = 0.0, 0.0
                for k in range(L):
                    g = np.float64(dY[n, j, k])
                    total += g
                    cross += g * (np.float64(X[n, j, k]) - np.float64(c[j]))
                sums[part, 0, j] += total
                sums[part, 1, j] += cross
    return sums.sum(axis=0)


@_compiled
def _combine_rows(
    dY: Array, X: Array, c: Array, scale: Array, slope: Array, offset: Array, dX: Array
) -> None:
    for n in prange(X.shape[0]):
        for j in range(X.shape[1]):
            dX[n, j] = (dY[n, j] - offset[j] - (X[n, j] - c[j]) * slope[j]) * scale[j]


@_compiled
def _combine_runs(
    dY: Array, X: Array, c: Array, scale: Array, slope: Array, offset: Array, dX: Array
) -> None:
    for n in prange(X.shape[0]):
        for j in range(X.shape[1]):
            for k in range(X.shape[2]):
                passed = dY[n, j, k] - offset[j] - (X[n, j, k] - c[j]) * slope[j]
                dX[n, j, k] = passed * scale[j]
