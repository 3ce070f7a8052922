"""The first answer from ∇γ on: the selection matrix K, and what it says of fixed moments."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from matbackprop._typing import Array
from matbackprop.differences import complex_step
from matbackprop.linalg import diagonal_selection, kron, unvec, vec
from matbackprop.verification.claims.answers_network import (
    LAST_LINES,
    RANDOM_NETS,
    RESIDUALS_AS_A_ROW,
    Net,
    column,
    net,
)
from matbackprop.verification.claims.claim import Claim, Trial, weigh
from matbackprop.verification.claims.definition import mean
from matbackprop.verification.claims.draw import Draw, differential
from matbackprop.verification.claims.question_setting import spread

_claim = partial(Claim, source="answers")


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


_STEPS, _RATE = 20, 1e-3


def _descended(
    n: Net, weights: Callable[[Array], Array], start: Array, *, mu_moves: bool
) -> tuple[Array, Array, float]:
    """Descend with w = γ/σ held fixed; return the first step, the whole way, R after over R before.

    The gradient is a complex step through R in which w is a constant; so is μ, unless it moves.
    """

    def at(v: Array) -> Net:
        return n._replace(Gamma1=weights(v))

    def step(v: Array) -> Array:
        here = at(v)
        w, mu = here.gamma.T @ here.inverse_root, here.mu.T

        def R(v: Array) -> Array:
            Z = here.X @ weights(v)
            return here.R((Z - (mean(Z) if mu_moves else mu)) * w + here.beta.T)

        return -_RATE * complex_step(R, v)

    v = start
    for _ in range(_STEPS):
        v = v + step(v)
    return step(start), v - start, float(at(v).R(at(v).H) / at(start).R(at(start).H))


def _explosion(draw: Draw) -> Trial:
    n = net(draw)
    n = n._replace(X=np.hstack([n.one, n.X]), Gamma1=np.vstack([n.Gamma1[:1], n.Gamma1]))

    def weights(of_the_constant: Array) -> Array:
        return np.vstack([of_the_constant, n.Gamma1[1:]])

    first, way, R = _descended(n, weights, n.Gamma1[:1], mu_moves=False)
    _, way_of_w, R_of_w = _descended(n, weights, n.Gamma1[:1], mu_moves=True)
    size = np.abs(first).max()
    printed = [*_STEPS * first[0] / size, 1.0]
    return weigh(
        [*way_of_w[0] / size, R_of_w],
        lambda: printed,
        conditioned=([*way[0] / size, R], lambda: printed),
    )


def _exploding_lengths(draw: Draw) -> Trial:
    n = net(draw)
    start = np.zeros((1, len(n.gamma)))
    first, way, R = _descended(n, lambda t: n.Gamma1 * np.exp(t), start, mu_moves=True)
    size = np.abs(first).max()
    return weigh([*way[0] / size, R], lambda: [*_STEPS * first[0] / size, 1.0])


def _needs_moments(draw: Draw) -> Trial:
    n = net(draw)
    dZ = draw.matrix(*n.Z.shape)
    truth = differential(n.b, n.Z, dZ)
    Gamma = np.diag(n.gamma[:, 0])

    def product_rule() -> Array:
        dmu = differential(mean, n.Z, dZ)
        droot = np.diag(differential(lambda Z: 1 / spread(Z, ddof=n.ddof), n.Z, dZ)[0])
        return (dZ - n.one @ dmu) @ Gamma @ n.inverse_root + n.centred @ Gamma @ droot

    return weigh(truth, product_rule)


_GAMMA = "first answer, ∇γ"

FIRST_ANSWER_GAMMA = (
    _claim(
        key="answers/stub",
        place="first answer, under ∇γ",
        says="W = a′(b(XΓ₁)) ⊙ −2ε̂Γ₂ᵀ is ∂R/∂b(XΓ₁)",
        how=f"complex step through H ↦ R, R the sum of squares{RANDOM_NETS}",
        experiment=_stub,
    ),
    _claim(
        key="answers/selection",
        place="first answer, under ∇γ",
        says="K is the 0-1 matrix that picks the columns of the diagonal: vec(diag γ) = Kγ",
        how="complex step through γ ↦ diag(γ), whose other entries do not move",
        experiment=_selection,
    ),
    _claim(
        key="answers/selection shape",
        place="first answer, under ∇γ",
        says="K has shape (N p₂, p₂)",
        how="the shape of ∂vec(diag γ)/∂γᵀ; N ≠ p₂, and with N p₂ rows nothing conforms",
        experiment=_selection_shape,
        corrected="K has shape (p₂², p₂)",
    ),
    _claim(
        key="answers/gamma jacobian",
        place=f"{_GAMMA}, line 1, last two factors",
        says="∂vec b/∂γᵀ = (Σ^(−1/2) ⊗ (XΓ₁ − eμᵀ)) K",
        how=f"complex step through b in γ; K of shape (p₂², p₂){RANDOM_NETS}",
        experiment=_gamma_jacobian,
    ),
    _claim(
        key="answers/gamma chain",
        place=f"{_GAMMA}, line 1",
        says="∇γ = (−2ε̂(Γ₂ᵀ ⊗ I) diag(vec a′(H)) (Σ^(−1/2) ⊗ (XΓ₁ − eμᵀ)) K)ᵀ",
        how=f"complex step through γ ↦ R, R the sum of squares; K of shape (p₂², p₂){RANDOM_NETS}",
        experiment=_gamma_chain,
        only_if=RESIDUALS_AS_A_ROW,
    ),
    _claim(
        key="answers/gamma by vec",
        place=f"{_GAMMA}, line 2",
        says="∇γ = Kᵀ vec((XΓ₁ − eμᵀ)ᵀ W Σ^(−1/2))",
        how=f"complex step through γ ↦ R, R the sum of squares; K of shape (p₂², p₂){RANDOM_NETS}",
        experiment=_gamma_by_vec,
    ),
    _claim(
        key="answers/gamma diagonal",
        place=f"{_GAMMA}, line 3",
        says="∇γ = diag((XΓ₁ − eμᵀ)ᵀ W Σ^(−1/2))",
        how=f"complex step through γ ↦ R, R the sum of squares{RANDOM_NETS}",
        experiment=_gamma_diagonal,
    ),
    _claim(
        key="answers/gamma not as posted",
        place=LAST_LINES,
        says="∇γ is not what the question found, diag(X̂ᵀ(stub ⊙ γ))",
        how="1 if the question's formula is off the complex step through γ ↦ R by over 1e-4",
        experiment=_not_as_posted,
    ),
    _claim(
        key="answers/linear in gamma",
        place=LAST_LINES,
        says="b is linear in γ (with β, affine): no factor γ in ∂b/∂γ",
        how="b(γ) − b(γ₀) against the slope at γ₀, by complex step, times γ − γ₀, for far γ₀",
        experiment=_linear_in_gamma,
    ),
    _claim(
        key="answers/explosion",
        place=LAST_LINES,
        says="descent by a gradient with w = γ/σ held fixed moves the weights of a constant input "
        "on and on, as far with each step, while R stays",
        how="20 steps run, w constant in a complex step through R, against 20 times the first step "
        "with μ constant too, and R as at the start; only these weights move, on which R does not "
        "depend (where all move, R does not stay)",
        experiment=_explosion,
        only_if="μ is held fixed too, as in the question; by w alone they do not move at all",
    ),
    _claim(
        key="answers/explosion of lengths",
        place=LAST_LINES,
        says="descent by a gradient with w = γ/σ held fixed, and μ not, moves the lengths of Γ₁'s "
        "columns on and on, their logarithms as far with each step, while R stays",
        how="20 steps run, w constant in a complex step through R, against 20 times the first "
        "step, and R as at the start; only the logarithms move, on which R does not depend",
        experiment=_exploding_lengths,
    ),
    _claim(
        key="answers/product rule",
        place=LAST_LINES,
        says="db = (dZ − e dμᵀ) diag(γ) Σ^(−1/2) + (Z − eμᵀ) diag(γ) dΣ^(−1/2): the moments move "
        "too",
        how="complex step through Z ↦ b; dμ and dΣ^(−1/2) by complex steps of their own"
        f"{RANDOM_NETS}",
        experiment=_needs_moments,
    ),
)
