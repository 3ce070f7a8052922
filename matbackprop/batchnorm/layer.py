"""Batch norm as a layer: options in a record, state in the caller's hands."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Real
from typing import Literal, NamedTuple, TypeAlias, get_args

from array_api_compat import array_namespace, device, is_lazy_array

from matbackprop._validation import check_count, check_flag, check_option
from matbackprop.batchnorm.affine import Cache, Gradients, transform
from matbackprop.batchnorm.arrangements import batch_arrangement
from matbackprop.batchnorm.arrays import AnyArray, constant
from matbackprop.batchnorm.centring import given_moments
from matbackprop.batchnorm.dispatch import passes_for
from matbackprop.batchnorm.door import admit, check_array, check_data, check_weights, unwarned
from matbackprop.batchnorm.normalization import Normalized
from matbackprop.batchnorm.options import BatchNorm
from matbackprop.batchnorm.running import RULES, Convention, Running, updated
from matbackprop.batchnorm.steps import by_its_own_moments, checked_backward
from matbackprop.errors import DataError, DtypeError, OptionError

Mode: TypeAlias = Literal["train", "test", "eval"]

_FORWARD = "BatchNormLayer.forward(X, gamma, beta, mode=, running=)"
_REMEDY = "Pass a larger batch, or normalise by running statistics."


class Forward(NamedTuple):
    """What a forward pass returns: Y, what the backward pass needs, and the new statistics."""

    Y: AnyArray
    cache: Cache
    running: Running | None


@dataclass(frozen=True, slots=True)
class BatchNormLayer:
    """Batch norm of (N, C) or (N, C, …): y = γ(x − μ)/√(σ² + eps) + β, channel by channel.

    In train mode μ and σ² are the mean and the (biased) variance of the batch; in test mode they
    are the running statistics, constants. Both modes have a backward pass. The layer holds
    options only: running statistics come in and go out.

    Parameters
    ----------
    features
        C, how many channels.
    eps
        Added to the variance.
    momentum
        "customary": 0.1 for the torch convention, 0.9 for the course's. A number in [0, 1]. None:
        the cumulative average over all batches.
    convention
        "torch": running = (1 − momentum)·running + momentum·batch, the variance of a batch
        unbiased (divided by m − 1), starting from mean 0 and variance 1. "course": running =
        momentum·running + (1 − momentum)·batch, biased, starting from 0 and 0.
    affine
        Whether there are γ and β.
    track
        Whether running statistics are kept; if not, test mode uses those of the batch.

    Raises
    ------
    OptionError
        If an option is unknown or out of range.

    References
    ----------
    Ioffe and Szegedy (2015), *Batch Normalization*.

    Examples
    --------
    >>> import numpy as np
    >>> layer = BatchNormLayer(2, convention="torch", momentum=0.1)
    >>> X, gamma, beta = np.array([[1.0, 0.0], [3.0, 4.0]]), np.ones(2), np.zeros(2)
    >>> Y, cache, running = layer.forward(X, gamma, beta, mode="train")
    >>> running.mean, running.variance  # 0.9·1 + 0.1·(2, 8)
    (array([0.2, 0.2]), array([1.1, 1.7]))
    >>> dX, dgamma, dbeta = layer.backward(np.array([[1.0, 0.0], [0.0, 0.0]]), cache)
    >>> dbeta
    array([1., 0.])
    >>> Y, cache, _ = layer.forward(X, gamma, beta, mode="test", running=running)
    >>> layer.backward(np.ones((2, 2)), cache).X.shape
    (2, 2)
    """

    features: int
    eps: float = 1e-5
    momentum: float | Literal["customary"] | None = "customary"
    convention: Convention = "torch"
    affine: bool = True
    track: bool = True

    def __post_init__(self) -> None:
        call = "BatchNormLayer(features, eps, momentum, convention, affine, track)"
        check_count(self.features, call=call, name="features")
        BatchNorm(eps=self.eps)
        check_option(self.convention, get_args(Convention), call=call, name="convention")
        for name in ("affine", "track"):
            check_flag(getattr(self, name), call=call, name=name)
        match self.momentum:
            case None | "customary":
                return
            case Real() if not isinstance(self.momentum, bool) and 0 <= self.momentum <= 1:
                return
            case _:
                raise OptionError(
                    f"`{call}` needs a momentum in [0, 1], None for the cumulative average, or "
                    f'"customary"; got {self.momentum!r}.'
                )

    def initial(self, X: AnyArray, /) -> Running:
        """Return the statistics before any batch, in the library, dtype and device of X."""
        xp = array_namespace(X)
        where = {"dtype": X.dtype, "device": device(X)}
        zero = xp.zeros((self.features,), **where)
        first = RULES[self.convention].first_variance
        return Running(zero, xp.full((self.features,), first, **where))

    def forward(
        self,
        X: AnyArray,
        gamma: AnyArray | None = None,
        beta: AnyArray | None = None,
        *,
        mode: Mode = "train",
        running: Running | None = None,
    ) -> Forward:
        """Return Y in the shape, dtype and library of X, the cache, and the new statistics.

        Parameters
        ----------
        X
            Shape (N, C) or (N, C, …). It is referred to by the cache: do not change it in place
            before the backward pass.
        gamma, beta
            Shape (C,); None with `affine=False`.
        mode
            "train", or "test" (which torch calls "eval").
        running
            The statistics so far. None in train mode: the initial ones.

        Raises
        ------
        ShapeError
            If X, γ, β or the statistics do not fit the layer.
        DataError
            If X is empty or not finite; if train mode meets one entry a channel, or a constant
            channel with eps = 0; if a running variance is negative.
        DtypeError
            If an array is not real, or of another library than X.
        OptionError
            If the mode is unknown; if γ, β or running statistics are missing, or not wanted.
        """
        check_option(mode, get_args(Mode), call=_FORWARD, name="mode")
        X = admit(X, call=_FORWARD, name="X", channels=self.features)
        shape = (self.features,)
        gamma, beta = check_weights(X, gamma, beta, shape, affine=self.affine, call=_FORWARD)
        running = self._statistics(X, running, mode)
        arrangement = batch_arrangement(tuple(X.shape))
        if mode == "train" or running is None:
            b, moments = by_its_own_moments(X, arrangement, self.eps, call=_FORWARD, remedy=_REMEDY)
            if running is not None:
                momentum = self.momentum
                if momentum == "customary":
                    momentum = RULES[self.convention].momentum
                with unwarned():
                    running = updated(running, moments, b.count, self.convention, momentum)
                check_data(X, running.variance, call=_FORWARD, name="X")
        else:
            b = self._by_running(X, running)
        cache = Cache(b, gamma, tuple(X.shape), arrangement)
        return Forward(transform(cache, beta), cache, running)

    def backward(self, dY: AnyArray, cache: Cache, /) -> Gradients:
        """Return ∂L/∂X, ∂L/∂γ, ∂L/∂β from ∂L/∂Y; γ and β None with `affine=False`.

        In train mode ∂L/∂X = (γ/σ)(∂L/∂Y − ∂L/∂β/m − x̂ ∂L/∂γ/m), for m entries a channel; in
        test mode, where μ and σ are constants, (γ/σ)·∂L/∂Y.

        Raises
        ------
        ShapeError, DtypeError, DataError
            If dY does not fit the cache, is of another library, or is not finite.
        """
        call = "BatchNormLayer.backward(dY, cache)"
        return checked_backward(dY, cache, call=call, belongs=self._left)

    def _left(self, cache: Cache) -> bool:
        fits = self.affine == (cache.gamma is not None) and cache.shape[1:2] == (self.features,)
        return fits and cache.arrangement == batch_arrangement(cache.shape)

    def _statistics(self, X: AnyArray, running: Running | None, mode: Mode) -> Running | None:
        if not self.track:
            if running is not None:
                raise OptionError(
                    f"`{_FORWARD}` of a layer with track=False keeps no running statistics; "
                    "leave `running` out."
                )
            return None
        if running is None:
            if mode == "train":
                return self.initial(X)
            raise OptionError(
                f'`{_FORWARD}` with mode="{mode}" needs running statistics, as a forward pass '
                "in train mode returns them; or use `BatchNormLayer(…, track=False)`."
            )
        if not isinstance(running, Running):
            raise DtypeError(
                f"`{_FORWARD}` needs running to be a `Running`; got {type(running).__name__}."
            )
        shape = (self.features,)
        mean = check_array(running.mean, X, shape, call=_FORWARD, name="running.mean")
        variance = check_array(running.variance, X, shape, call=_FORWARD, name="running.variance")
        if not is_lazy_array(variance):
            self._check_variances(variance, mode)
        return Running(constant(mean), constant(variance), running.batches)

    def _check_variances(self, variance: AnyArray, mode: Mode) -> None:
        channel = int(array_namespace(variance).argmin(variance))
        least = float(variance[channel])
        if least < 0:
            raise DataError(
                f"`{_FORWARD}` needs variances >= 0; that of channel {channel} (counted from 0) is "
                f"{least:g}."
            )
        if least == self.eps == 0 and mode != "train":
            raise DataError(
                f"`{_FORWARD}` with eps=0 divides by the root of the running variance, and that of "
                f"channel {channel} (counted from 0) is 0. Use an eps > 0."
            )

    def _by_running(self, X: AnyArray, running: Running) -> Normalized:
        axes = batch_arrangement(tuple(X.shape)).axes
        if not is_lazy_array(X):
            with unwarned():
                shown = passes_for(X, axes).totals(X, axes)
            check_data(X, shown, call=_FORWARD, name="X")
        moments = given_moments(X, running.mean, running.variance)
        sigma = array_namespace(X).sqrt(moments.variance + self.eps)
        return Normalized(X, moments.pivot, moments.shift, sigma, None, axes, self.eps)
