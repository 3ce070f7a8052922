"""The pullback walked through the graph of small steps: the specification of the closed form."""

from __future__ import annotations

from array_api_compat import array_namespace

from matbackprop.batchnorm.affine import Cache, Gradients, weight_shaped
from matbackprop.batchnorm.arrays import AnyArray, Axes, spread, widened


def staged_pull_back(dY: AnyArray, cache: Cache, /) -> Gradients:
    """Return ∂L/∂X, ∂L/∂γ, ∂L/∂β, each step needing only the derivative of one small step.

    The graph is mean, centring, square, variance, root, reciprocal, product, scale and shift:

        μ = Σx/m,  c = x − μ,  v = Σc²/(m − ddof) + eps,  σ = √v,  r = 1/σ,  x̂ = c·r,  y = γx̂ + β.

    Where a quantity is used twice, as c and x are, its gradients are added. With given moments μ
    and r are constants and nothing flows through them. The steps are computed anew from X: of the
    closed form that `pull_back` evaluates, nothing is used here.

    Parameters
    ----------
    dY
        ∂L/∂Y, of the shape of the data.
    cache
        From the forward pass of any layer: batch, layer, instance or group norm.

    References
    ----------
    Ioffe and Szegedy (2015), *Batch Normalization*, section 3.

    Examples
    --------
    >>> import numpy as np
    >>> from matbackprop.batchnorm import BatchNormLayer
    >>> layer = BatchNormLayer(1, eps=2.0)
    >>> Y, cache, _ = layer.forward(np.array([[-4.0], [4.0]]), np.array([9.0]), np.zeros(1))
    >>> dX, dgamma, dbeta = staged_pull_back(np.array([[1.0], [0.0]]), cache)
    >>> dX.ravel().round(3), dgamma.round(3), dbeta  # (9/σ)(1 − 1/2 − x̂²/2), where x̂² = 16/18
    (array([ 0.118, -0.118]), array([-0.943]), array([1.]))
    """
    b, arrangement = cache.b, cache.arrangement
    xp = array_namespace(b.X)
    X = widened(b.X, b.X)
    G = xp.reshape(widened(dY, b.X), arrangement.view)

    if b.divisor is None:
        centred, sigma = X - spread(b.mu, X, b.axes), spread(b.sigma, X, b.axes)
    else:
        centred = X - _total(X, b.axes) / b.count
        sigma = xp.sqrt(_total(centred * centred, b.axes) / b.divisor + b.eps)
    reciprocal = 1 / sigma
    Xhat = centred * reciprocal

    dbeta, dgamma = (xp.sum(part, axis=arrangement.free) for part in (G, G * Xhat))
    dXhat = G
    if cache.gamma is not None:
        dXhat = G * xp.reshape(widened(cache.gamma, X), arrangement.weights)
    dX = dcentred = dXhat * reciprocal
    if b.divisor is not None:
        dreciprocal = _total(dXhat * centred, b.axes)
        dsigma = -dreciprocal / sigma**2
        dvariance = dsigma / (2 * sigma)
        dcentred = dcentred + 2 * centred * (dvariance / b.divisor)
        dmu = -_total(dcentred, b.axes)
        dX = dcentred + dmu / b.count
    dX = xp.reshape(xp.astype(dX, b.X.dtype, copy=False), cache.shape)
    if cache.gamma is None:
        return Gradients(dX, None, None)
    return Gradients(dX, weight_shaped(dgamma, cache.gamma), weight_shaped(dbeta, cache.gamma))


def _total(A: AnyArray, axes: Axes) -> AnyArray:
    return array_namespace(A).sum(A, axis=axes, keepdims=True)
