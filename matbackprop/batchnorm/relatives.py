"""Layer, instance and group norm: batch norm's normalisation along other axes.

They have one mode, for their statistics never leave a row of the batch.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import NamedTuple

from matbackprop._validation import check_count, check_flag
from matbackprop.batchnorm.affine import Cache, Gradients, transform
from matbackprop.batchnorm.arrangements import (
    Arrangement,
    group_arrangement,
    instance_arrangement,
    layer_arrangement,
)
from matbackprop.batchnorm.arrays import AnyArray
from matbackprop.batchnorm.door import admit, check_weights
from matbackprop.batchnorm.options import BatchNorm
from matbackprop.batchnorm.steps import by_its_own_moments, checked_backward
from matbackprop.errors import OptionError, ShapeError

_REMEDY = "Normalise more features, positions or channels together."


class Normed(NamedTuple):
    """What a forward pass without running statistics returns."""

    Y: AnyArray
    cache: Cache


class _OneMode(ABC):
    """Forward and backward; a layer adds what it takes, and what it normalises together."""

    __slots__ = ()
    eps: float
    affine: bool

    def forward(
        self, X: AnyArray, gamma: AnyArray | None = None, beta: AnyArray | None = None
    ) -> Normed:
        """Return Y and the cache; errors as in `BatchNormLayer.forward`."""
        call = f"{type(self).__name__}.forward(X, gamma, beta)"
        X = self._admitted(X, call)
        shape, weights = tuple(X.shape), self._weights
        gamma, beta = check_weights(X, gamma, beta, weights, affine=self.affine, call=call)
        arrangement = self._arrangement(shape)
        b, _ = by_its_own_moments(X, arrangement, self.eps, call=call, remedy=_REMEDY)
        cache = Cache(b, gamma, shape, arrangement)
        return Normed(transform(cache, beta), cache)

    def backward(self, dY: AnyArray, cache: Cache, /) -> Gradients:
        """Return ∂L/∂X, ∂L/∂γ, ∂L/∂β; errors as in `BatchNormLayer.backward`."""
        call = f"{type(self).__name__}.backward(dY, cache)"
        return checked_backward(dY, cache, call=call, belongs=self._left)

    def _left(self, cache: Cache) -> bool:
        fits = self.affine == (cache.gamma is not None) and self._fits(cache.shape)
        return fits and cache.arrangement == self._arrangement(cache.shape)

    @property
    @abstractmethod
    def _weights(self) -> tuple[int, ...]:
        """The shape of γ and β."""

    @abstractmethod
    def _fits(self, shape: tuple[int, ...]) -> bool:
        """Whether X of that shape could have gone through this layer."""

    @abstractmethod
    def _admitted(self, X: AnyArray, call: str) -> AnyArray:
        """Return X after checking its shape."""

    @abstractmethod
    def _arrangement(self, shape: tuple[int, ...]) -> Arrangement:
        """Return what is normalised together."""


@dataclass(frozen=True, slots=True)
class LayerNormLayer(_OneMode):
    """Layer norm of (…, features): each row normalised over its own features.

    Parameters
    ----------
    features
        How many, or the shape of the last axes: γ and β have this shape.
    eps
        Added to the (biased) variance.
    affine
        Whether there are γ and β.

    References
    ----------
    Ba, Kiros and Hinton (2016), *Layer Normalization*.

    Examples
    --------
    >>> import numpy as np
    >>> Y, cache = LayerNormLayer(3, eps=0.0, affine=False).forward(np.array([[1.0, 2.0, 3.0]]))
    >>> Y.round(6)
    array([[-1.224745,  0.      ,  1.224745]])
    """

    features: int | tuple[int, ...]
    eps: float = 1e-5
    affine: bool = True

    def __post_init__(self) -> None:
        call = "LayerNormLayer(features, eps, affine)"
        for size in self.shape or (0,):  # no features at all are too few
            check_count(size, call=call, name="features")
        check_flag(self.affine, call=call, name="affine")
        BatchNorm(eps=self.eps)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of γ and β."""
        return self.features if isinstance(self.features, tuple) else (self.features,)

    @property
    def _weights(self) -> tuple[int, ...]:
        return self.shape

    def _fits(self, shape: tuple[int, ...]) -> bool:
        return shape[-len(self.shape) :] == self.shape

    def _admitted(self, X: AnyArray, call: str) -> AnyArray:
        X = admit(X, call=call, name="X")
        if not self._fits(tuple(X.shape)):
            raise ShapeError(
                f"`{call}` needs X of shape (…, {', '.join(map(str, self.shape))}); "
                f"got {tuple(X.shape)}."
            )
        return X

    def _arrangement(self, shape: tuple[int, ...]) -> Arrangement:
        return layer_arrangement(shape, self.shape)


@dataclass(frozen=True, slots=True)
class InstanceNormLayer(_OneMode):
    """Instance norm of (N, C, …): each channel of each row normalised over its own positions.

    Parameters
    ----------
    features
        C; γ and β have shape (C,).
    eps
        Added to the (biased) variance.
    affine
        Whether there are γ and β.

    References
    ----------
    Ulyanov, Vedaldi and Lempitsky (2016), *Instance Normalization*.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[[1.0, 3.0]], [[5.0, 9.0]]])
    >>> InstanceNormLayer(1, eps=0.0, affine=False).forward(X).Y.ravel()
    array([-1.,  1., -1.,  1.])
    """

    features: int
    eps: float = 1e-5
    affine: bool = True

    def __post_init__(self) -> None:
        call = "InstanceNormLayer(features, eps, affine)"
        check_count(self.features, call=call, name="features")
        check_flag(self.affine, call=call, name="affine")
        BatchNorm(eps=self.eps)

    @property
    def _weights(self) -> tuple[int, ...]:
        return (self.features,)

    def _fits(self, shape: tuple[int, ...]) -> bool:
        return shape[1:2] == self._weights

    def _admitted(self, X: AnyArray, call: str) -> AnyArray:
        X = admit(X, call=call, name="X", channels=self.features)
        if X.ndim == 2:
            raise ShapeError(f"`{call}` needs X of shape (N, C, …); got {tuple(X.shape)}.")
        return X

    def _arrangement(self, shape: tuple[int, ...]) -> Arrangement:
        return instance_arrangement(shape)


@dataclass(frozen=True, slots=True)
class GroupNormLayer(_OneMode):
    """Group norm of (N, C, …): each row normalised within groups of neighbouring channels.

    Parameters
    ----------
    groups
        How many groups; divides C. With 1 it is layer norm over (C, …), with C instance norm.
    features
        C; γ and β have shape (C,).
    eps
        Added to the (biased) variance.
    affine
        Whether there are γ and β.

    Raises
    ------
    OptionError
        If the groups do not divide the channels.

    References
    ----------
    Wu and He (2018), *Group Normalization*.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[1.0, 3.0, 5.0, 9.0]])
    >>> GroupNormLayer(2, 4, eps=0.0, affine=False).forward(X).Y
    array([[-1.,  1., -1.,  1.]])
    """

    groups: int
    features: int
    eps: float = 1e-5
    affine: bool = True

    def __post_init__(self) -> None:
        call = "GroupNormLayer(groups, features, eps, affine)"
        check_count(self.groups, call=call, name="groups")
        check_count(self.features, call=call, name="features")
        check_flag(self.affine, call=call, name="affine")
        BatchNorm(eps=self.eps)
        if self.features % self.groups:
            raise OptionError(
                f"`{call}` needs groups that divide the features; got {self.groups} groups of "
                f"{self.features} channels."
            )

    @property
    def _weights(self) -> tuple[int, ...]:
        return (self.features,)

    def _fits(self, shape: tuple[int, ...]) -> bool:
        return shape[1:2] == self._weights

    def _admitted(self, X: AnyArray, call: str) -> AnyArray:
        return admit(X, call=call, name="X", channels=self.features)

    def _arrangement(self, shape: tuple[int, ...]) -> Arrangement:
        return group_arrangement(shape, self.groups)
