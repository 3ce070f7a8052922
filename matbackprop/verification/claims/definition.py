"""Batch norm by its definition: what the sources' formulas are held against.

The channels of the data are on axis 1, as in (N, D) and in (N, C, *). Each is taken by itself, so
that no axis can be mistaken here, where a source may mistake one; what belongs to a channel comes
back in the shape (1, C, 1, ..., 1). Everything is analytic: a complex step passes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from matbackprop._typing import Array, ArrayLike


def mean(x: Array, /) -> Array:
    """Return the mean of each channel.

    Examples
    --------
    >>> mean(np.array([[1.0, 5.0], [3.0, 7.0]]))
    array([[2., 6.]])
    """
    return _per_channel((channel.mean() for channel in _channels(x)), x)


def variance(x: Array, about: Array | None = None, /) -> Array:
    """Return the mean square of each channel about its mean, or about another value a channel.

    Examples
    --------
    >>> variance(np.array([[1.0, 5.0], [3.0, 5.0]]))
    array([[1., 0.]])
    >>> variance(np.array([[1.0, 5.0], [3.0, 5.0]]), np.array([1.0, 2.0]))
    array([[2., 9.]])
    """
    centres = np.ravel(mean(x) if about is None else about)
    pairs = zip(_channels(x), centres, strict=True)
    return _per_channel((((channel - centre) ** 2).mean() for channel, centre in pairs), x)


def normalised(x: Array, mean: Array, variance: Array, eps: float, /) -> Array:
    """Return each channel less its given mean, over the root of its given variance plus ε.

    Examples
    --------
    >>> normalised(np.array([[1.0], [3.0]]), np.array([3.0]), np.array([1.0]), 3.0)
    array([[-1.],
           [ 0.]])
    """
    triples = zip(_channels(x), np.ravel(mean), np.ravel(variance), strict=True)
    return np.stack([(channel - m) / np.sqrt(v + eps) for channel, m, v in triples], axis=1)


def batch_normalised(x: Array, eps: float, /) -> Array:
    """Return x̂: normalised by the moments of x itself.

    Examples
    --------
    >>> batch_normalised(np.array([[1.0], [3.0]]), 3.0)
    array([[-0.5],
           [ 0.5]])
    """
    return normalised(x, mean(x), variance(x), eps)


def affine(xhat: Array, gamma: Array, beta: Array, /) -> Array:
    """Return γx̂ + β, one γ and one β a channel.

    Examples
    --------
    >>> affine(np.ones((2, 2)), np.array([4.0, 5.0]), np.array([10.0, 20.0]))
    array([[14., 25.],
           [14., 25.]])
    """
    triples = zip(_channels(xhat), np.ravel(gamma), np.ravel(beta), strict=True)
    return np.stack([g * channel + b for channel, g, b in triples], axis=1)


def batch_norm(x: Array, gamma: Array, beta: Array, eps: float, /) -> Array:
    """Return y = γx̂ + β.

    Examples
    --------
    >>> batch_norm(np.array([[1.0], [3.0]]), np.array([4.0]), np.array([10.0]), 3.0)
    array([[ 8.],
           [12.]])
    """
    return affine(batch_normalised(x, eps), gamma, beta)


def decaying_average(start: ArrayLike, series: Sequence[ArrayLike], m: float, /) -> Array:
    """Return m^T start + Σₖ (1 − m)mᵏ (k steps before the last), after T steps.

    Examples
    --------
    >>> decaying_average([8.0], [[4.0], [2.0]], 0.5)
    array([4.])
    """
    ages = np.arange(len(series))[::-1]
    weighted = np.tensordot((1 - m) * m**ages, np.asarray(series, dtype=np.float64), axes=1)
    return np.asarray(m ** len(series) * np.asarray(start, dtype=np.float64) + weighted)


def _channels(x: Array) -> Array:
    return np.moveaxis(np.asarray(x), 1, 0)


def _per_channel(values: Iterable[Array], x: Array) -> Array:
    return np.asarray(list(values)).reshape(1, -1, *(1 for _ in x.shape[2:]))
