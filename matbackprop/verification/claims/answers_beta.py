"""The first answer up to ∇β: batch norm and the chain rule by vec and ⊗, strictly conforming."""

from __future__ import annotations

from functools import partial

import numpy as np

from matbackprop._typing import Array
from matbackprop.differences import complex_step
from matbackprop.linalg import kron, vec
from matbackprop.verification.claims.answers_network import (
    LAST_LINES,
    RANDOM_NETS,
    RESIDUALS_AS_A_ROW,
    Net,
    column,
    net,
)
from matbackprop.verification.claims.claim import Claim, Trial, weigh
from matbackprop.verification.claims.draw import Draw
from matbackprop.verification.claims.question_setting import spread

_claim = partial(Claim, source="answers")


def _matrix_form(draw: Draw) -> Trial:
    n = net(draw)
    Gamma = np.diag(n.gamma[:, 0])
    return weigh(n.H, lambda: n.centred @ Gamma @ n.inverse_root + n.one @ n.beta.T)


def _inverse_root(draw: Draw) -> Trial:
    n = net(draw)
    Sigma = np.diag(spread(n.Z, ddof=n.ddof)[0] ** 2)
    root = n.inverse_root
    return weigh(np.linalg.inv(Sigma), lambda: root @ root)


def _true_row(n: Net) -> Array:
    """∂R/∂vec(V)ᵀ for V = a(b(XΓ₁)), by complex step, a row."""
    V = n.a.value(n.H)
    return column(complex_step(lambda v: ((n.y - v @ n.Gamma2) ** 2).sum(), V)).T


def _loss_factor(draw: Draw) -> Trial:
    n = net(draw)
    fitted = n.y - n.residuals
    sse = complex_step(lambda v: ((n.y - v) ** 2).sum(), fitted)
    mse = complex_step(lambda v: ((n.y - v) ** 2).sum() / len(n.y), fitted)
    return weigh(mse, lambda: -2 * n.residuals, conditioned=(sse, lambda: -2 * n.residuals))


def _row_by_kronecker(draw: Draw) -> Trial:
    n = net(draw)
    truth = _true_row(n)
    return weigh(
        truth,
        lambda: n.loss_row(n.residuals),
        conditioned=(truth, lambda: n.loss_row(n.residuals.T)),
    )


def _row_by_vec(draw: Draw) -> Trial:
    n = net(draw)
    return weigh(_true_row(n), lambda: column(vec(-2 * n.residuals @ n.Gamma2.T)).T)


def _activation_jacobian(draw: Draw) -> Trial:
    n = net(draw)
    return weigh(complex_step(n.a.value, n.H), lambda: n.elementwise)


def _beta_jacobian(draw: Draw) -> Trial:
    n = net(draw)
    truth = complex_step(lambda beta: n.b(n.Z, beta=beta), n.beta)
    return weigh(truth, lambda: kron(np.eye(len(n.beta)), n.one))


def _beta_chain(draw: Draw) -> Trial:
    n = net(draw)
    truth, last = n.true_dbeta(), kron(np.eye(len(n.beta)), n.one)
    return weigh(
        truth,
        lambda: (n.loss_row(n.residuals) @ n.elementwise @ last).T,
        conditioned=(truth, lambda: (n.loss_row(n.residuals.T) @ n.elementwise @ last).T),
    )


def _beta_by_vec(draw: Draw) -> Trial:
    n = net(draw)
    return weigh(n.true_dbeta(), lambda: kron(np.eye(len(n.beta)), n.one.T) @ column(vec(n.W)))


def _beta_short(draw: Draw) -> Trial:
    n = net(draw)
    truth = n.true_dbeta()
    return weigh(truth, lambda: n.one.T @ n.W, conditioned=(truth, lambda: (n.one.T @ n.W).T))


def _beta_as_posted(draw: Draw) -> Trial:
    n = net(draw)
    truth = n.true_dbeta().T

    def posted(H: Array) -> Array:
        return n.one.T @ (n.a.derivative(H) * (-2 * n.residuals @ n.Gamma2.T))

    return weigh(truth, lambda: posted(n.Z), conditioned=(truth, lambda: posted(n.H)))


def _vec_of_product(draw: Draw) -> Trial:
    m, n, p, q = draw.sizes(4)
    A, X, B = draw.matrix(m, n), draw.matrix(n, p), draw.matrix(p, q)
    return weigh(vec(A @ X @ B), lambda: kron(B.T, A) @ vec(X))


_BETA = "first answer, ∇β"

FIRST_ANSWER_BETA = (
    _claim(
        key="answers/matrix form",
        place="first answer, first formula",
        says="b(X) = (X − eμᵀ) diag(γ) Σ^(−1/2) + eβᵀ",
        how="the definition, one column after the other; strict matrix products",
        experiment=_matrix_form,
    ),
    _claim(
        key="answers/inverse root",
        place="first answer, under the first formula",
        says="Σ^(−1/2) = diag(1/σ₁, 1/σ₂, ...)",
        how="its square against the inverse of diag(σ²)",
        experiment=_inverse_root,
    ),
    _claim(
        key="answers/loss factor",
        place="first answer, both chains, first factor",
        says="∂R/∂ŷ = −2ε̂, for the question's R = Σε̂²/N",
        how="complex step through the mean of squares; under the condition through their sum",
        experiment=_loss_factor,
        only_if="R = Σε̂², as in the question's R code",
    ),
    _claim(
        key="answers/row by kronecker",
        place="first answer, both chains, and the note between them",
        says="∂R/∂vec(V)ᵀ = −2ε̂(Γ₂ᵀ ⊗ I) for V = a(b(XΓ₁)), with ε̂ = y − ŷ a column",
        how=f"complex step through V ↦ R{RANDOM_NETS}",
        experiment=_row_by_kronecker,
        only_if=RESIDUALS_AS_A_ROW,
    ),
    _claim(
        key="answers/row by vec",
        place="first answer, between the two chains",
        says="∂R/∂vec(V)ᵀ = vec(−2ε̂Γ₂ᵀ)ᵀ",
        how=f"complex step through V ↦ R{RANDOM_NETS}",
        experiment=_row_by_vec,
    ),
    _claim(
        key="answers/activation jacobian",
        place="first answer, between the two chains",
        says="∂vec a(H)/∂vec(H)ᵀ = diag(vec a′(H)) at H = b(XΓ₁)",
        how=f"complex step through a{RANDOM_NETS}",
        experiment=_activation_jacobian,
    ),
    _claim(
        key="answers/beta jacobian",
        place=f"{_BETA}, chain, last factor",
        says="∂vec b/∂βᵀ = I ⊗ e",
        how=f"complex step through b in β{RANDOM_NETS}",
        experiment=_beta_jacobian,
    ),
    _claim(
        key="answers/beta chain",
        place=f"{_BETA}, chain",
        says="∇β = (−2ε̂(Γ₂ᵀ ⊗ I) diag(vec a′(H)) (I ⊗ e))ᵀ",
        how=f"complex step through β ↦ R, R the sum of squares{RANDOM_NETS}",
        experiment=_beta_chain,
        only_if=RESIDUALS_AS_A_ROW,
    ),
    _claim(
        key="answers/beta by vec",
        place=f"{_BETA}, simplified, first form",
        says="∇β = (I ⊗ eᵀ) vec(a′(b(XΓ₁)) ⊙ −2ε̂Γ₂ᵀ)",
        how=f"complex step through β ↦ R, R the sum of squares{RANDOM_NETS}",
        experiment=_beta_by_vec,
    ),
    _claim(
        key="answers/beta short",
        place=f"{_BETA}, simplified, second form",
        says="∇β, a column, equals eᵀ(a′(b(XΓ₁)) ⊙ −2ε̂Γ₂ᵀ), a row",
        how=f"complex step through β ↦ R, as a column{RANDOM_NETS}",
        experiment=_beta_short,
        only_if="the row is transposed (or may stand for a column)",
    ),
    _claim(
        key="answers/beta as posted",
        place=LAST_LINES,
        says="∇β is what the question found: 1ᵀ(a′(XΓ₁) ⊙ −2ε̂Γ₂ᵀ)",
        how=f"complex step through β ↦ R, as a row{RANDOM_NETS}",
        experiment=_beta_as_posted,
        only_if="the question's a′ is taken at b(XΓ₁), as its code does, not at XΓ₁",
    ),
    _claim(
        key="answers/vec of a product",
        place="first answer, between the two chains",
        says="vec(AXB) = (Bᵀ ⊗ A) vec(X)",
        how="the product itself, its columns stacked; four different sizes",
        experiment=_vec_of_product,
    ),
)
