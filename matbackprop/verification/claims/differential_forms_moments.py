"""The note's steps 3 and 4, back through σ² and μ, its final step and its summary.

In the code s is ∂L/∂σ² and M is ∂L/∂μ, both rows (1, D) and both random: how they came about does
not matter to these steps.
"""

from collections.abc import Callable
from functools import partial

import numpy as np

from matbackprop._typing import Array
from matbackprop.verification.claims.claim import Claim, Trial, weigh
from matbackprop.verification.claims.definition import (
    batch_norm,
    batch_normalised,
    mean,
    normalised,
    variance,
)
from matbackprop.verification.claims.differential_forms_matrices import (
    Symbols,
    along,
    hadamard_first,
    product_first,
    symbols,
)
from matbackprop.verification.claims.draw import Draw, pulled_back


def _moving(s: Symbols, d: Symbols, t: Array) -> Array:
    """Return σ²(t) where X and μ move along d, each on its own."""
    return variance(s.X + t * d.X, s.mu + t * d.mu)


def _square_line(draw: Draw) -> Trial:
    s = symbols(draw, free=True)
    d = s.direction(draw)
    square = along(lambda t: (s.X + t * d.X - s.one @ (s.mu + t * d.mu)) ** 2)
    return weigh(along(lambda t: _moving(s, d, t)), lambda: s.one.T @ square / s.N)


def _chain_line(draw: Draw) -> Trial:
    s = symbols(draw, free=True)
    d = s.direction(draw)
    m, dm = s.strict(), d.strict()
    centred, dcentred = m.X - m.one @ m.mu, dm.X - m.one @ dm.mu
    truth = along(lambda t: _moving(s, d, t))
    return weigh(
        truth,
        lambda: (2 / s.N * m.one.T @ centred) * dcentred,
        conditioned=(truth, lambda: 2 / s.N * m.one.T @ (centred * dcentred)),
    )


def _trace_var(draw: Draw) -> Trial:
    s = symbols(draw)
    dvar = draw.matrix(*s.var.shape)
    gradient = pulled_back(lambda var: normalised(s.X, s.mu, var, s.eps), s.var, s.A)
    truth = along(lambda t: np.sum(s.A * normalised(s.X, s.mu, s.var + t * dvar, s.eps)))
    return weigh(truth, lambda: np.trace(gradient.T @ dvar))


def _trace_centred(draw: Draw) -> Trial:
    point, other = symbols(draw, square=True, free=True), symbols(draw, free=True)
    d, other_d = point.direction(draw), other.direction(draw)
    s, other_s = draw.matrix(*point.var.shape), draw.matrix(*other.var.shape)

    def one(
        m: Symbols, d: Symbols, s: Array, trace: Callable[[Array, Array, Array], Array]
    ) -> Array:
        return trace(s.T * (2 / m.N) @ m.one.T, m.X - m.one @ m.mu, d.X - m.one @ d.mu)

    return weigh(
        along(lambda t: np.sum(s * _moving(point, d, t))),
        lambda: one(point.strict(), d.strict(), s, product_first),
        conditioned=(
            along(lambda t: np.sum(other_s * _moving(other, other_d, t))),
            lambda: one(other.strict(), other_d.strict(), other_s, hadamard_first),
        ),
    )


def _trace_two_terms(draw: Draw) -> Trial:
    point = symbols(draw, free=True)
    d, s = point.direction(draw), draw.matrix(*point.var.shape)
    m, dm = point.strict(), d.strict()
    centred, left = m.X - m.one @ m.mu, s.T * (2 / m.N) @ m.one.T
    truth = along(lambda t: np.sum(s * _moving(point, d, t)))
    return weigh(
        truth,
        lambda: np.trace(left @ (centred * dm.X)) - np.trace(left @ (centred * dm.mu)),
        conditioned=(
            truth,
            lambda: (
                np.trace(left @ (centred * dm.X)) - np.trace(left @ (centred * (m.one @ dm.mu)))
            ),
        ),
    )


def _X_part(draw: Draw) -> Trial:
    point = symbols(draw, free=True)
    m, s = point.strict(), draw.matrix(*point.var.shape)
    truth = pulled_back(lambda X: variance(X, point.mu), point.X, s)
    return weigh(truth, lambda: (2 / m.N * m.one @ s) * (m.X - m.one @ m.mu))


def _mu_part(draw: Draw) -> Trial:
    point = symbols(draw, free=True)
    m, s = point.strict(), draw.matrix(*point.var.shape)
    return weigh(
        pulled_back(lambda mu: variance(point.X, mu), point.mu, s),
        lambda: -(2 / m.N * m.one @ s) * (m.X - m.one @ m.mu),
        corrected=lambda: -2 / m.N * s * (m.one.T @ (m.X - m.one @ m.mu)),
    )


def _sum_for_mu(draw: Draw) -> Trial:
    s = symbols(draw, free=True)
    by_Xhat = pulled_back(lambda mu: normalised(s.X, mu, s.var, s.eps), s.mu, s.A)
    by_var = pulled_back(lambda var: normalised(s.X, s.mu, var, s.eps), s.var, s.A)
    through_var = pulled_back(lambda mu: variance(s.X, mu), s.mu, by_var)
    truth = pulled_back(lambda mu: normalised(s.X, mu, variance(s.X, mu), s.eps), s.mu, s.A)
    return weigh(truth, lambda: by_Xhat + through_var)


def _mean_differential(draw: Draw) -> Trial:
    s = symbols(draw)
    dX = draw.matrix(*s.X.shape)
    return weigh(along(lambda t: mean(s.X + t * dX)), lambda: s.one.T @ dX / s.N)


def _trace_mean(draw: Draw) -> Trial:
    s = symbols(draw)
    dX, M = draw.matrix(*s.X.shape), draw.matrix(*s.mu.shape)
    truth = along(lambda t: np.sum(M * mean(s.X + t * dX)))
    return weigh(truth, lambda: np.trace(M.T @ (1 / s.N * s.one.T) @ dX))


def _X_part_of_mean(draw: Draw) -> Trial:
    s = symbols(draw)
    M = draw.matrix(*s.mu.shape)
    return weigh(pulled_back(mean, s.X, M), lambda: 1 / s.N * s.one @ M)


def _three_parts(draw: Draw) -> Trial:
    s = symbols(draw)
    by_var = pulled_back(lambda var: normalised(s.X, s.mu, var, s.eps), s.var, s.A)
    by_mu = pulled_back(lambda mu: normalised(s.X, mu, variance(s.X, mu), s.eps), s.mu, s.A)
    parts = (
        pulled_back(lambda X: normalised(X, s.mu, s.var, s.eps), s.X, s.A),
        pulled_back(mean, s.X, by_mu),
        pulled_back(lambda X: variance(X, s.mu), s.X, by_var),
    )
    truth = pulled_back(lambda X: batch_normalised(X, s.eps), s.X, s.A)
    return weigh(truth, lambda: sum(parts))


def _chain(m: Symbols, *, summed: bool) -> Array:
    """Return ∂L/∂X by the formulas of the summary; `summed`: with (∂L/∂μ) through σ² put right."""
    spread = m.one @ m.var + m.eps
    centred = m.X - m.one @ m.mu
    dXhat = m.G * (m.one @ m.gamma)
    dvar = -m.one.T @ (dXhat * (centred / (2 * spread**1.5)))
    dmu = -m.one.T @ (dXhat * (1 / np.sqrt(spread)))
    by_var = -(2 / m.N * m.one @ dvar) * centred
    dmu = dmu + (m.one.T @ by_var if summed else by_var)
    by_Xhat = dXhat * (1 / np.sqrt(spread))
    return by_Xhat + 1 / m.N * m.one @ dmu + (2 / m.N * m.one @ dvar) * centred


def _summary(draw: Draw) -> Trial:
    s = symbols(draw)
    return weigh(
        pulled_back(lambda X: batch_norm(X, s.gamma, s.beta, s.eps), s.X, s.G),
        lambda: _chain(s.strict(), summed=False),
        corrected=lambda: _chain(s.strict(), summed=True),
    )


_claim = partial(Claim, source="differential forms")
_MOVING = "complex step through σ² along dX and dμ, each on its own"
_FREE = "complex step through σ², μ any row, so that nothing vanishes"

MOMENTS = (
    _claim(
        key="differential forms/dvar of the square",
        place="Step 3, formula 2, line 1",
        says="dσ² = 1ᵀ d((X − 1μ)²)/N",
        how=f"{_MOVING}; square entry by entry",
        experiment=_square_line,
    ),
    _claim(
        key="differential forms/dvar",
        place="Step 3, formula 2, lines 2 and 3",
        says="dσ² = (2/N) 1ᵀ(X − 1μ) ⊙ d(X − 1μ)",
        how=f"{_MOVING}; from left to right a (1, D) meets an (N, D)",
        experiment=_chain_line,
        only_if="⊙ is taken before the matrix product",
    ),
    _claim(
        key="differential forms/dL from dvar",
        place="Step 3, formula 3, line 1",
        says="dL = tr((∂L/∂σ²)ᵀ dσ²)",
        how="complex step through X̂ along dσ²",
        experiment=_trace_var,
    ),
    _claim(
        key="differential forms/dL from the centred X",
        place="Step 3, formula 3, line 2",
        says="dL = tr((∂L/∂σ²)ᵀ (2/N) 1ᵀ(X − 1μ) ⊙ d(X − 1μ))",
        how=f"{_MOVING}; printed: product first, N = D so that it conforms; condition: N ≠ D",
        experiment=_trace_centred,
        only_if="⊙ is taken before the matrix product",
    ),
    _claim(
        key="differential forms/dL from dX and dmu through the variance",
        place="Step 3, formula 3, lines 3 and 4",
        says="dL = tr((∂L/∂σ²)ᵀ (2/N) 1ᵀ(X − 1μ) ⊙ dX) − tr((∂L/∂σ²)ᵀ (2/N) 1ᵀ(X − 1μ) ⊙ dμ)",
        how=f"{_MOVING}; ⊙ is taken first, and still (N, D) ⊙ (1, D) does not conform",
        experiment=_trace_two_terms,
        only_if="⊙ is taken first and dμ means 1dμ",
    ),
    _claim(
        key="differential forms/X part through the variance",
        place="Step 3, first term; summary, σ², line 2",
        says="(∂L/∂X) through σ² = ((2/N) 1 ∂L/∂σ²) ⊙ (X − 1μ)",
        how=_FREE,
        experiment=_X_part,
    ),
    _claim(
        key="differential forms/mu part through the variance",
        place="Step 3, second term; summary, σ², line 1",
        says="(∂L/∂μ) through σ² = −((2/N) 1 ∂L/∂σ²) ⊙ (X − 1μ)",
        how=f"{_FREE}; the formula is (N, D), μ is (1, D)",
        experiment=_mu_part,
        corrected="(∂L/∂μ) through σ² = −(2/N) ∂L/∂σ² ⊙ 1ᵀ(X − 1μ), which is 0 at the mean",
    ),
    _claim(
        key="differential forms/two parts of the gradient of mu",
        place="Step 4, formula 1; summary, μ, line 1",
        says="∂L/∂μ = (∂L/∂μ) at fixed σ² + (∂L/∂μ) through σ²",
        how="complex step through X̂ where σ² moves with μ, any row; each part by its own",
        experiment=_sum_for_mu,
    ),
    _claim(
        key="differential forms/dmu",
        place="Step 4, formula 3; step 2, the remark that dμ contains dX",
        says="dμ = 1ᵀdX/N",
        how="complex step through the column means",
        experiment=_mean_differential,
    ),
    _claim(
        key="differential forms/dL from dmu",
        place="Step 4, formula 4",
        says="dL = tr((∂L/∂μ)ᵀ dμ) = tr((∂L/∂μ)ᵀ 1ᵀdX/N)",
        how="complex step through the column means",
        experiment=_trace_mean,
    ),
    _claim(
        key="differential forms/X part through the mean",
        place="Step 4, conclusion; summary, μ, line 2",
        says="(∂L/∂X) through μ = (1/N) 1 ∂L/∂μ",
        how="complex step through the column means",
        experiment=_X_part_of_mean,
    ),
    _claim(
        key="differential forms/three parts of the gradient of X",
        place="Final step; summary, last formula",
        says="∂L/∂X = its part at fixed μ, σ² + its part through μ + its part through σ²",
        how="complex step through the whole normalisation, against one for each part",
        experiment=_three_parts,
    ),
    _claim(
        key="differential forms/summary carried through",
        place="Summary, from ∂L/∂X̂ to ∂L/∂X",
        says="the formulas of the summary, one after the other, give ∂L/∂X",
        how="complex step through all of Y; a row and an (N, D) cannot be added for ∂L/∂μ",
        experiment=_summary,
        corrected="with (∂L/∂μ) through σ² = −(2/N) ∂L/∂σ² ⊙ 1ᵀ(X − 1μ) they do",
    ),
)
