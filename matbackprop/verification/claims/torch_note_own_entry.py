"""The torch note's second half: the gradient by each entry's own derivative."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from matbackprop._typing import Array
from matbackprop.differences import complex_step
from matbackprop.verification.claims.claim import Claim, Trial, weigh
from matbackprop.verification.claims.definition import batch_norm, batch_normalised, mean, variance
from matbackprop.verification.claims.draw import Draw, pulled_back
from matbackprop.verification.claims.torch_note_batch import ChannelBatch, channel_batch, total
from matbackprop.verification.claims.torch_note_formulas import (
    RIGHT,
    last_formula,
    own_entry_formula,
)


def _root(x: Array, eps: float) -> Array:
    return np.sqrt(variance(x) + eps)


def _jacobian(b: ChannelBatch) -> Array:
    """∂vec(x̂)/∂vec(x)ᵀ by complex step."""
    return complex_step(lambda x: batch_normalised(x, b.eps), b.x)


def _own(b: ChannelBatch) -> Array:
    """∂x̂ᵢ/∂xᵢ, each entry's own derivative, by complex step."""
    return np.diag(_jacobian(b)).reshape(b.x.shape, order="F")


def _affine_off(draw: Draw) -> Trial:
    b = channel_batch(draw, affine=False)
    xhat = batch_normalised(b.x, b.eps)
    off = batch_norm(b.x, b.gamma, b.beta, b.eps)
    return weigh([off, b.dxhat], lambda: [xhat, b.dy])


def _epsilon(draw: Draw) -> Trial:
    b = channel_batch(draw, eps=1e-5)
    same = np.broadcast_to(b.mu, b.x.shape)
    at_rest = np.broadcast_to(b.beta, b.x.shape)
    centred = same - mean(same)
    return weigh(
        at_rest, lambda: b.gamma * centred / np.sqrt(total(centred**2) / b.m + b.eps) + b.beta
    )


def _new_sigma(draw: Draw) -> Trial:
    b = channel_batch(draw)
    return weigh(batch_normalised(b.x, b.eps), lambda: b.centred / b.root)


def _square_of_new_sigma(draw: Draw) -> Trial:
    b = channel_batch(draw)
    return weigh(
        b.root**2,
        lambda: total(b.centred**2) / b.m,
        conditioned=(b.variance, lambda: total(b.centred**2) / b.m),
    )


def _own_entry_only(draw: Draw) -> Trial:
    b = channel_batch(draw)
    jacobian, flat = _jacobian(b), b.dxhat.ravel(order="F")
    return weigh(
        b.true_dx(),
        lambda: b.dxhat * _own(b),
        corrected=lambda: (jacobian.T @ flat).reshape(b.x.shape, order="F"),
    )


def _own_derivative(draw: Draw) -> Trial:
    b = channel_batch(draw)
    one = np.ones_like(b.gamma)
    root_of_x = pulled_back(lambda x: _root(x, b.eps), b.x, one)
    mu_of_x = pulled_back(mean, b.x, one)
    return weigh(
        _own(b), lambda: 1 / b.root - b.centred * b.root**-2 * root_of_x - mu_of_x / b.root
    )


def _variance_step(line: Callable[[ChannelBatch, Array], Array]) -> Callable[[Draw], Trial]:
    def experiment(draw: Draw) -> Trial:
        b = channel_batch(draw)
        # About the mean itself the sum over j is 0, whatever stands before it. About a point
        # that moves with the mean, at a distance, it is not, and both lines must hold as well.
        away = draw.matrix(*b.gamma.shape)

        def about(x: Array) -> Array:
            return total((x - mean(x) - away) ** 2) / b.m

        truth = pulled_back(about, b.x, np.ones_like(b.gamma))
        return weigh(truth, lambda: line(b, b.centred - away))

    return experiment


def _variance_line_1(b: ChannelBatch, centred: Array) -> Array:
    mu_of_x = pulled_back(mean, b.x, np.ones_like(b.gamma))
    return 2 / b.m * centred - mu_of_x * total(2 * centred) / b.m


def _variance_line_2(b: ChannelBatch, centred: Array) -> Array:
    return 2 / b.m * centred - 2 / b.m**2 * total(centred)


def _root_of_x(draw: Draw) -> Trial:
    b = channel_batch(draw)
    truth = pulled_back(lambda x: _root(x, b.eps), b.x, np.ones_like(b.gamma))
    chained = pulled_back(variance, b.x, np.ones_like(b.gamma)) / (2 * b.root)
    return weigh([truth, truth], lambda: [chained, b.centred / (b.m * b.root)])


def _own_simplified(draw: Draw) -> Trial:
    b = channel_batch(draw)
    truth = _own(b)

    def printed(square: Array) -> Array:
        return (1 - b.centred**2 / (b.m * square) - 1 / b.m) / b.root

    return weigh(
        truth,
        lambda: printed(b.variance),
        conditioned=(truth, lambda: printed(b.root**2)),
    )


def _diagonal_gradient(draw: Draw) -> Trial:
    b = channel_batch(draw)
    return weigh(
        b.true_dx(),
        lambda: own_entry_formula(b.x, b.dxhat, b.eps),
        corrected=lambda: last_formula(b.x, b.dxhat, b.eps),
    )


_claim = partial(Claim, source="torch note")
_OWN = "the diagonal of ∂vec(x̂)/∂vec(x)ᵀ by complex step; random ranks 2 to 5"
_STEP = "complex step through that step alone; random ranks 2 to 5"
_LAYER = "complex step through the whole layer, channel by channel; random ranks 2 to 5"
_MOVED = (
    "complex step through the mean square about μ plus a constant, where the sum over j, "
    "which is 0 about μ, counts; random ranks 2 to 5"
)
_PLACE = "second half, section 3"

OWN_ENTRY = (
    _claim(
        key="torch note/affine off",
        place="second half, section 2",
        says="without the affine part γ = 1, y = x̂ and ∂L/∂x̂ᵢ = ∂L/∂yᵢ",
        how="the layer with γ = 1, β = 0, and a complex step through its last step",
        experiment=_affine_off,
    ),
    _claim(
        key="torch note/epsilon",
        place="second half, list of symbols",
        says="ε keeps the layer stable: a constant channel gives y = β, not 0/0",
        how="x = 1μ, whose x̂ is 0 in the limit ε → 0; ε = 1e-5",
        experiment=_epsilon,
    ),
    _claim(
        key="torch note/new sigma",
        place=f"{_PLACE}, opening",
        says="let σ be √(σ² + ε); then x̂ = (x − μ)/σ",
        how="the definition of x̂; σ is read as the new name that it is, σ² under the root as the "
        "variance",
        experiment=_new_sigma,
    ),
    _claim(
        key="torch note/square of new sigma",
        place=f"{_PLACE}, under the derivative of x̂",
        says="σ² = (1/m) Σᵢ (xᵢ − μ)², after σ = √(σ² + ε) was introduced",
        how="the square of the σ just introduced; under the condition the variance itself",
        experiment=_square_of_new_sigma,
        only_if="σ² still means the variance, not the square of the new σ",
    ),
    _claim(
        key="torch note/own entry only",
        place=f"{_PLACE}, chain rule",
        says="∂L/∂xᵢ = ∂L/∂x̂ᵢ ∂x̂ᵢ/∂xᵢ",
        how=f"{_LAYER}; ∂x̂ᵢ/∂xᵢ itself by complex step, so only the missing sum is at fault",
        experiment=_own_entry_only,
        corrected="∂L/∂xᵢ = Σⱼ ∂L/∂x̂ⱼ ∂x̂ⱼ/∂xᵢ",
    ),
    _claim(
        key="torch note/own derivative",
        place=f"{_PLACE}, derivative of x̂ᵢ (and x̂ᵢ = (xᵢ − μ)σ⁻¹ above it)",
        says="∂x̂ᵢ/∂xᵢ = σ⁻¹ − (xᵢ − μ)σ⁻² ∂σ/∂xᵢ − σ⁻¹ ∂μ/∂xᵢ, σ the new one",
        how=f"{_OWN}; ∂σ/∂xᵢ and ∂μ/∂xᵢ by complex steps of their own",
        experiment=_own_derivative,
    ),
    _claim(
        key="torch note/variance of x, line 1",
        place=f"{_PLACE}, derivative of σ², line 1",
        says="∂σ²/∂xᵢ = 2(xᵢ − μ)/m − (1/m) Σⱼ ∂μ/∂xᵢ 2(xⱼ − μ)",
        how=_MOVED,
        experiment=_variance_step(_variance_line_1),
    ),
    _claim(
        key="torch note/variance of x, line 2",
        place=f"{_PLACE}, derivative of σ², line 2",
        says="∂σ²/∂xᵢ = 2(xᵢ − μ)/m − (2/m²) Σⱼ (xⱼ − μ)",
        how=_MOVED,
        experiment=_variance_step(_variance_line_2),
    ),
    _claim(
        key="torch note/root of x",
        place=f"{_PLACE}, derivative of σ",
        says="∂σ/∂xᵢ = (1/2σ) ∂σ²/∂xᵢ = (xᵢ − μ)/(mσ), σ the new one",
        how=f"{_STEP}; both forms are compared",
        experiment=_root_of_x,
    ),
    _claim(
        key="torch note/own derivative, simplified",
        place=f"{_PLACE}, conclusion for x̂ᵢ",
        says="∂x̂ᵢ/∂xᵢ = σ⁻¹(1 − (xᵢ − μ)²/(mσ²) − 1/m)",
        how=f"{_OWN}; σ the new one, and σ² the variance, as it stands a few lines above",
        experiment=_own_simplified,
        only_if="σ² is the square of the new σ, variance plus ε",
    ),
    _claim(
        key="torch note/diagonal gradient",
        place=f"{_PLACE}, the gradient (printed twice, then once more rearranged)",
        says="∂L/∂xᵢ = ∂L/∂x̂ᵢ σ⁻¹(1 − (xᵢ − μ)²/(mσ²) − 1/m)",
        how=f"{_LAYER}. Not to the letter: σ² is read in its favour, as the square of the new σ, "
        "variance plus ε",
        experiment=_diagonal_gradient,
        corrected=RIGHT,
    ),
)
