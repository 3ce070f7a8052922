"""The course note's formulas, forward and back; its products are of equal rows, entry by entry."""

from functools import partial

import numpy as np

from matbackprop._typing import Array
from matbackprop.verification.claims.claim import Claim, Trial, weigh
from matbackprop.verification.claims.definition import (
    affine,
    batch_normalised,
    mean,
    normalised,
    variance,
)
from matbackprop.verification.claims.draw import Batch, Draw, pulled_back


def _moments(b: Batch) -> tuple[Array, Array]:
    """Return μ and σ², (D,)."""
    return mean(b.X)[0], variance(b.X)[0]


def _off_mean(draw: Draw) -> tuple[Batch, Array, Array, Array]:
    """Draw a batch, any μ, the σ² around it, and ∂L/∂X̂: at the mean a part of ∂L/∂μ vanishes."""
    b = draw.batch()
    mu = mean(b.X)[0] + draw.matrix(b.X.shape[1])
    return b, mu, variance(b.X, mu)[0], draw.matrix(*b.X.shape)


def _mean(draw: Draw) -> Trial:
    b = draw.batch()
    return weigh(mean(b.X)[0], lambda: sum(b.X) / len(b.X))


def _variance(draw: Draw) -> Trial:
    b = draw.batch()
    mu, truth = _moments(b)
    return weigh(truth, lambda: sum((x - mu) ** 2 for x in b.X) / len(b.X))


def _normalisation(draw: Draw) -> Trial:
    b = draw.batch()
    mu, var = _moments(b)
    return weigh(
        batch_normalised(b.X, b.eps), lambda: [(x - mu) / np.sqrt(var + b.eps) for x in b.X]
    )


def _scale_and_shift(draw: Draw) -> Trial:
    b = draw.batch()
    Xhat = batch_normalised(b.X, b.eps)
    return weigh(affine(Xhat, b.gamma, b.beta), lambda: [b.gamma * x + b.beta for x in Xhat])


def _summed_for_beta(b: Batch) -> Array:
    return np.asarray(sum(b.dY))


def _summed_for_gamma(b: Batch) -> Array:
    Xhat = batch_normalised(b.X, b.eps)
    return np.asarray(sum(dy * x for dy, x in zip(b.dY, Xhat, strict=True)))


def _dimensions(draw: Draw) -> Trial:
    b = draw.batch()
    return weigh(
        [b.gamma.shape, b.beta.shape],
        lambda: [_summed_for_gamma(b).shape, _summed_for_beta(b).shape],
    )


def _beta(draw: Draw) -> Trial:
    b = draw.batch()
    Xhat = batch_normalised(b.X, b.eps)
    truth = pulled_back(lambda beta: affine(Xhat, b.gamma, beta), b.beta, b.dY)
    return weigh(truth, lambda: _summed_for_beta(b))


def _gamma(draw: Draw) -> Trial:
    b = draw.batch()
    Xhat = batch_normalised(b.X, b.eps)
    truth = pulled_back(lambda gamma: affine(Xhat, gamma, b.beta), b.gamma, b.dY)
    return weigh(truth, lambda: _summed_for_gamma(b))


def _Xhat(draw: Draw) -> Trial:
    b = draw.batch()
    Xhat = batch_normalised(b.X, b.eps)
    truth = pulled_back(lambda v: affine(v, b.gamma, b.beta), Xhat, b.dY)
    return weigh(truth, lambda: [dy * b.gamma for dy in b.dY])


def _sigma(draw: Draw) -> Trial:
    b, mu, var, dXhat = _off_mean(draw)
    truth = pulled_back(lambda v: normalised(b.X, mu, v, b.eps), var, dXhat)
    pairs = list(zip(dXhat, b.X, strict=True))
    return weigh(truth, lambda: sum(d * (x - mu) * -0.5 * (var + b.eps) ** -1.5 for d, x in pairs))


def _mu(draw: Draw) -> Trial:
    b, mu, var, dXhat = _off_mean(draw)
    dvar = pulled_back(lambda v: normalised(b.X, mu, v, b.eps), var, dXhat)
    truth = pulled_back(lambda m: normalised(b.X, m, variance(b.X, m), b.eps), mu, dXhat)
    direct = sum(d * (-1 / np.sqrt(var + b.eps)) for d in dXhat)
    return weigh(truth, lambda: direct + dvar * (-2 / len(b.X) * sum(x - mu for x in b.X)))


def _x(draw: Draw) -> Trial:
    b = draw.batch()
    mu, var = _moments(b)
    N, dXhat = len(b.X), draw.matrix(*b.X.shape)
    dvar = pulled_back(lambda v: normalised(b.X, mu, v, b.eps), var, dXhat)
    dmu = pulled_back(lambda m: normalised(b.X, m, variance(b.X, m), b.eps), mu, dXhat)
    pairs = list(zip(dXhat, b.X, strict=True))
    return weigh(
        pulled_back(lambda X: batch_normalised(X, b.eps), b.X, dXhat),
        lambda: [d / np.sqrt(var + b.eps) + dvar * (2 * (x - mu) / N) + dmu / N for d, x in pairs],
    )


_claim = partial(Claim, source="course note")
_FORWARD, _BACKWARD = "Forward pass", "Backward pass"
_PULLED = "complex step through Y = γ ⊙ X̂ + β; products of rows read as entry by entry"
_FREE = "complex step through X̂, μ any row, so that nothing vanishes; products entry by entry"

FORMULAS = (
    _claim(
        key="course note/dimensions",
        place=f"{_FORWARD}, list of variables",
        says="x is (N, D); γ and β, and so their gradients, have D entries",
        how="the shapes of the two sums that the note prints for ∂L/∂γ and ∂L/∂β, against those of "
        "γ and β; N ≠ D",
        experiment=_dimensions,
    ),
    _claim(
        key="course note/mean",
        place=f"{_FORWARD}, 1",
        says="μ = Σᵢ xᵢ/N",
        how="the mean of each column by itself",
        experiment=_mean,
    ),
    _claim(
        key="course note/variance",
        place=f"{_FORWARD}, 2",
        says="σ² = Σᵢ(xᵢ − μ)²/N",
        how="the variance of each column by itself, divisor N; squares entry by entry",
        experiment=_variance,
    ),
    _claim(
        key="course note/normalisation",
        place=f"{_FORWARD}, 3",
        says="x̂ᵢ = (xᵢ − μ)/√(σ² + ε)",
        how="the definition, column by column; root and quotient of rows entry by entry",
        experiment=_normalisation,
    ),
    _claim(
        key="course note/scale and shift",
        place=f"{_FORWARD}, 4",
        says="yᵢ = γx̂ᵢ + β",
        how="the definition, column by column; a product of two rows read as entry by entry",
        experiment=_scale_and_shift,
    ),
    _claim(
        key="course note/gradient of beta",
        place=f"{_BACKWARD}, 1",
        says="∂L/∂β = Σᵢ ∂L/∂yᵢ",
        how=_PULLED,
        experiment=_beta,
    ),
    _claim(
        key="course note/gradient of gamma",
        place=f"{_BACKWARD}, 2",
        says="∂L/∂γ = Σᵢ ∂L/∂yᵢ · x̂ᵢ",
        how=_PULLED,
        experiment=_gamma,
    ),
    _claim(
        key="course note/gradient of xhat",
        place=f"{_BACKWARD}, 3; code, the chain rule in backward",
        says="∂L/∂x̂ᵢ = ∂L/∂yᵢ · γ",
        how=_PULLED,
        experiment=_Xhat,
    ),
    _claim(
        key="course note/gradient of the variance",
        place=f"{_BACKWARD}, 4",
        says="∂L/∂σ² = Σᵢ ∂L/∂x̂ᵢ · (xᵢ − μ) · (−½) · (σ² + ε)^(−3/2)",
        how=_FREE,
        experiment=_sigma,
    ),
    _claim(
        key="course note/gradient of the mean",
        place=f"{_BACKWARD}, 5",
        says="∂L/∂μ = Σᵢ ∂L/∂x̂ᵢ · (−1/√(σ² + ε)) + ∂L/∂σ² · (−2/N) Σᵢ(xᵢ − μ)",
        how=f"{_FREE}; σ² moves with μ",
        experiment=_mu,
    ),
    _claim(
        key="course note/gradient of x",
        place=f"{_BACKWARD}, 6",
        says="∂L/∂xᵢ = ∂L/∂x̂ᵢ/√(σ² + ε) + ∂L/∂σ² · 2(xᵢ − μ)/N + ∂L/∂μ/N",
        how="complex step through the whole normalisation, and through X̂ for ∂L/∂σ² and ∂L/∂μ; "
        "products of rows read as entry by entry",
        experiment=_x,
    ),
)
