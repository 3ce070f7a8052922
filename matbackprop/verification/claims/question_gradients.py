"""Claims of the question: gradients without batch norm, and those for β and Γ₁ (Updates 1 to 3)."""

from collections.abc import Callable
from functools import partial

import numpy as np

from matbackprop._typing import Array
from matbackprop.differences import complex_step
from matbackprop.linalg import hadamard, kron, vec
from matbackprop.verification.claims.claim import Claim, Trial, weigh
from matbackprop.verification.claims.definition import mean
from matbackprop.verification.claims.draw import Draw
from matbackprop.verification.claims.question_setting import (
    COMPACT_GAMMA1,
    Setting,
    compact_Gamma1,
    ones_times_S,
    random_setting,
    scale_factors,
)

_claim = partial(Claim, source="question")


def _for_Gamma1(s: Setting) -> Array:
    return s.X.T @ s.S


def _for_Gamma2(s: Setting) -> Array:
    return -2 * s.V.T @ s.residuals


def _plain_Gamma1(draw: Draw) -> Trial:
    s = random_setting(draw, batch_norm=False)
    truth = s.gradient("Gamma1", loss="mse")
    return weigh(truth, lambda: _for_Gamma2(s), corrected=lambda: _for_Gamma1(s) / len(s.X))


def _plain_Gamma2(draw: Draw) -> Trial:
    s = random_setting(draw, batch_norm=False)
    truth = s.gradient("Gamma2", loss="mse")
    return weigh(truth, lambda: _for_Gamma1(s), corrected=lambda: _for_Gamma2(s) / len(s.X))


def _exchanged_Gamma1(draw: Draw) -> Trial:
    s = random_setting(draw, batch_norm=False)
    return weigh(
        s.gradient("Gamma1", loss="mse"),
        lambda: _for_Gamma1(s),
        conditioned=(s.gradient("Gamma1"), lambda: _for_Gamma1(s)),
        corrected=lambda: _for_Gamma1(s) / len(s.X),
    )


def _exchanged_Gamma2(draw: Draw) -> Trial:
    s = random_setting(draw, batch_norm=False)
    return weigh(
        s.gradient("Gamma2", loss="mse"),
        lambda: _for_Gamma2(s),
        conditioned=(s.gradient("Gamma2"), lambda: _for_Gamma2(s)),
        corrected=lambda: _for_Gamma2(s) / len(s.X),
    )


def _slope_of_H(s: Setting, c0: float) -> Array:
    """Return ∂R/∂H by a complex step through R = c₀ Σ(y − a(H)Γ₂)²."""
    y = s.y.reshape(-1, 1)
    return complex_step(lambda H: c0 * ((y - s.net.a.value(H) @ s.Gamma2) ** 2).sum(), s.H)


def _stub(draw: Draw) -> Trial:
    s = random_setting(draw)
    N = len(s.X)
    return weigh(
        _slope_of_H(s, 1 / N),
        lambda: s.S,
        conditioned=(_slope_of_H(s, 1.0), lambda: s.S),
        corrected=lambda: s.S / N,
    )


def _beta(draw: Draw) -> Trial:
    s = random_setting(draw)
    return weigh(
        s.gradient("beta"),
        lambda: s.ones.T @ hadamard(s.slope(s.Z), -2 * s.residuals @ s.Gamma2.T),
        corrected=lambda: ones_times_S(s),
    )


def _forgotten_mean(draw: Draw) -> Trial:
    s = random_setting(draw)
    (N, p2), w = s.Z.shape, scale_factors(s)
    centring = np.eye(N) - s.ones @ s.ones.T / N

    def centred(Gamma1: Array) -> Array:
        Z = s.X @ Gamma1
        return w * (Z - mean(Z))

    def jacobian(X: Array) -> Array:
        return np.diag(vec(w)) @ kron(np.eye(p2), X)

    truth = complex_step(centred, s.par.Gamma1)
    return weigh(truth, lambda: jacobian(s.X), corrected=lambda: jacobian(centring @ s.X))


def _chain_rule(draw: Draw) -> Trial:
    s = random_setting(draw)
    w = scale_factors(s)
    truth = s.gradient("Gamma1", fixed_moments=True)
    J = complex_step(lambda Gamma1: w * (s.X @ Gamma1), s.par.Gamma1)
    return weigh(
        truth,
        lambda: J @ s.S,
        corrected=lambda: (vec(s.S) @ J).reshape(truth.shape, order="F"),
    )


Entry = Callable[[Setting, int, int], Array]
"""One entry of a gradient, as a matrix of one entry."""


def _entries(s: Setting, entry: Entry) -> Array:
    return np.array(
        [[entry(s, i, j).item() for j in range(s.Z.shape[1])] for i in range(s.X.shape[1])]
    )


def _by_entries(printed: Entry, corrected: Entry) -> Callable[[Draw], Trial]:
    def experiment(draw: Draw) -> Trial:
        p1, p2, N = sorted(draw.sizes(3, low=4, high=8))  # so that there is a w_i for every i
        s = random_setting(draw, sizes=(N, p1, p2))
        return weigh(
            s.gradient("Gamma1", fixed_moments=True),
            lambda: _entries(s, printed),
            corrected=lambda: _entries(s, corrected),
        )

    return experiment


def _w(s: Setting, j: int) -> Array:
    return scale_factors(s)[:, [j]]


def _X(s: Setting, i: int) -> Array:
    return s.X[:, [i]]


def _S(s: Setting, j: int) -> Array:
    return s.S[:, [j]]


def _I(s: Setting) -> Array:
    return np.eye(len(s.X))


def _diag_w(s: Setting, j: int) -> Array:
    return np.diag(_w(s, j).ravel())


def _loop_is_matrix(draw: Draw) -> Trial:
    s = random_setting(draw)
    (N, p1), p2 = s.X.shape, s.Z.shape[1]
    w, stub = scale_factors(s), s.S
    loop = [
        [sum(s.X[n, i] * w[n, j] * stub[n, j] for n in range(N)) for j in range(p2)]
        for i in range(p1)
    ]
    return weigh(loop, lambda: s.X.T @ hadamard(stub, w))


def _Gamma1(draw: Draw) -> Trial:
    s = random_setting(draw)

    def printed() -> Array:
        return s.X.T @ hadamard(s.S, scale_factors(s))

    return weigh(
        s.gradient("Gamma1"),
        printed,
        conditioned=(s.gradient("Gamma1", fixed_moments=True), printed),
        corrected=lambda: compact_Gamma1(s),
    )


GRADIENTS = (
    _claim(
        key="question/plain gradient for Gamma1",
        place="Gradients of the network without batch norm, line 1",
        says="∂R/∂Γ₁ = −2Vᵀε̂",
        how="complex step through R = N⁻¹Σε̂², tanh; −2Vᵀε̂ is p2 × 1, and Γ₁ p1 × p2",
        experiment=_plain_Gamma1,
        corrected="∂R/∂Γ₁ = N⁻¹ Xᵀ(a′(XΓ₁) ⊙ −2ε̂Γ₂ᵀ)",
    ),
    _claim(
        key="question/plain gradient for Gamma2",
        place="Gradients of the network without batch norm, line 2",
        says="∂R/∂Γ₂ = Xᵀ(a′(XΓ₁) ⊙ −2ε̂Γ₂ᵀ)",
        how="complex step through R = N⁻¹Σε̂², tanh; the formula is p1 × p2, and Γ₂ p2 × 1",
        experiment=_plain_Gamma2,
        corrected="∂R/∂Γ₂ = −2N⁻¹ Vᵀε̂",
    ),
    _claim(
        key="question/plain gradient for Gamma1, labels exchanged",
        place="Gradients of the network without batch norm, line 2, as line 1",
        says="∂R/∂Γ₁ = Xᵀ(a′(XΓ₁) ⊙ −2ε̂Γ₂ᵀ), once the two labels change places",
        how="complex step through R = N⁻¹Σε̂²; under the condition, through R = Σε̂²",
        experiment=_exchanged_Gamma1,
        only_if="R = Σε̂², without the N⁻¹ that the question writes",
        corrected="∂R/∂Γ₁ = N⁻¹ Xᵀ(a′(XΓ₁) ⊙ −2ε̂Γ₂ᵀ)",
    ),
    _claim(
        key="question/plain gradient for Gamma2, labels exchanged",
        place="Gradients of the network without batch norm, line 1, as line 2",
        says="∂R/∂Γ₂ = −2Vᵀε̂, once the two labels change places",
        how="complex step through R = N⁻¹Σε̂²; under the condition, through R = Σε̂²",
        experiment=_exchanged_Gamma2,
        only_if="R = Σε̂², without the N⁻¹ that the question writes",
        corrected="∂R/∂Γ₂ = −2N⁻¹ Vᵀε̂",
    ),
    _claim(
        key="question/gradient for beta",
        place="Update 1, formula for ∂R/∂β",
        says="∂R/∂β = 1ᵀ(a′(XΓ₁) ⊙ −2ε̂Γ₂ᵀ), with a′ taken at XΓ₁",
        how="complex step through R = Σε̂², so that the N⁻¹ missing here too does not count",
        experiment=_beta,
        corrected="∂R/∂β = 1ᵀ(a′(b(XΓ₁)) ⊙ −2ε̂Γ₂ᵀ) = 1ᵀS",
    ),
    _claim(
        key="question/stub",
        place="Update 3, definition of the stub",
        says="what the chain rule hands to b is ∂R/∂H = S = a′(b(XΓ₁)) ⊙ −2ε̂Γ₂ᵀ",
        how="complex step through H ↦ N⁻¹Σ(y − a(H)Γ₂)²; under the condition, without N⁻¹",
        experiment=_stub,
        only_if="R = Σε̂², without the N⁻¹ that the question writes",
        corrected="∂R/∂H = N⁻¹ a′(b(XΓ₁)) ⊙ −2ε̂Γ₂ᵀ",
    ),
    _claim(
        key="question/forgotten mean",
        place="Update 2, the derivative that is said to be needed; Update 3, chain rule",
        says="with w constant, ∂b(XΓ₁)/∂Γ₁ is the derivative of w ⊙ XΓ₁; μ adds nothing",
        how="complex step through w ⊙ (XΓ₁ − μ), w constant, μ a function of Γ₁",
        experiment=_forgotten_mean,
        corrected="diag(vec w)(I ⊗ (I − 11ᵀ/N)X)",
    ),
    _claim(
        key="question/chain rule for Gamma1",
        place="Update 3, first formula",
        says="∂R/∂Γ₁ = (∂(w ⊙ XΓ₁)/∂Γ₁)(S)",
        how="complex step through R, moments constant; a Jacobian has N·p2 rows and p1·p2 columns, "
        "and S is N × p2",
        experiment=_chain_rule,
        corrected="vec(∂R/∂Γ₁)ᵀ = vec(S)ᵀ ∂vec(w ⊙ XΓ₁)/∂vec(Γ₁)ᵀ, for constant moments",
    ),
    _claim(
        key="question/entry by entry, w_i with X_i",
        place="Update 3, first formula with subscripts",
        says="∂R/∂Γ₁ᵢⱼ = (wᵢ ⊙ Xᵢ)ᵀSⱼ, with column i of w for input i",
        how="complex step through R, moments constant; p1 < p2, so that there is a wᵢ for every i",
        experiment=_by_entries(
            lambda s, i, j: hadamard(_w(s, i), _X(s, i)).T @ _S(s, j),
            lambda s, i, j: hadamard(_w(s, j), _X(s, i)).T @ _S(s, j),
        ),
        corrected="∂R/∂Γ₁ᵢⱼ = (wⱼ ⊙ Xᵢ)ᵀSⱼ, for constant moments",
    ),
    _claim(
        key="question/entry by entry, I w_i X_i",
        place="Update 3, second formula with subscripts",
        says="∂R/∂Γ₁ᵢⱼ = (I wᵢ Xᵢ)ᵀSⱼ",
        how="complex step through R, moments constant; the columns wᵢ and Xᵢ have no product",
        experiment=_by_entries(
            lambda s, i, j: (_I(s) @ _w(s, i) @ _X(s, i)).T @ _S(s, j),
            lambda s, i, j: (_diag_w(s, j) @ _X(s, i)).T @ _S(s, j),
        ),
        corrected="∂R/∂Γ₁ᵢⱼ = (diag(wⱼ)Xᵢ)ᵀSⱼ, for constant moments",
    ),
    _claim(
        key="question/entry by entry, I w_i before the stub",
        place="Update 3, third formula with subscripts",
        says="∂R/∂Γ₁ᵢⱼ = XᵢᵀI wᵢ Sⱼ",
        how="complex step through R, moments constant; the columns wᵢ and Sⱼ have no product",
        experiment=_by_entries(
            lambda s, i, j: _X(s, i).T @ _I(s) @ (_w(s, i) @ _S(s, j)),
            lambda s, i, j: _X(s, i).T @ _diag_w(s, j) @ _S(s, j),
        ),
        corrected="∂R/∂Γ₁ᵢⱼ = Xᵢᵀdiag(wⱼ)Sⱼ, for constant moments",
    ),
    _claim(
        key="question/loop equals matrix for Gamma1",
        place="Update 3, sentence before the formula for ∂R/∂Γ, and the listing's loop",
        says="Xᵢᵀdiag(wⱼ)Sⱼ for all i and j, as the loop computes it, is Xᵀ(S ⊙ w)",
        how="sums over rows, one entry after the other",
        experiment=_loop_is_matrix,
    ),
    _claim(
        key="question/gradient for Gamma1",
        place="Update 3, last formula; Update 2, the remark that w is constant for the moment",
        says="∂R/∂Γ₁ = Xᵀ(S ⊙ w), w = (γ ⊗ 1) ⊙ σ⁻¹",
        how="complex step through R = Σε̂²; under the condition, moments held constant",
        experiment=_Gamma1,
        only_if="μ and σ do not depend on Γ₁, as when a trained network is evaluated",
        corrected=f"∂R/∂Γ₁ = {COMPACT_GAMMA1}",
    ),
)
