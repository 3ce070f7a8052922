"""The derivative of the transform in a direction, and the derivative of its pullback.

Both are closed forms, exact in any direction (dX, dγ, dβ); written with dots for the direction.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from array_api_compat import array_namespace

from matbackprop.batchnorm.affine import Cache, Gradients, over_view, weight_shaped
from matbackprop.batchnorm.arrays import AnyArray, spread
from matbackprop.batchnorm.door import admit, check_same_library
from matbackprop.batchnorm.normalization import Normalized
from matbackprop.batchnorm.passes import totals
from matbackprop.errors import DtypeError, OptionError, ShapeError


def push_forward(
    dX: AnyArray, cache: Cache, /, *, gamma: AnyArray = None, beta: AnyArray = None
) -> AnyArray:
    """Return Ẏ, the derivative of Y = γ ⊙ X̂ + β in the direction (dX, dγ, dβ).

        X̂̇ = (Ẋ − mean(Ẋ) − X̂·Σ(X̂ ⊙ Ẋ)/(m − ddof))/σ,    Ẏ = γ ⊙ X̂̇ + γ̇ ⊙ X̂ + β̇

    With given moments X̂̇ = Ẋ/σ. As a matrix acting on vec(Ẋ) this is the Jacobian; its
    transpose is the pullback.

    Parameters
    ----------
    dX
        Of the shape of the data.
    cache
        From the forward pass.
    gamma, beta
        Directions of γ and β, of their shape; None for zero.

    Raises
    ------
    ShapeError, DtypeError, OptionError
        If a direction does not fit what it is a direction of, or `cache` is none.

    Examples
    --------
    >>> import numpy as np
    >>> from matbackprop.batchnorm import BatchNormLayer
    >>> X = np.array([[0.0], [1.0], [5.0]])
    >>> cache = BatchNormLayer(1, eps=0.0, affine=False).forward(X).cache
    >>> push_forward(np.ones((3, 1)), cache).ravel()  # a shift of the batch changes nothing
    array([0., 0., 0.])
    """
    dX, gamma, beta = _fitting("push_forward", cache, {"dX": dX}, {"gamma": gamma, "beta": beta})
    xp = array_namespace(dX)
    b = cache.b
    dY = _xhat_dot(xp.reshape(dX, cache.arrangement.view), b)
    if cache.gamma is not None:
        dY = dY * over_view(cache.gamma, cache)
    if gamma is not None:
        dY = dY + b.Xhat * over_view(gamma, cache)
    if beta is not None:
        dY = dY + over_view(beta, cache)
    return xp.reshape(dY, cache.shape)


def pull_back_dot(
    dY: AnyArray,
    cache: Cache,
    /,
    *,
    X: AnyArray,
    gamma: AnyArray = None,
    dY_dot: AnyArray = None,
) -> Gradients:
    """Return the derivative of `pull_back` in the direction (Ẋ, γ̇) of X and γ and Ṡ of S = ∂L/∂Y.

    With G = S ⊙ γ, k = Σ(G ⊙ X̂)/(m − ddof), σ̇ = Σ(X̂ ⊙ Ẋ)/(m − ddof) and a dot for the
    derivative, X̂̇ as in `push_forward`,

        Ġ   = Ṡ ⊙ γ + S ⊙ γ̇                k̇ = Σ(Ġ ⊙ X̂ + G ⊙ X̂̇)/(m − ddof)
        (∂L/∂X)˙ = (Ġ − mean(Ġ) − X̂̇·k − X̂·k̇ − ∂L/∂X·σ̇)/σ
        (∂L/∂γ)˙ = Σ(Ṡ ⊙ X̂ + S ⊙ X̂̇)        (∂L/∂β)˙ = ΣṠ.

    With Ṡ = 0 it is the Hessian of ⟨S, Y⟩ as a function of (X, γ), times (Ẋ, γ̇).

    Parameters
    ----------
    dY
        S, of the shape of the data.
    cache
        From the forward pass.
    X, gamma, dY_dot
        The direction: Ẋ and Ṡ of the shape of the data, γ̇ of that of γ; None for zero.

    Raises
    ------
    ShapeError, DtypeError, OptionError
        If S or a direction does not fit what it belongs to, or `cache` is none.

    Examples
    --------
    The gradient is inversely proportional to the scale of X, so along X it changes by minus itself:

    >>> import numpy as np
    >>> from matbackprop.batchnorm import BatchNormLayer
    >>> X, S = np.array([[0.0], [1.0], [5.0]]), np.array([[1.0], [0.0], [0.0]])
    >>> layer = BatchNormLayer(1, eps=0.0, affine=False)
    >>> cache = layer.forward(X).cache
    >>> bool(np.allclose(pull_back_dot(S, cache, X=X).X, -layer.backward(S, cache).X))
    True
    """
    arrays = {"dY": dY, "X": X, "dY_dot": dY_dot}
    if dY_dot is None:
        del arrays["dY_dot"]
    dY, X, *rest, gamma = _fitting("pull_back_dot", cache, arrays, {"gamma": gamma})
    dY_dot = rest[0] if rest else None
    xp = array_namespace(dY)
    b, arrangement = cache.b, cache.arrangement
    view = arrangement.view
    S, Xdot = xp.reshape(dY, view), xp.reshape(X, view)
    Sdot = xp.zeros_like(S) if dY_dot is None else xp.reshape(dY_dot, view)
    Xhat, Xhat_dot = b.Xhat, _xhat_dot(Xdot, b)

    G, Gdot = S, Sdot
    if cache.gamma is not None:
        weight = over_view(cache.gamma, cache)
        G, Gdot = S * weight, Sdot * weight
    if gamma is not None:
        Gdot = Gdot + S * over_view(gamma, cache)

    if b.divisor is None:
        dX_dot = Gdot * _spread(1 / b.sigma, b)
    else:
        k, k_dot = _mean(G * Xhat, b, b.divisor), _mean(Gdot * Xhat + G * Xhat_dot, b, b.divisor)
        sigma_dot = _mean(Xhat * Xdot, b, b.divisor)
        inverse = _spread(1 / b.sigma, b)
        dX = (G - _mean(G, b, b.count) - Xhat * k) * inverse
        dX_dot = Gdot - _mean(Gdot, b, b.count) - Xhat_dot * k - Xhat * k_dot - dX * sigma_dot
        dX_dot = dX_dot * inverse
    dX_dot = xp.reshape(dX_dot, cache.shape)
    if cache.gamma is None:
        return Gradients(dX_dot, None, None)
    dgamma_dot = totals(Sdot * Xhat + S * Xhat_dot, arrangement.free)
    dbeta_dot = totals(Sdot, arrangement.free)
    return Gradients(
        dX_dot, weight_shaped(dgamma_dot, cache.gamma), weight_shaped(dbeta_dot, cache.gamma)
    )


def _xhat_dot(Xdot: AnyArray, b: Normalized) -> AnyArray:
    if b.divisor is None:
        return Xdot * _spread(1 / b.sigma, b)
    Xhat = b.Xhat
    passed = Xdot - _mean(Xdot, b, b.count) - Xhat * _mean(Xhat * Xdot, b, b.divisor)
    return passed * _spread(1 / b.sigma, b)


def _mean(A: AnyArray, b: Normalized, divisor: int) -> AnyArray:
    """Return ΣA/divisor over what is normalised together, ready to broadcast."""
    return _spread(totals(A, b.axes) / divisor, b)


def _spread(stat: AnyArray, b: Normalized) -> AnyArray:
    return spread(stat, b.X, b.axes)


def _fitting(
    function: str,
    cache: Cache,
    arrays: Mapping[str, AnyArray],
    weights: Mapping[str, AnyArray | None],
    /,
) -> Iterator[AnyArray | None]:
    """Yield the arrays, each of the shape of the data, and the weights, of that of γ or None."""
    if not isinstance(cache, Cache):
        raise DtypeError(
            f"`{function}` needs the cache that `forward` returned; got {type(cache).__name__}."
        )
    for name, array in arrays.items():
        yield _of_shape(array, cache.shape, cache, function, name)
    for name, weight in weights.items():
        if weight is None:
            yield None
        elif cache.gamma is None:
            raise OptionError(
                f"`{function}` of a layer without gamma and beta: leave {name} out; "
                f"got {type(weight).__name__}."
            )
        else:
            yield _of_shape(weight, tuple(cache.gamma.shape), cache, function, name)


def _of_shape(
    array: AnyArray, shape: tuple[int, ...], cache: Cache, function: str, name: str
) -> AnyArray:
    array = admit(array, call=function, name=name)
    if tuple(array.shape) != shape:
        raise ShapeError(f"`{function}` needs {name} of shape {shape}; got {tuple(array.shape)}.")
    check_same_library(cache.b.X, array, call=function, names=("the data", name))
    return array
