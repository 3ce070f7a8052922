"""The staged formulation: a computational graph of small steps, walked backwards."""

from typing import NamedTuple

import numpy as np

from matbackprop._typing import Array
from matbackprop.batchnorm import BatchNorm
from matbackprop.network.door import Given, checked
from matbackprop.network.forward_pass import preactivation
from matbackprop.network.model import Network
from matbackprop.network.result import Gradient


@checked
def staged(net: Network, given: Given, inputs: bool, /) -> Gradient:
    """Return the gradients stage by stage: each needs only the derivative of one small step.

    Batch norm is cut into mean, centring, square, variance, root, reciprocal and product. Where
    a quantity is used twice, as the centred matrix is, its two gradients are added.
    """
    X, y, Gamma1, Gamma2, gamma, beta, fixed, _ = given
    N, options = len(X), net.batch_norm

    Z = preactivation(net, given)
    if options is None:
        H = Z
    else:
        stages = _normalize(Z, options) if fixed is None else _apply(Z, fixed.mu, fixed.sigma)
        H = stages.Xhat * gamma + beta
    V = net.a.value(H)
    fitted = V @ Gamma2
    residuals = y - fitted
    loss = net.c0(N) * (residuals.astype(np.float64) ** 2).sum()

    dfitted = -2 * net.c0(N) * residuals
    dGamma2 = V.T @ dfitted
    dV = dfitted @ Gamma2.T
    dH = dV * net.a.derivative(H)
    if options is None:
        dZ, dgamma, dbeta = dH, None, None
    else:
        dbeta = dH.sum(axis=0, dtype=np.float64)
        dgamma = (dH * stages.Xhat).sum(axis=0, dtype=np.float64)
        dXhat = dH * gamma
        dcentred = dXhat * stages.reciprocal
        dZ = dcentred if fixed else dcentred + _through_moments(dXhat, dcentred, stages, options)
    dGamma1 = X.T @ dZ
    dX = dZ @ Gamma1.T if inputs else None
    return Gradient(float(loss), dGamma1, dGamma2, dgamma, dbeta, dX, fitted)


class _Stages(NamedTuple):
    """What the backward walk needs of the forward one."""

    centred: Array  # Z − 1μᵀ, shape (N, p2)
    sigma: Array  # √variance, shape (p2,)
    reciprocal: Array  # 1/σ, shape (p2,)
    Xhat: Array  # centred ⊙ 1/σ, shape (N, p2)


def _normalize(Z: Array, options: BatchNorm) -> _Stages:
    mu = Z.mean(axis=0, dtype=np.float64)
    square = (Z - mu) ** 2
    variance = square.sum(axis=0) / (len(Z) - options.ddof) + options.eps
    return _apply(Z, mu, np.sqrt(variance))


def _apply(Z: Array, mu: Array, sigma: Array) -> _Stages:
    centred = Z - mu
    reciprocal = 1 / sigma
    return _Stages(centred, sigma, reciprocal, (centred * reciprocal).astype(Z.dtype, copy=False))


def _through_moments(dXhat: Array, dcentred: Array, stages: _Stages, options: BatchNorm) -> Array:
    """Return the part of ∂R/∂Z that goes by way of σ and μ."""
    N = len(dXhat)
    dreciprocal = (dXhat * stages.centred).sum(axis=0)
    dsigma = -dreciprocal / stages.sigma**2
    dvariance = dsigma / (2 * stages.sigma)
    dsquare = dvariance / (N - options.ddof)
    by_sigma = 2 * stages.centred * dsquare
    dmu = -(dcentred + by_sigma).sum(axis=0)
    return by_sigma + dmu / N
