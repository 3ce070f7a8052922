"""The torch note's second half: the gradient by each entry's own derivative, and its cures."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from matbackprop._typing import Array
from matbackprop.differences import complex_step
from matbackprop.verification.claims.claim import Claim, Trial, weigh
from matbackprop.verification.claims.draw import Draw, pulled_back
from matbackprop.verification.claims.torch_note_batch import (
    TORCH,
    ChannelBatch,
    channel_batch,
    layer,
    mean,
    normalised,
    total,
    variance,
)


def _root(x: Array, eps: float) -> Array:
    return np.sqrt(variance(x) + eps)


def _jacobian(b: ChannelBatch) -> Array:
    """∂vec(x̂)/∂vec(x)ᵀ by complex step."""
    return complex_step(lambda x: normalised(x, b.eps), b.x)


def _own(b: ChannelBatch) -> Array:
    """∂x̂ᵢ/∂xᵢ, each entry's own derivative, by complex step."""
    return np.diag(_jacobian(b)).reshape(b.x.shape, order="F")


def _own_gradient(x: Array, dxhat: Array, eps: float) -> Array:
    """Evaluate the note's simplified formula, σ² read in its favour: variance plus ε."""
    m, centred, v = _parts(x, eps)
    return dxhat / np.sqrt(v) * (1 - 1 / m - centred**2 / (m * v))


def _full_form(x: Array, dxhat: Array, eps: float, *, beside: float | None = None) -> Array:
    """Evaluate the note's last formula, γ counted once, with σ² = variance + `beside` in it."""
    m, centred, v = _parts(x, eps)
    square = v if beside is None else v - eps + beside
    projected = total(dxhat * centred) / m
    return (dxhat - total(dxhat) / m - centred / square * projected) / np.sqrt(v)


def _parts(x: Array, eps: float) -> tuple[int, Array, Array]:
    m = x.size // x.shape[1]
    centred = x - total(x) / m  # keeps float32, which one experiment needs
    return m, centred, total(centred**2) / m + eps


def _affine_off(draw: Draw) -> Trial:
    b = channel_batch(draw, affine=False)
    xhat = normalised(b.x, b.eps)
    off = layer(b.x, b.gamma, b.beta, b.eps)
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
    truth = normalised(b.x, b.eps)
    return weigh(
        truth,
        lambda: b.centred / np.sqrt(b.variance),
        conditioned=(truth, lambda: b.centred / b.root),
    )


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
        lambda: _own_gradient(b.x, b.dxhat, b.eps),
        corrected=lambda: _full_form(b.x, b.dxhat, b.eps),
    )


def _gamma_twice(draw: Draw) -> Trial:
    b = channel_batch(draw)
    return weigh(
        b.true_dx(),
        lambda: b.gamma * _full_form(b.x, b.dxhat, b.eps),
        corrected=lambda: _full_form(b.x, b.dxhat, b.eps),
    )


def _sigma_in_last_form(draw: Draw) -> Trial:
    b = channel_batch(draw)
    truth = b.true_dx()
    return weigh(
        truth,
        lambda: _full_form(b.x, b.dxhat, b.eps, beside=0.0),
        conditioned=(truth, lambda: _full_form(b.x, b.dxhat, b.eps)),
    )


def _more_stable(draw: Draw) -> Trial:
    # Many elements: in a channel of three either formula may happen to lose more.
    shape = (draw.size(8, 12), 16, draw.size(8, 12))
    x, dxhat = (draw.matrix(*shape) + centre for centre in (1000, 0))
    ratio = _digits_lost(_full_form, x, dxhat) / _digits_lost(_own_gradient, x, dxhat)
    return weigh(float(ratio < 0.5), lambda: 1.0, corrected=lambda: 0.0)


def _digits_lost(formula: Callable[[Array, Array, float], Array], *data: Array) -> float:
    """Measure how far a formula in float32 is from itself in float64, root mean squares."""
    x, dxhat = (v.astype(np.float32) for v in data)
    exact = formula(x.astype(np.float64), dxhat.astype(np.float64), 0.1)
    return float(np.linalg.norm(formula(x, dxhat, 0.1) - exact) / np.linalg.norm(exact))


def _no_cube(draw: Draw) -> Trial:
    b = channel_batch(draw, eps=0.0)
    tiny = 2.0**-360  # the cube of such a σ is below the smallest double, its square is not
    # Without ε the layer forgets the scale of x, so ∂L/∂x grows as x shrinks.
    return weigh(b.true_dx() / tiny, lambda: _full_form(tiny * b.x, b.dxhat, 0.0))


_OWN = "the diagonal of ∂vec(x̂)/∂vec(x)ᵀ by complex step; random ranks 2 to 5"
_STEP = "complex step through that step alone; random ranks 2 to 5"
_LAYER = "complex step through the whole layer, channel by channel; random ranks 2 to 5"
_MOVED = (
    "complex step through the mean square about μ plus a constant, where the sum over j, "
    "which is 0 about μ, counts; random ranks 2 to 5"
)
_PLACE = "second half, section 3"
_RIGHT = (
    "∂L/∂xᵢ = (∂L/∂x̂ᵢ − (1/m)Σⱼ ∂L/∂x̂ⱼ − (xᵢ − μ)/s² · (1/m)Σⱼ ∂L/∂x̂ⱼ (xⱼ − μ))/s, s = √(σ² + ε)"
)

OWN_ENTRY = (
    Claim(
        key="torch note/affine off",
        source=TORCH,
        place="second half, section 2",
        says="without the affine part γ = 1, y = x̂ and ∂L/∂x̂ᵢ = ∂L/∂yᵢ",
        how="the layer with γ = 1, β = 0, and a complex step through its last step",
        experiment=_affine_off,
    ),
    Claim(
        key="torch note/epsilon",
        source=TORCH,
        place="second half, list of symbols",
        says="ε keeps the layer stable: a constant channel gives y = β, not 0/0",
        how="x = 1μ, whose x̂ is 0 in the limit ε → 0; ε = 1e-5",
        experiment=_epsilon,
    ),
    Claim(
        key="torch note/new sigma",
        source=TORCH,
        place=f"{_PLACE}, opening",
        says="with σ = √(σ² + ε), x̂ = (x − μ)/σ",
        how="the definition of x̂; σ read as the root of the variance σ², as its name says",
        experiment=_new_sigma,
        only_if="the σ on the left is a new name, for the root of variance plus ε",
    ),
    Claim(
        key="torch note/square of new sigma",
        source=TORCH,
        place=f"{_PLACE}, under the derivative of x̂",
        says="σ² = (1/m) Σᵢ (xᵢ − μ)², after σ = √(σ² + ε) was introduced",
        how="the square of the σ just introduced; under the condition the variance itself",
        experiment=_square_of_new_sigma,
        only_if="σ² still means the variance, not the square of the new σ",
    ),
    Claim(
        key="torch note/own entry only",
        source=TORCH,
        place=f"{_PLACE}, chain rule",
        says="∂L/∂xᵢ = ∂L/∂x̂ᵢ ∂x̂ᵢ/∂xᵢ",
        how=f"{_LAYER}; ∂x̂ᵢ/∂xᵢ itself by complex step, so only the missing sum is at fault",
        experiment=_own_entry_only,
        corrected="∂L/∂xᵢ = Σⱼ ∂L/∂x̂ⱼ ∂x̂ⱼ/∂xᵢ",
    ),
    Claim(
        key="torch note/own derivative",
        source=TORCH,
        place=f"{_PLACE}, derivative of x̂ᵢ (and x̂ᵢ = (xᵢ − μ)σ⁻¹ above it)",
        says="∂x̂ᵢ/∂xᵢ = σ⁻¹ − (xᵢ − μ)σ⁻² ∂σ/∂xᵢ − σ⁻¹ ∂μ/∂xᵢ, σ the new one",
        how=f"{_OWN}; ∂σ/∂xᵢ and ∂μ/∂xᵢ by complex steps of their own",
        experiment=_own_derivative,
    ),
    Claim(
        key="torch note/variance of x, line 1",
        source=TORCH,
        place=f"{_PLACE}, derivative of σ², line 1",
        says="∂σ²/∂xᵢ = 2(xᵢ − μ)/m − (1/m) Σⱼ ∂μ/∂xᵢ 2(xⱼ − μ)",
        how=_MOVED,
        experiment=_variance_step(_variance_line_1),
    ),
    Claim(
        key="torch note/variance of x, line 2",
        source=TORCH,
        place=f"{_PLACE}, derivative of σ², line 2",
        says="∂σ²/∂xᵢ = 2(xᵢ − μ)/m − (2/m²) Σⱼ (xⱼ − μ)",
        how=_MOVED,
        experiment=_variance_step(_variance_line_2),
    ),
    Claim(
        key="torch note/root of x",
        source=TORCH,
        place=f"{_PLACE}, derivative of σ",
        says="∂σ/∂xᵢ = (1/2σ) ∂σ²/∂xᵢ = (xᵢ − μ)/(mσ), σ the new one",
        how=f"{_STEP}; both forms are compared",
        experiment=_root_of_x,
    ),
    Claim(
        key="torch note/own derivative, simplified",
        source=TORCH,
        place=f"{_PLACE}, conclusion for x̂ᵢ",
        says="∂x̂ᵢ/∂xᵢ = σ⁻¹(1 − (xᵢ − μ)²/(mσ²) − 1/m)",
        how=f"{_OWN}; σ the new one, and σ² the variance, as it stands a few lines above",
        experiment=_own_simplified,
        only_if="σ² is the square of the new σ, variance plus ε",
    ),
    Claim(
        key="torch note/diagonal gradient",
        source=TORCH,
        place=f"{_PLACE}, the gradient (printed twice, then once more rearranged)",
        says="∂L/∂xᵢ = ∂L/∂x̂ᵢ σ⁻¹(1 − (xᵢ − μ)²/(mσ²) − 1/m)",
        how=f"{_LAYER}; σ² read in its favour, as variance plus ε",
        experiment=_diagonal_gradient,
        corrected=_RIGHT,
    ),
    Claim(
        key="torch note/gamma twice",
        source=TORCH,
        place=f"{_PLACE}, last formula",
        says="∂L/∂xᵢ = γ/√(σ² + ε) (∂L/∂x̂ᵢ − (1/m)Σⱼ ∂L/∂x̂ⱼ − ...), where ∂L/∂x̂ = γ ∂L/∂y",
        how=f"{_LAYER}; σ² read in its favour, as variance plus ε",
        experiment=_gamma_twice,
        corrected=_RIGHT,
    ),
    Claim(
        key="torch note/sigma in the last formula",
        source=TORCH,
        place=f"{_PLACE}, last formula",
        says="the last term inside the bracket is (xᵢ − μ)/σ² · (1/m)Σⱼ ∂L/∂x̂ⱼ (xⱼ − μ)",
        how=f"{_LAYER}; γ counted once; σ² read as the variance, as under the root before it",
        experiment=_sigma_in_last_form,
        only_if="σ² is the square of the new σ, variance plus ε",
    ),
    Claim(
        key="torch note/more stable",
        source=TORCH,
        place=f"{_PLACE}, before the last formula",
        says="the last formula loses fewer digits than the one before it",
        how="both in float32 at a mean of 1000, each against itself in float64; 1 if the last "
        "loses less than half as much. It loses several times more: what they differ in is what "
        "they compute",
        experiment=_more_stable,
        corrected="0: it is no more stable, it is another quantity",
    ),
    Claim(
        key="torch note/no delicate terms",
        source=TORCH,
        place=f"{_PLACE}, after the last formula",
        says="the last formula has no term that overflows or vanishes, as (σ² + ε)^(3/2) may",
        how="γ counted once, ε = 0, x shrunk by 2^−360, where σ³ is 0 in double precision; truth: "
        "complex step at x, and the layer's indifference to scale",
        experiment=_no_cube,
    ),
)
