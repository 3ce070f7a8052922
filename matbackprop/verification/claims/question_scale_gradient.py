"""Claims of the question: the gradient for γ (Update 4), and the three taken together."""

from functools import partial

import numpy as np

from matbackprop._typing import Array
from matbackprop.differences import complex_step
from matbackprop.linalg import hadamard, kron, vec
from matbackprop.network import Parameters
from matbackprop.verification.claims.claim import Claim, Trial, weigh
from matbackprop.verification.claims.draw import Draw
from matbackprop.verification.claims.question_setting import (
    COMPACT_BETA,
    COMPACT_GAMMA,
    COMPACT_GAMMA1,
    Setting,
    compact_gradients,
    diagonal_of_XhatS,
    ones_times_S,
    random_setting,
    scale_factors,
    standardised,
    true_gradients,
)

_claim = partial(Claim, source="question")


def _normalised(draw: Draw) -> Trial:
    s = random_setting(draw)
    return weigh(standardised(s.Z), lambda: hadamard(s.Z - s.mu, 1 / s.sigma))


def _gamma_tilde(s: Setting) -> Array:
    return kron(s.gamma, s.ones)


def _slope_of_gamma_tilde(s: Setting) -> Array:
    """Return ∂R/∂γ̃ by a complex step, γ̃ an N × p2 matrix whose entries move one by one."""
    y, shift = s.y.reshape(-1, 1), kron(s.beta, s.ones)

    def R(gamma_tilde: Array) -> Array:
        return ((y - s.net.a.value(gamma_tilde * s.Xhat + shift) @ s.Gamma2) ** 2).sum()

    return complex_step(R, _gamma_tilde(s))


def _gamma_chain_rule(draw: Draw) -> Trial:
    s = random_setting(draw)
    J = complex_step(lambda gamma_tilde: gamma_tilde * s.Xhat, _gamma_tilde(s))
    return weigh(
        _slope_of_gamma_tilde(s),
        lambda: J @ s.S,
        corrected=lambda: (vec(s.S) @ J).reshape(s.S.shape, order="F"),
    )


def _gamma_loop(draw: Draw) -> Trial:
    s = random_setting(draw)
    p2 = s.Z.shape[1]

    def entry(i: int, between: Array) -> float:
        return (s.Xhat[:, [i]].T @ between @ s.S[:, [i]]).item()

    def printed() -> list[list[float]]:
        return [[entry(i, np.diag(_gamma_tilde(s)[:, i])) for i in range(p2)]]

    truth = s.gradient("gamma")
    return weigh(
        truth, printed, corrected=lambda: [[entry(i, np.eye(len(s.X))) for i in range(p2)]]
    )


def _posed_for_gamma(s: Setting) -> Array:
    """Return X̂ᵀ(S ⊙ γ̃), (p2, p2)."""
    return s.Xhat.T @ hadamard(s.S, _gamma_tilde(s))


def _gamma_matrix(draw: Draw) -> Trial:
    s = random_setting(draw)
    return weigh(
        _slope_of_gamma_tilde(s),
        lambda: _posed_for_gamma(s),
        corrected=lambda: hadamard(s.Xhat, s.S),
    )


def _gamma_diagonal(draw: Draw) -> Trial:
    s = random_setting(draw)
    neutral = _with_neutral_gamma(s)
    return weigh(
        s.gradient("gamma"),
        lambda: np.diag(_posed_for_gamma(s)).reshape(1, -1),
        conditioned=(
            neutral.gradient("gamma"),
            lambda: np.diag(_posed_for_gamma(neutral)).reshape(1, -1),
        ),
        corrected=lambda: diagonal_of_XhatS(s),
    )


def _with_neutral_gamma(s: Setting) -> Setting:
    par = Parameters(s.par.Gamma1, s.par.Gamma2, np.ones_like(s.gamma[0]), s.par.beta)
    return Setting(s.net, par, s.X, s.y)


def _same_structure(draw: Draw) -> Trial:
    s = random_setting(draw)
    truth = _slope_of_gamma_tilde(s)
    return weigh(
        truth,
        # No matrix with equal rows comes nearer, in the sum of squares.
        lambda: kron(truth.mean(axis=0, keepdims=True), s.ones),
        corrected=lambda: hadamard(s.Xhat, s.S),
    )


def _answered(draw: Draw) -> Trial:
    s = random_setting(draw)

    def posed() -> Array:
        diagonal = np.diag(_posed_for_gamma(s)).reshape(1, -1)
        return np.vstack([s.X.T @ hadamard(s.S, scale_factors(s)), diagonal, ones_times_S(s)])

    return weigh(true_gradients(s), posed, corrected=lambda: compact_gradients(s))


SCALE_GRADIENT = (
    _claim(
        key="question/normalised pre-activation",
        place="Update 4, definition of the tilde over XΓ",
        says="(XΓ − μ) ⊙ σ⁻¹ is batch norm of XΓ with γ = 1 and β = 0",
        how="the definition, each column by itself, with R's standard deviation; σ⁻¹ by entries",
        experiment=_normalised,
    ),
    _claim(
        key="question/chain rule for gamma",
        place="Update 4, first formula",
        says="∂R/∂γ̃ = (∂(γ̃ ⊙ X̂)/∂γ̃)(S), γ̃ = γ ⊗ 1_N",
        how="complex step through R, each entry of γ̃ moving alone; a Jacobian has N·p2 rows and "
        "columns, and S is N × p2",
        experiment=_gamma_chain_rule,
        corrected="vec(∂R/∂γ̃)ᵀ = vec(S)ᵀ diag(vec X̂)",
    ),
    _claim(
        key="question/loop for gamma",
        place="Update 4, second formula, and the loop of the listing",
        says="∂R/∂γᵢ = X̂ᵢᵀ I γ̃ᵢ Sᵢ",
        how="complex step through R = Σε̂²; I γ̃ᵢ is read as diag(γ̃ᵢ), as the loop has it, since the "
        "columns γ̃ᵢ and Sᵢ have no product. b is linear in γ: no factor γᵢ can be left",
        experiment=_gamma_loop,
        corrected="∂R/∂γᵢ = X̂ᵢᵀSᵢ",
    ),
    _claim(
        key="question/gradient for gamma tilde",
        place="Update 4, third formula",
        says="∂R/∂γ̃ = X̂ᵀ(S ⊙ γ̃)",
        how="complex step through R, each entry of γ̃ moving alone; the formula is p2 × p2, and γ̃ "
        "N × p2",
        experiment=_gamma_matrix,
        corrected="∂R/∂γ̃ = X̂ ⊙ S",
    ),
    _claim(
        key="question/diagonal for gamma",
        place="Update 4, the question whether to take the diagonal",
        says="∂R/∂γ = diag(X̂ᵀ(S ⊙ γ̃))",
        how="complex step through R = Σε̂²; to take the diagonal is right, the factor γ̃ is not",
        experiment=_gamma_diagonal,
        only_if="γ = 1 in every node",
        corrected=f"∂R/∂γ = {COMPACT_GAMMA}",
    ),
    _claim(
        key="question/same structure",
        place="Update 4, remark on the structure of the result",
        says="∂R/∂γ̃ has the structure of γ̃: N × p2, every row the same",
        how="complex step through R, each entry of γ̃ moving alone, against the nearest matrix "
        "with equal rows; the shape is right, and the sum of the rows is ∂R/∂γ",
        experiment=_same_structure,
        corrected="∂R/∂γ̃ = X̂ ⊙ S, whose rows differ",
    ),
    _claim(
        key="question/answered",
        place="Update 4, last paragraph",
        says="Xᵀ(S ⊙ w), diag(X̂ᵀ(S ⊙ γ̃)) and 1ᵀS, with the right S and w, are the gradients for "
        "Γ₁, γ and β",
        how="complex step through R = Σε̂², the three gradients one below the other",
        experiment=_answered,
        corrected=f"{COMPACT_GAMMA1}, {COMPACT_GAMMA} and {COMPACT_BETA}",
    ),
)
