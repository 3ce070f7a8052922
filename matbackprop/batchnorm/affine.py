"""Y = γ ⊙ X̂ + β for every arrangement, and its pullback."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from array_api_compat import array_namespace

from matbackprop.batchnorm.arrangements import Arrangement
from matbackprop.batchnorm.arrays import AnyArray, Axes, widened
from matbackprop.batchnorm.backward import pull_through, pulled
from matbackprop.batchnorm.dispatch import passes_for
from matbackprop.batchnorm.normalization import Normalized
from matbackprop.batchnorm.passes import totals


class Gradients(NamedTuple):
    """∂L/∂X, ∂L/∂γ, ∂L/∂β, each in the shape of its variable; None where there is no γ, β."""

    X: AnyArray
    gamma: AnyArray | None
    beta: AnyArray | None


@dataclass(frozen=True, slots=True, eq=False)
class Cache:
    """What a forward pass leaves for the backward pass.

    Parameters
    ----------
    b
        The normalisation, of the data seen as `arrangement.view`.
    gamma
        γ as it came, or None.
    shape
        The shape of the data.
    arrangement
        What was normalised together.
    """

    b: Normalized
    gamma: AnyArray | None
    shape: tuple[int, ...]
    arrangement: Arrangement


def transform(cache: Cache, beta: AnyArray | None, /) -> AnyArray:
    """Return Y = γ ⊙ X̂ + β, in the shape and dtype of the data; None stands for 1 and 0."""
    b, arrangement = cache.b, cache.arrangement
    passes = passes_for(b.X, b.axes)
    if cache.gamma is None:
        Y = b.Xhat
    elif arrangement.uniform:  # one pass: the two affine maps are one
        scale = along_statistics(cache.gamma, cache) / b.sigma
        offset = -b.shift * scale
        if beta is not None:
            offset = along_statistics(beta, cache) + offset
        Y = passes.scale_shift(b.X, b.pivot, scale, offset, b.axes)
    else:
        Y = b.Xhat * over_view(cache.gamma, cache)
        Y = Y if beta is None else Y + over_view(beta, cache)
    return _shaped(Y, cache.shape)


def pull_back(dY: AnyArray, cache: Cache, /) -> Gradients:
    """Return the gradients of L from ∂L/∂Y."""
    b, gamma, arrangement = cache.b, cache.gamma, cache.arrangement
    G = _shaped(dY, arrangement.view)
    if gamma is None:
        return Gradients(_shaped(pull_through(G, b), cache.shape), None, None)
    if arrangement.uniform:
        dX, dgamma, dbeta = pulled(G, b, along_statistics(gamma, cache))
        # Where γ is shared by sets that are normalised apart (instances), their parts add up.
        dgamma, dbeta = (_summed(part, cache) for part in (dgamma, dbeta))
    else:
        dX = pull_through(G * over_view(gamma, cache), b)
        dgamma, dbeta = totals(G * b.Xhat, arrangement.free), totals(G, arrangement.free)
    dX = _shaped(dX, cache.shape)
    return Gradients(dX, weight_shaped(dgamma, gamma), weight_shaped(dbeta, gamma))


def _shaped(X: AnyArray, shape: tuple[int, ...]) -> AnyArray:
    # Where nothing changes, the array itself: autograd refuses to let a view be written to.
    return X if tuple(X.shape) == shape else array_namespace(X).reshape(X, shape)


def along_statistics(weight: AnyArray, cache: Cache, /) -> AnyArray:
    """Return γ or β, wide, in a shape that broadcasts to that of the statistics."""
    xp = array_namespace(weight)
    weights = [s for axis, s in enumerate(cache.arrangement.weights) if axis not in cache.b.axes]
    return xp.reshape(widened(weight, cache.b.X), tuple(weights))


def over_view(weight: AnyArray, cache: Cache, /) -> AnyArray:
    """Return γ or β in a shape that broadcasts to that of the view, in the dtype of the data."""
    xp = array_namespace(weight)
    return xp.reshape(xp.astype(weight, cache.b.X.dtype, copy=False), cache.arrangement.weights)


def _summed(stat: AnyArray, cache: Cache) -> AnyArray:
    """Sum a statistic over the axes it keeps and γ does not depend on."""
    xp = array_namespace(stat)
    kept = [axis for axis in range(len(cache.arrangement.view)) if axis not in cache.b.axes]
    extra: Axes = tuple(
        place for place, axis in enumerate(kept) if cache.arrangement.weights[axis] == 1
    )
    return xp.sum(stat, axis=extra) if extra else stat


def weight_shaped(stat: AnyArray, gamma: AnyArray, /) -> AnyArray:
    """Return a gradient in the shape and dtype of γ."""
    xp = array_namespace(stat)
    return xp.astype(xp.reshape(stat, gamma.shape), gamma.dtype, copy=False)
