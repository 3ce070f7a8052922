"""Data of shape (N, C, *) for the torch note's claims, and the layer by its definition."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from matbackprop._typing import Array
from matbackprop.verification.claims.draw import Draw, pulled_back

TORCH = "torch note"


class ChannelBatch(NamedTuple):
    """A batch of rank 2 to 5 with its channels on axis 1, and ∂L/∂y of a loss L = ⟨dy, y⟩.

    What the note writes per channel broadcasts here: μ, variance, γ, β are (1, C, 1, ..., 1),
    and a sum over i is `total`, over every axis but the channel's.
    """

    x: Array
    gamma: Array
    beta: Array
    dy: Array
    eps: float

    @property
    def m(self) -> int:
        """How many elements a channel has."""
        return self.x.size // self.x.shape[1]

    @property
    def mu(self) -> Array:
        """Mean of each channel."""
        return mean(self.x)

    @property
    def centred(self) -> Array:
        """The data less the mean of their channel."""
        return self.x - self.mu

    @property
    def variance(self) -> Array:
        """Variance of each channel, over m."""
        return variance(self.x)

    @property
    def root(self) -> Array:
        """The note's new σ: the root of variance plus ε."""
        return np.sqrt(self.variance + self.eps)

    @property
    def dxhat(self) -> Array:
        """∂L/∂x̂, by a complex step through y = γx̂ + β."""
        xhat = normalised(self.x, self.eps)
        return pulled_back(lambda v: self.gamma * v + self.beta, xhat, self.dy)

    def true_dx(self) -> Array:
        """∂L/∂x, by a complex step through the layer."""
        return pulled_back(lambda x: layer(x, self.gamma, self.beta, self.eps), self.x, self.dy)


def channel_batch(
    draw: Draw, *, rank: int | None = None, eps: float | None = None, affine: bool = True
) -> ChannelBatch:
    """Draw a batch whose channels differ in mean and scale; 0.1 < eps < 0.5 unless given.

    Examples
    --------
    >>> b = channel_batch(Draw(np.random.default_rng(0), r={}), rank=4)
    >>> b.x.ndim, b.gamma.shape == (1, b.x.shape[1], 1, 1)
    (4, True)
    """
    rank = draw.size(2, 5) if rank is None else rank
    # Few places, because a complex step visits each of them.
    N, C = draw.sizes(2, low=3, high=5)
    shape = (N, C, *(draw.size(2, 3) for _ in range(rank - 2)))
    per_channel = (1, C, *(1 for _ in shape[2:]))
    gamma = draw.matrix(*per_channel) if affine else np.ones(per_channel)
    return ChannelBatch(
        x=draw.matrix(*shape) * draw.positive(*per_channel) + 3 * draw.matrix(*per_channel),
        gamma=gamma,
        beta=draw.matrix(*per_channel) if affine else np.zeros(per_channel),
        dy=draw.matrix(*shape),
        eps=float(draw.rng.uniform(0.1, 0.5)) if eps is None else eps,
    )


def total(v: Array, /) -> Array:
    """Sum over every axis but the channel's, kept as an axis of length 1.

    Examples
    --------
    >>> total(np.ones((2, 3, 4))).ravel()
    array([8., 8., 8.])
    """
    return np.asarray(v.sum(axis=(0, *range(2, v.ndim)), keepdims=True))


def mean(x: Array, /) -> Array:
    """Mean of each channel, one channel after the other.

    Examples
    --------
    >>> mean(np.array([[1.0, 5.0], [3.0, 7.0]]))
    array([[2., 6.]])
    """
    return _like_gamma([channel.mean() for channel in np.moveaxis(x, 1, 0)], x)


def variance(x: Array, /) -> Array:
    """Variance of each channel, over m; written so that a complex step passes.

    Examples
    --------
    >>> variance(np.array([[1.0, 5.0], [3.0, 5.0]]))
    array([[1., 0.]])
    """
    channels = np.moveaxis(x, 1, 0)
    return _like_gamma([((v - v.mean()) ** 2).mean() for v in channels], x)


def normalised(x: Array, eps: float, /) -> Array:
    """Return every channel less its mean, over the root of its variance plus ε.

    Examples
    --------
    >>> normalised(np.array([[1.0], [3.0]]), 3.0)
    array([[-0.5],
           [ 0.5]])
    """
    channels = [
        (v - v.mean()) / np.sqrt(((v - v.mean()) ** 2).mean() + eps) for v in np.moveaxis(x, 1, 0)
    ]
    return np.stack(channels, axis=1)


def layer(x: Array, gamma: Array, beta: Array, eps: float, /) -> Array:
    """Batch norm by its definition, one channel after the other.

    Examples
    --------
    >>> layer(np.array([[1.0], [3.0]]), np.array([[4.0]]), np.array([[10.0]]), 3.0)
    array([[ 8.],
           [12.]])
    """
    channels = np.moveaxis(normalised(x, eps), 1, 0)
    pairs = zip(channels, gamma.ravel(), beta.ravel(), strict=True)
    return np.stack([g * v + b for v, g, b in pairs], axis=1)


def _like_gamma(values: list[Array], x: Array) -> Array:
    return np.asarray(values).reshape(1, -1, *(1 for _ in x.shape[2:]))
