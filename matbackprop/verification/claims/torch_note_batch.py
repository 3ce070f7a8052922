"""Data of shape (N, C, *) for the torch note's claims."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from matbackprop._typing import Array
from matbackprop.verification.claims.definition import (
    affine,
    batch_norm,
    batch_normalised,
    mean,
    variance,
)
from matbackprop.verification.claims.draw import Draw, pulled_back


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
        xhat = batch_normalised(self.x, self.eps)
        return pulled_back(lambda v: affine(v, self.gamma, self.beta), xhat, self.dy)

    def true_dx(self) -> Array:
        """∂L/∂x, by a complex step through the layer."""
        return pulled_back(
            lambda x: batch_norm(x, self.gamma, self.beta, self.eps), self.x, self.dy
        )


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
