"""The first answer from ∇γ on: the selection matrix K, and what it says of fixed moments."""

from __future__ import annotations

import numpy as np

from matbackprop._typing import Array
from matbackprop.differences import complex_step
from matbackprop.linalg import diagonal_selection, kron, unvec, vec
from matbackprop.verification.claims.answers_network import (
    ANSWERS_SOURCE,
    Net,
    column,
    deviation,
    mean,
    net,
)
from matbackprop.verification.claims.claim import Claim, Trial, weigh
from matbackprop.verification.claims.draw import Draw, differential


def _stub(draw: Draw) -> Trial:
    n = net(draw)
    return weigh(n.true_dH(), lambda: n.W)


def _selection(draw: Draw) -> Trial:
    g = draw.matrix(draw.size())
    truth = complex_step(np.diag, g)
    return weigh(truth, lambda: diagonal_selection(len(g)).toarray())


def _selection_shape(draw: Draw) -> Trial:
    n = net(draw)
    N, p = n.Z.shape
    return weigh(
        complex_step(np.diag, n.gamma[:, 0]).shape,
        lambda: (N * p, p),
        corrected=lambda: (p * p, p),
    )


def _gamma_jacobian(draw: Draw) -> Trial:
    n = net(draw)
    truth = complex_step(lambda gamma: n.b(n.Z, gamma=gamma), n.gamma)
    return weigh(truth, lambda: _gamma_last(n))


def _gamma_last(n: Net) -> Array:
    """(Σ^(−1/2) ⊗ (Z − eμᵀ)) K."""
    return kron(n.inverse_root, n.centred) @ diagonal_selection(len(n.gamma)).toarray()


def _gamma_chain(draw: Draw) -> Trial:
    n = net(draw)
    truth = n.true_dgamma()
    return weigh(
        truth,
        lambda: (n.loss_row(n.residuals) @ n.elementwise @ _gamma_last(n)).T,
        conditioned=(
            truth,
            lambda: (n.loss_row(n.residuals.T) @ n.elementwise @ _gamma_last(n)).T,
        ),
    )


def _gamma_by_vec(draw: Draw) -> Trial:
    n = net(draw)
    K = diagonal_selection(len(n.gamma)).toarray()
    return weigh(n.true_dgamma(), lambda: K.T @ column(vec(n.centred.T @ n.W @ n.inverse_root)))


def _gamma_diagonal(draw: Draw) -> Trial:
    n = net(draw)
    return weigh(n.true_dgamma(), lambda: column(np.diag(n.centred.T @ n.W @ n.inverse_root)))


def _not_as_posted(draw: Draw) -> Trial:
    n = net(draw)
    truth = n.true_dgamma()
    posted = column(np.diag(n.inverse_root @ n.centred.T @ (n.W @ np.diag(n.gamma[:, 0]))))
    differs = np.abs(posted - truth).max() > 1e-4 * np.abs(truth).max()
    return weigh(float(differs), lambda: 1.0)


def _linear_in_gamma(draw: Draw) -> Trial:
    n = net(draw)
    there = n._replace(gamma=draw.matrix(len(n.gamma), 1))
    truth = complex_step(lambda gamma: n.b(n.Z, gamma=gamma), there.gamma)
    step = n.gamma - there.gamma
    printed = unvec(truth @ vec(step), n.Z.shape)
    return weigh(n.H - there.H, lambda: printed)


def _explosion(draw: Draw) -> Trial:
    n = net(draw)
    n = n._replace(X=np.hstack([n.one, n.X]), Gamma1=np.vstack([n.Gamma1[:1], n.Gamma1]))
    steps, rate = 50, 0.1

    def step(moved: Net) -> Array:
        # w = γ/σ held constant; only the row of the constant 1 in X takes part.
        w = moved.one @ (moved.gamma.T @ moved.inverse_root)
        return -rate * (moved.X.T @ (moved.W * w))[:1]

    moved = n
    for _ in range(steps):
        Gamma1 = moved.Gamma1.copy()
        Gamma1[:1] += step(moved)
        moved = moved._replace(Gamma1=Gamma1)
    walked = moved.Gamma1[:1] - n.Gamma1[:1]
    truth = [*walked[0], float(moved.R(moved.H))]
    return weigh(truth, lambda: [*(steps * step(n))[0], float(n.R(n.H))])


def _needs_moments(draw: Draw) -> Trial:
    n = net(draw)
    dZ = draw.matrix(*n.Z.shape)
    truth = differential(n.b, n.Z, dZ)
    Gamma = np.diag(n.gamma[:, 0])

    def product_rule() -> Array:
        dmu = differential(mean, n.Z, dZ)
        droot = np.diag(differential(lambda Z: 1 / deviation(Z, n.ddof), n.Z, dZ)[:, 0])
        return (dZ - n.one @ dmu.T) @ Gamma @ n.inverse_root + n.centred @ Gamma @ droot

    return weigh(truth, product_rule)


_COLUMN = "ε̂ is taken as a row, ε̂ᵀ"
_GAMMA = "first answer, ∇γ"
_NET = "; random networks with tanh or softplus, σ over N or N − 1"
_LAST = "first answer, last lines"

FIRST_ANSWER_GAMMA = (
    Claim(
        key="answers/stub",
        source=ANSWERS_SOURCE,
        place="first answer, under ∇γ",
        says="W = a′(b(XΓ₁)) ⊙ −2ε̂Γ₂ᵀ is ∂R/∂b(XΓ₁)",
        how=f"complex step through H ↦ R, R the sum of squares{_NET}",
        experiment=_stub,
    ),
    Claim(
        key="answers/selection",
        source=ANSWERS_SOURCE,
        place="first answer, under ∇γ",
        says="K is the 0-1 matrix that picks the columns of the diagonal: vec(diag γ) = Kγ",
        how="complex step through γ ↦ diag(γ), whose other entries do not move",
        experiment=_selection,
    ),
    Claim(
        key="answers/selection shape",
        source=ANSWERS_SOURCE,
        place="first answer, under ∇γ",
        says="K has shape (N p₂, p₂)",
        how="the shape of ∂vec(diag γ)/∂γᵀ; N ≠ p₂, and with N p₂ rows nothing conforms",
        experiment=_selection_shape,
        corrected="K has shape (p₂², p₂)",
    ),
    Claim(
        key="answers/gamma jacobian",
        source=ANSWERS_SOURCE,
        place=f"{_GAMMA}, line 1, last two factors",
        says="∂vec b/∂γᵀ = (Σ^(−1/2) ⊗ (XΓ₁ − eμᵀ)) K",
        how=f"complex step through b in γ; K of shape (p₂², p₂){_NET}",
        experiment=_gamma_jacobian,
    ),
    Claim(
        key="answers/gamma chain",
        source=ANSWERS_SOURCE,
        place=f"{_GAMMA}, line 1",
        says="∇γ = (−2ε̂(Γ₂ᵀ ⊗ I) diag(vec a′(H)) (Σ^(−1/2) ⊗ (XΓ₁ − eμᵀ)) K)ᵀ",
        how=f"complex step through γ ↦ R, R the sum of squares; K of shape (p₂², p₂){_NET}",
        experiment=_gamma_chain,
        only_if=_COLUMN,
    ),
    Claim(
        key="answers/gamma by vec",
        source=ANSWERS_SOURCE,
        place=f"{_GAMMA}, line 2",
        says="∇γ = Kᵀ vec((XΓ₁ − eμᵀ)ᵀ W Σ^(−1/2))",
        how=f"complex step through γ ↦ R, R the sum of squares; K of shape (p₂², p₂){_NET}",
        experiment=_gamma_by_vec,
    ),
    Claim(
        key="answers/gamma diagonal",
        source=ANSWERS_SOURCE,
        place=f"{_GAMMA}, line 3",
        says="∇γ = diag((XΓ₁ − eμᵀ)ᵀ W Σ^(−1/2))",
        how=f"complex step through γ ↦ R, R the sum of squares{_NET}",
        experiment=_gamma_diagonal,
    ),
    Claim(
        key="answers/gamma not as posted",
        source=ANSWERS_SOURCE,
        place=_LAST,
        says="∇γ is not what the question found, diag(X̂ᵀ(stub ⊙ γ))",
        how="1 if the question's formula is off the complex step through γ ↦ R by over 1e-4",
        experiment=_not_as_posted,
    ),
    Claim(
        key="answers/linear in gamma",
        source=ANSWERS_SOURCE,
        place=_LAST,
        says="b is linear in γ (with β, affine): no factor γ in ∂b/∂γ",
        how="b(γ) − b(γ₀) against the slope at γ₀, by complex step, times γ − γ₀, for far γ₀",
        experiment=_linear_in_gamma,
    ),
    Claim(
        key="answers/explosion",
        source=ANSWERS_SOURCE,
        place=_LAST,
        says="descent by a gradient with w = γ/σ held fixed moves weights on and on, as far with "
        "each step, while R stays",
        how="50 steps run, against 50 times the first step and the first R; only the weights of a "
        "constant input move, on which R does not depend",
        experiment=_explosion,
    ),
    Claim(
        key="answers/product rule",
        source=ANSWERS_SOURCE,
        place=_LAST,
        says="db = (dZ − e dμᵀ) diag(γ) Σ^(−1/2) + (Z − eμᵀ) diag(γ) dΣ^(−1/2): the moments move "
        "too",
        how=f"complex step through Z ↦ b; dμ and dΣ^(−1/2) by complex steps of their own{_NET}",
        experiment=_needs_moments,
    ),
)
