"""The torch note's first half: the gradient by the full chain rule, step by step."""

from __future__ import annotations

from functools import partial

import numpy as np

from matbackprop._typing import Array
from matbackprop.differences import complex_step
from matbackprop.verification.claims.claim import Claim, Trial, weigh
from matbackprop.verification.claims.definition import (
    affine,
    batch_norm,
    batch_normalised,
    mean,
    normalised,
    variance,
)
from matbackprop.verification.claims.draw import Draw, differential, pulled_back
from matbackprop.verification.claims.torch_note_batch import ChannelBatch, channel_batch, total


def _dbeta(draw: Draw) -> Trial:
    b = channel_batch(draw)
    truth = pulled_back(lambda beta: batch_norm(b.x, b.gamma, beta, b.eps), b.beta, b.dy)
    return weigh(truth, lambda: total(b.dy))


def _true_dgamma(b: ChannelBatch) -> Array:
    return pulled_back(lambda gamma: batch_norm(b.x, gamma, b.beta, b.eps), b.gamma, b.dy)


def _dgamma(draw: Draw) -> Trial:
    b = channel_batch(draw)
    return weigh(_true_dgamma(b), lambda: total(b.dy * batch_normalised(b.x, b.eps)))


def _affine_partials(draw: Draw) -> Trial:
    b = channel_batch(draw)
    xhat, ones = batch_normalised(b.x, b.eps), np.ones_like(b.gamma)
    truth = [
        differential(lambda gamma: affine(xhat, gamma, b.beta), b.gamma, ones),
        differential(lambda beta: affine(xhat, b.gamma, beta), b.beta, ones),
    ]
    return weigh(truth, lambda: [xhat, np.ones_like(xhat)])


def _sum_for_beta(draw: Draw) -> Trial:
    b = channel_batch(draw)
    truth = pulled_back(lambda beta: batch_norm(b.x, b.gamma, beta, b.eps), b.beta, b.dy)
    return weigh(
        truth,
        lambda: np.full_like(b.beta, b.dy.sum()),
        conditioned=(truth, lambda: total(b.dy)),
    )


def _sum_for_gamma(draw: Draw) -> Trial:
    b = channel_batch(draw)
    truth, product = _true_dgamma(b), b.dy * batch_normalised(b.x, b.eps)
    return weigh(
        truth,
        lambda: np.full_like(b.gamma, product.sum()),
        conditioned=(truth, lambda: total(product)),
    )


def _reach(draw: Draw) -> Trial:
    b = channel_batch(draw)
    jacobian = complex_step(lambda x: batch_normalised(x, b.eps), b.x)
    channel = np.broadcast_to(np.arange(b.x.shape[1]).reshape(b.gamma.shape), b.x.shape)
    own = channel.ravel(order="F")
    return weigh(np.abs(jacobian) > 1e-12, lambda: own[:, None] == own)


def _chain_rule(draw: Draw) -> Trial:
    b = channel_batch(draw)
    x, mu, var, one = b.x, b.mu, b.variance, np.ones_like(b.gamma)

    def printed() -> Array:
        direct = differential(lambda v: normalised(v, mu, var, b.eps), x, np.ones_like(x))
        of_mu = differential(lambda v: normalised(x, v, var, b.eps), mu, one)
        of_var = differential(lambda v: normalised(x, mu, v, b.eps), var, one)
        mu_of_x, var_of_x = pulled_back(mean, x, one), pulled_back(variance, x, one)
        through_mu = total(b.dxhat * of_mu) * mu_of_x
        return b.dxhat * direct + through_mu + total(b.dxhat * of_var) * var_of_x

    return weigh(b.true_dx(), printed)


def _dxhat(draw: Draw) -> Trial:
    b = channel_batch(draw)
    return weigh(b.dxhat, lambda: b.dy * b.gamma)


def _first_term(draw: Draw) -> Trial:
    b = channel_batch(draw)
    truth = pulled_back(lambda x: normalised(x, b.mu, b.variance, b.eps), b.x, b.dxhat)
    return weigh(
        truth,
        lambda: b.gamma * b.dy,
        corrected=lambda: b.gamma * b.dy / np.sqrt(b.variance + b.eps),
    )


def _mu_of_x(draw: Draw) -> Trial:
    b = channel_batch(draw)
    truth = pulled_back(mean, b.x, np.ones_like(b.gamma))
    return weigh(truth, lambda: np.full(b.x.shape, 1 / b.m))


def _xhat_of_mu(draw: Draw) -> Trial:
    b = channel_batch(draw)
    truth = differential(
        lambda mu: normalised(b.x, mu, b.variance, b.eps), b.mu, np.ones_like(b.mu)
    )
    return weigh(truth, lambda: np.broadcast_to(-1 / np.sqrt(b.variance + b.eps), b.x.shape))


def _second_term(draw: Draw) -> Trial:
    b = channel_batch(draw)
    truth = pulled_back(lambda x: normalised(b.x, mean(x), b.variance, b.eps), b.x, b.dxhat)
    spread = np.ones_like(b.x)
    return weigh(
        truth,
        lambda: spread * total(b.dxhat) / b.m,
        corrected=lambda: -spread * total(b.dxhat) / (b.m * np.sqrt(b.variance + b.eps)),
    )


def _variance_of_x(draw: Draw) -> Trial:
    b = channel_batch(draw)
    truth = pulled_back(variance, b.x, np.ones_like(b.gamma))
    return weigh(truth, lambda: 2 * (b.x - b.mu) / b.m)


def _xhat_of_variance(draw: Draw) -> Trial:
    b = channel_batch(draw)
    one = np.ones_like(b.gamma)
    truth = differential(lambda var: normalised(b.x, b.mu, var, b.eps), b.variance, one)
    return weigh(truth, lambda: -(b.x - b.mu) * (b.variance + b.eps) ** -1.5 / 2)


def _terms_put_in(draw: Draw) -> Trial:
    b = channel_batch(draw)
    s, centred = np.sqrt(b.variance + b.eps), b.x - b.mu
    third = total(-b.dxhat * centred * s**-3 / 2) * 2 * centred / b.m
    return weigh(
        b.true_dx(),
        lambda: b.gamma * b.dy + total(b.dxhat) / b.m + third,
        corrected=lambda: b.dxhat / s - total(b.dxhat) / (b.m * s) + third,
    )


def _dvariance(draw: Draw) -> Trial:
    b = channel_batch(draw)
    truth = pulled_back(lambda var: normalised(b.x, b.mu, var, b.eps), b.variance, b.dxhat)
    return weigh(truth, lambda: total(b.dxhat * -(b.x - b.mu) / 2 * (b.variance + b.eps) ** -1.5))


def _dmu(draw: Draw) -> Trial:
    b = channel_batch(draw)

    def following(mu: Array) -> Array:
        return normalised(b.x, mu, variance(b.x, mu), b.eps)

    truth = pulled_back(following, b.mu, b.dxhat)
    return weigh(truth, lambda: total(b.dxhat * -1 / np.sqrt(b.variance + b.eps)))


def full_formula(b: ChannelBatch) -> Array:
    """Evaluate the first half's formula for ∂L/∂x, the one with (σ² + ε)^(3/2)."""
    centred, v = b.x - b.mu, b.variance + b.eps
    first = (b.dxhat - total(b.dxhat) / b.m) / np.sqrt(v)
    return first - centred / (b.m * v**1.5) * total(centred * b.dxhat)


def _dx(draw: Draw) -> Trial:
    b = channel_batch(draw)
    return weigh(b.true_dx(), lambda: full_formula(b))


_claim = partial(Claim, source="torch note")
_GRADIENTS = "first half, section 2"
_STEP = "complex step through that step alone; random ranks 2 to 5"
_LAYER = "complex step through the whole layer, channel by channel; random ranks 2 to 5"

CHAIN = (
    _claim(
        key="torch note/dbeta",
        place="first half, section 1; second half, section 1",
        says="∂L/∂β = Σᵢ ∂L/∂yᵢ, over every axis but the channel's",
        how=_LAYER,
        experiment=_dbeta,
    ),
    _claim(
        key="torch note/dgamma",
        place="first half, section 1; second half, section 1",
        says="∂L/∂γ = Σᵢ ∂L/∂yᵢ x̂ᵢ, over every axis but the channel's",
        how=_LAYER,
        experiment=_dgamma,
    ),
    _claim(
        key="torch note/affine partials",
        place="first half, section 1, inside both formulas",
        says="∂yᵢ/∂γ = x̂ᵢ and ∂yᵢ/∂β = 1",
        how=_STEP,
        experiment=_affine_partials,
    ),
    _claim(
        key="torch note/sum for beta",
        place="first half, section 1, code, line 1 (printed twice)",
        says="∂L/∂β is the sum of all entries of ∂L/∂y, no axes named",
        how=f"{_LAYER}. The one number is put in every channel, to give the error a size",
        experiment=_sum_for_beta,
        only_if="the sum runs over every axis but the channel's",
    ),
    _claim(
        key="torch note/sum for gamma",
        place="first half, section 1, code, line 2",
        says="∂L/∂γ is the sum of all entries of ∂L/∂y ⊙ x̂, no axes named",
        how=f"{_LAYER}. The one number is put in every channel, to give the error a size",
        experiment=_sum_for_gamma,
        only_if="the sum runs over every axis but the channel's",
    ),
    _claim(
        key="torch note/reach",
        place=f"{_GRADIENTS}, opening",
        says="through μ and σ², xᵢ moves every x̂ⱼ (of its channel, and of no other)",
        how="which entries of ∂vec(x̂)/∂vec(x)ᵀ, by complex step, are not zero",
        experiment=_reach,
    ),
    _claim(
        key="torch note/chain rule",
        place=f"{_GRADIENTS}, opening formula",
        says="∂L/∂xᵢ = ∂L/∂x̂ᵢ ∂x̂ᵢ/∂xᵢ + Σⱼ ∂L/∂x̂ⱼ (∂x̂ⱼ/∂μ ∂μ/∂xᵢ + ∂x̂ⱼ/∂σ² ∂σ²/∂xᵢ), where "
        "∂x̂ᵢ/∂xᵢ holds μ and σ² fixed",
        how=f"{_LAYER}; each factor on the right by a complex step of its own",
        experiment=_chain_rule,
    ),
    _claim(
        key="torch note/dxhat",
        place="first half, section 2, first term and step 1; second half, section 2",
        says="∂L/∂x̂ᵢ = ∂L/∂yᵢ γ",
        how=_STEP,
        experiment=_dxhat,
    ),
    _claim(
        key="torch note/first term",
        place=f"{_GRADIENTS}, first term",
        says="the first of the three terms, ∂L/∂x̂ᵢ ∂x̂ᵢ/∂xᵢ, comes to γ ∂L/∂yᵢ",
        how="complex step through x̂ with μ and σ² fixed. To the letter: under its heading the "
        "note gives ∂L/∂x̂ᵢ only, and of ∂x̂ᵢ/∂xᵢ it says nothing",
        experiment=_first_term,
        corrected="γ ∂L/∂yᵢ /√(σ² + ε)",
    ),
    _claim(
        key="torch note/mean of x",
        place="first half, section 2, second term; second half, section 3",
        says="∂μ/∂xᵢ = 1/m",
        how=_STEP,
        experiment=_mu_of_x,
    ),
    _claim(
        key="torch note/xhat of mean",
        place=f"{_GRADIENTS}, second term",
        says="∂x̂ⱼ/∂μ = −1/√(σ² + ε), σ² fixed",
        how=_STEP,
        experiment=_xhat_of_mu,
    ),
    _claim(
        key="torch note/second term",
        place=f"{_GRADIENTS}, second term, conclusion",
        says="Σⱼ ∂L/∂x̂ⱼ ∂x̂ⱼ/∂μ ∂μ/∂xᵢ = (1/m) Σⱼ ∂L/∂x̂ⱼ",
        how="complex step through x̂ with only the x inside μ moving; random ranks 2 to 5",
        experiment=_second_term,
        corrected="−(1/m) Σⱼ ∂L/∂x̂ⱼ /√(σ² + ε)",
    ),
    _claim(
        key="torch note/variance of x",
        place="first half, section 2, third term (twice); second half, section 3, last line",
        says="∂σ²/∂xᵢ = 2(xᵢ − μ)/m",
        how="complex step through the variance, μ moving with x; random ranks 2 to 5",
        experiment=_variance_of_x,
    ),
    _claim(
        key="torch note/xhat of variance",
        place=f"{_GRADIENTS}, third term",
        says="∂x̂ⱼ/∂σ² = −½(xⱼ − μ)(σ² + ε)^(−3/2)",
        how=_STEP,
        experiment=_xhat_of_variance,
    ),
    _claim(
        key="torch note/terms put in",
        place=f"{_GRADIENTS}, after the third term",
        says="∂L/∂xᵢ is the sum of the three terms as computed: γ ∂L/∂yᵢ, (1/m) Σⱼ ∂L/∂x̂ⱼ, and "
        "the sum over j of the factors of the third",
        how=f"{_LAYER}. To the letter; only the factors of the third term, which the note leaves "
        "side by side, are multiplied and summed as its chain rule says",
        experiment=_terms_put_in,
        corrected="∂L/∂xᵢ = ∂L/∂x̂ᵢ/√(σ² + ε) − (1/m) Σⱼ ∂L/∂x̂ⱼ/√(σ² + ε) + ∂L/∂σ² · 2(xᵢ − μ)/m",
    ),
    _claim(
        key="torch note/dvariance",
        place=f"{_GRADIENTS}, step 2 (printed twice)",
        says="∂L/∂σ² = Σᵢ ∂L/∂x̂ᵢ (−½)(xᵢ − μ)(σ² + ε)^(−3/2)",
        how=_STEP,
        experiment=_dvariance,
    ),
    _claim(
        key="torch note/dmean",
        place=f"{_GRADIENTS}, step 3 (printed twice)",
        says="∂L/∂μ = −Σᵢ ∂L/∂x̂ᵢ /√(σ² + ε)",
        how="complex step through x̂ in μ, the σ² inside following μ: at the mean it adds nothing",
        experiment=_dmu,
    ),
    _claim(
        key="torch note/dx",
        place=f"{_GRADIENTS}, step 4 (printed twice), and the remark that sums and broadcasting do",
        says="∂L/∂xᵢ = (∂L/∂x̂ᵢ − (1/m)Σⱼ ∂L/∂x̂ⱼ)/√(σ² + ε) "
        "− (xᵢ − μ)/(m(σ² + ε)^(3/2)) Σⱼ (xⱼ − μ) ∂L/∂x̂ⱼ",
        how=f"{_LAYER}; the formula by sums over axes and broadcasting, as the note suggests",
        experiment=_dx,
    ),
)
