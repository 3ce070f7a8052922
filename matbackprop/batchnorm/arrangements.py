"""What is normalised together: the one thing in which batch, layer, instance and group differ."""

from __future__ import annotations

from dataclasses import dataclass

from matbackprop.batchnorm.arrays import Axes


@dataclass(frozen=True, slots=True)
class Arrangement:
    """How the entries of an array are normalised and weighted.

    Parameters
    ----------
    view
        The shape as which the array is seen.
    axes
        The axes of the view along which μ and σ are taken.
    weights
        The shape of γ and β within the view: 1 along each axis on which they do not depend.
    """

    view: tuple[int, ...]
    axes: Axes
    weights: tuple[int, ...]

    @property
    def uniform(self) -> bool:
        """Whether γ and β are the same for all entries that are normalised together."""
        return all(self.weights[axis] == 1 for axis in self.axes)

    @property
    def free(self) -> Axes:
        """The axes of the view on which γ and β do not depend: their gradients sum over these."""
        return tuple(axis for axis, size in enumerate(self.weights) if size == 1)


def batch_arrangement(shape: tuple[int, ...], /) -> Arrangement:
    """(N, C, …): together is what has the same channel.

    Examples
    --------
    >>> batch_arrangement((8, 3, 5, 5))
    Arrangement(view=(8, 3, 5, 5), axes=(0, 2, 3), weights=(1, 3, 1, 1))
    """
    inner = len(shape) - 2
    return Arrangement(shape, (0, *range(2, len(shape))), (1, shape[1], *[1] * inner))


def layer_arrangement(shape: tuple[int, ...], features: tuple[int, ...], /) -> Arrangement:
    """(…, features): together is what belongs to one row; γ and β have a value a feature.

    Examples
    --------
    >>> layer_arrangement((8, 5), (5,))
    Arrangement(view=(8, 5), axes=(1,), weights=(1, 5))
    """
    outer = len(shape) - len(features)
    return Arrangement(shape, tuple(range(outer, len(shape))), (*[1] * outer, *features))


def instance_arrangement(shape: tuple[int, ...], /) -> Arrangement:
    """(N, C, …): together is what has the same row and channel.

    Examples
    --------
    >>> instance_arrangement((8, 3, 5, 5)).axes
    (2, 3)
    """
    inner = len(shape) - 2
    return Arrangement(shape, tuple(range(2, len(shape))), (1, shape[1], *[1] * inner))


def group_arrangement(shape: tuple[int, ...], groups: int, /) -> Arrangement:
    """(N, C, …): together is what has the same row and group of neighbouring channels.

    Examples
    --------
    >>> group_arrangement((8, 6, 5), 2)
    Arrangement(view=(8, 2, 3, 5), axes=(2, 3), weights=(1, 2, 3, 1))
    """
    N, C, *inner = shape
    view = (N, groups, C // groups, *inner)
    return Arrangement(view, tuple(range(2, len(view))), (1, *view[1:3], *[1] * len(inner)))
