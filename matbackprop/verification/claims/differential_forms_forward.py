"""The note's forward pass and its step 1: from ∂L/∂Y to β, γ and X̂."""

from collections.abc import Callable
from functools import partial

import numpy as np

from matbackprop._typing import Array
from matbackprop.verification.claims.claim import Claim, Trial, weigh
from matbackprop.verification.claims.definition import affine, batch_normalised, mean, variance
from matbackprop.verification.claims.differential_forms_matrices import (
    Symbols,
    along,
    hadamard_first,
    product_first,
    symbols,
)
from matbackprop.verification.claims.draw import Draw, pulled_back


def _dimensions(draw: Draw) -> Trial:
    s = symbols(draw)
    N, D = s.X.shape
    one, Xhat = s.one, batch_normalised(s.X, s.eps)
    mean = one.T @ s.X / N
    found = (mean, one.T @ s.X**2 / N - mean**2, Xhat, one @ s.gamma * Xhat + one @ s.beta)
    return weigh([array.shape for array in found], lambda: [(1, D), (1, D), (N, D), (N, D)])


def _mean_without_sum(draw: Draw) -> Trial:
    s = symbols(draw)
    i = draw.size(0, s.N - 1)
    rows = [s.X[k : k + 1] for k in range(s.N)]
    return weigh(mean(s.X), lambda: rows[i] / s.N, corrected=lambda: sum(rows) / s.N)


def _variance(draw: Draw) -> Trial:
    s = symbols(draw)
    m = s.strict()
    return weigh(variance(s.X), lambda: sum((m.X[i : i + 1] - m.mu) ** 2 for i in range(s.N)) / s.N)


def _normalised_unspread(draw: Draw) -> Trial:
    s = symbols(draw)
    m = s.strict()
    truth = batch_normalised(s.X, s.eps)
    return weigh(
        truth,
        lambda: (m.X - m.mu) / np.sqrt(m.var + s.eps),
        conditioned=(truth, lambda: (s.X - s.mu) / np.sqrt(s.var + s.eps)),
    )


def _normalised_spread(draw: Draw) -> Trial:
    s = symbols(draw)
    m = s.strict()
    printed = (m.X - m.one @ m.mu) / np.sqrt(m.one @ m.var + s.eps)
    return weigh(batch_normalised(s.X, s.eps), lambda: printed)


def _mean_vectorised(draw: Draw) -> Trial:
    m = symbols(draw).strict()
    return weigh(mean(m.X), lambda: m.one.T @ m.X / m.N)


def _variance_vectorised(draw: Draw) -> Trial:
    m = symbols(draw).strict()
    return weigh(variance(m.X), lambda: m.one.T @ (m.X - m.one @ m.mu) ** 2 / m.N)


def _output(draw: Draw) -> Trial:
    m = symbols(draw).strict()
    truth = affine(m.Xhat, m.gamma, m.beta)
    return weigh(truth, lambda: (m.one @ m.gamma) * m.Xhat + m.one @ m.beta)


def _output_differential(draw: Draw) -> Trial:
    s = symbols(draw)
    m, d = s.strict(), s.direction(draw).strict()
    return weigh(
        along(lambda t: _output_along(s, d, t)),
        lambda: (m.one @ d.gamma) * m.Xhat + (m.one @ m.gamma) * d.Xhat + m.one @ d.beta,
    )


def _output_along(s: Symbols, d: Symbols, t: Array) -> Array:
    """Return Y(t) where γ, X̂ and β move along d."""
    dgamma, dXhat, dbeta = (np.asarray(x) for x in (d.gamma, d.Xhat, d.beta))
    return affine(s.Xhat + t * dXhat, s.gamma + t * dgamma, s.beta + t * dbeta)


def _trace_whole(draw: Draw) -> Trial:
    s = symbols(draw)
    m, d = s.strict(), s.direction(draw).strict()
    truth = along(lambda t: np.sum(s.G * _output_along(s, d, t)))
    one = m.one
    dY = (one @ d.gamma) * m.Xhat + (one @ m.gamma) * d.Xhat + one @ d.beta
    return weigh(truth, lambda: np.trace(m.G.T @ dY))


def _trace_split(draw: Draw) -> Trial:
    s, other = symbols(draw, square=True), symbols(draw)
    d, other_d = s.direction(draw), other.direction(draw)

    def three(m: Symbols, d: Symbols, trace: Callable[[Array, Array, Array], Array]) -> Array:
        first = trace(m.G.T, m.one @ d.gamma, m.Xhat)
        return first + trace(m.G.T, m.one @ m.gamma, d.Xhat) + np.trace(m.G.T @ m.one @ d.beta)

    return weigh(
        along(lambda t: np.sum(s.G * _output_along(s, d, t))),
        lambda: three(s.strict(), d.strict(), product_first),
        conditioned=(
            along(lambda t: np.sum(other.G * _output_along(other, other_d, t))),
            lambda: three(other.strict(), other_d.strict(), hadamard_first),
        ),
    )


def _gamma_part(s: Symbols, dgamma: Array) -> Array:
    """Return the part of dL that stems from dγ."""
    return along(lambda t: np.sum(s.G * affine(s.Xhat, s.gamma + t * dgamma, s.beta)))


def _ones_pulled_out(draw: Draw) -> Trial:
    s = symbols(draw, square=True)
    m, dgamma = s.strict(), draw.matrix(*s.gamma.shape)
    return weigh(
        _gamma_part(s, dgamma),
        lambda: np.trace(((m.one.T @ m.G).T @ dgamma) * m.Xhat),
        corrected=lambda: np.trace((m.one.T @ (m.G * m.Xhat)).T @ dgamma),
    )


def _gamma_exchanged(draw: Draw) -> Trial:
    s = symbols(draw)
    m, dgamma = s.strict(), draw.matrix(*s.gamma.shape)
    return weigh(
        _gamma_part(s, dgamma),
        lambda: np.trace(((m.one.T @ m.G).T @ m.Xhat) * dgamma),
        corrected=lambda: np.trace(m.one.T @ (m.G * m.Xhat) @ dgamma.T),
    )


def _gamma_trace(draw: Draw) -> Trial:
    s = symbols(draw)
    m, dgamma = s.strict(), draw.matrix(*s.gamma.shape)
    return weigh(
        _gamma_part(s, dgamma),
        lambda: np.trace((m.Xhat.T @ m.one.T @ m.G).T @ dgamma),
        corrected=lambda: np.trace((m.one.T @ (m.Xhat * m.G)).T @ dgamma),
    )


def _gamma_gradient(draw: Draw) -> Trial:
    s = symbols(draw)
    m = s.strict()
    return weigh(
        pulled_back(lambda gamma: affine(s.Xhat, gamma, s.beta), s.gamma, s.G),
        lambda: m.Xhat.T @ m.one.T @ m.G,
        corrected=lambda: m.one.T @ (m.G * m.Xhat),
    )


def _Xhat_trace(draw: Draw) -> Trial:
    s = symbols(draw)
    m, dXhat = s.strict(), draw.matrix(*s.X.shape)
    truth = along(lambda t: np.sum(s.G * affine(s.Xhat + t * dXhat, s.gamma, s.beta)))
    return weigh(truth, lambda: np.trace((m.G * (m.one @ m.gamma)).T @ dXhat))


def _Xhat_gradient(draw: Draw) -> Trial:
    s = symbols(draw)
    m = s.strict()
    truth = pulled_back(lambda Xhat: affine(Xhat, s.gamma, s.beta), s.Xhat, s.G)
    return weigh(truth, lambda: m.G * (m.one @ m.gamma))


def _beta_gradient(draw: Draw) -> Trial:
    s = symbols(draw)
    m = s.strict()
    truth = pulled_back(lambda beta: affine(s.Xhat, s.gamma, beta), s.beta, s.G)
    return weigh(truth, lambda: m.one.T @ m.G)


_claim = partial(Claim, source="differential forms")
_LOOPS = "the definition, each column by itself; root and fraction entry by entry"
_PULLED = "complex step through Y = γ ⊙ X̂ + β"

FORWARD = (
    _claim(
        key="differential forms/dimensions",
        place="Batch normalization, list of variables",
        says="μ and σ² are rows of D, X̂ and Y are (N, D)",
        how="the shapes that come out of the formulas, N ≠ D",
        experiment=_dimensions,
    ),
    _claim(
        key="differential forms/mean",
        place="Forward pass, by rows, line 1",
        says="μ = Xᵢ/N",
        how="the mean of each column; to the letter, with one row for Xᵢ, any",
        experiment=_mean_without_sum,
        corrected="μ = Σᵢ Xᵢ/N",
    ),
    _claim(
        key="differential forms/variance",
        place="Forward pass, by rows, line 2",
        says="σ² = Σᵢ(Xᵢ − μ)²/N",
        how="the variance of each column by itself, divisor N; squares entry by entry",
        experiment=_variance,
    ),
    _claim(
        key="differential forms/normalisation without 1",
        place="Forward pass, by rows and vectorised, line 3",
        says="X̂ = (X − μ)/√(σ² + ε)",
        how=f"{_LOOPS}; X is (N, D) and μ (1, D), so X − μ itself does not conform",
        experiment=_normalised_unspread,
        only_if="μ and σ² are repeated in each row, as step 2 writes: 1μ, 1σ²",
    ),
    _claim(
        key="differential forms/mean vectorised",
        place="Forward pass, vectorised, line 1; step 4",
        says="μ = 1ᵀX/N",
        how="the mean of each column",
        experiment=_mean_vectorised,
    ),
    _claim(
        key="differential forms/variance vectorised",
        place="Forward pass, vectorised, line 2; step 3",
        says="σ² = 1ᵀ(X − 1μ)²/N",
        how="the variance of each column by itself, divisor N; square entry by entry",
        experiment=_variance_vectorised,
    ),
    _claim(
        key="differential forms/output",
        place="Forward pass, vectorised, line 4; step 1",
        says="Y = (1γ) ⊙ X̂ + 1β",
        how="γx̂ + β, each column by itself",
        experiment=_output,
    ),
    _claim(
        key="differential forms/dY",
        place="Step 1, formula 2",
        says="dY = (1dγ) ⊙ X̂ + (1γ) ⊙ dX̂ + 1dβ",
        how=f"{_PULLED} along (dγ, dX̂, dβ)",
        experiment=_output_differential,
    ),
    _claim(
        key="differential forms/dL from dY",
        place="Step 1, formula 3, lines 1 and 2",
        says="dL = tr((∂L/∂Y)ᵀ((1dγ) ⊙ X̂ + (1γ) ⊙ dX̂ + 1dβ))",
        how=f"{_PULLED} along (dγ, dX̂, dβ)",
        experiment=_trace_whole,
    ),
    _claim(
        key="differential forms/dL in three traces",
        place="Step 1, formula 3, line 3",
        says="dL = tr((∂L/∂Y)ᵀ(1dγ) ⊙ X̂) + tr((∂L/∂Y)ᵀ(1γ) ⊙ dX̂) + tr((∂L/∂Y)ᵀ1dβ)",
        how=f"{_PULLED}; printed: product first, N = D so that it conforms; condition: N ≠ D",
        experiment=_trace_split,
        only_if="⊙ is taken before the matrix product",
    ),
    _claim(
        key="differential forms/1 drawn out of a Hadamard product",
        place="Step 1, formula 3, line 4; first term, line 1",
        says="tr((∂L/∂Y)ᵀ(1dγ) ⊙ X̂) = tr((1ᵀ∂L/∂Y)ᵀdγ ⊙ X̂)",
        how=f"{_PULLED} along dγ; product before ⊙, and N = D, for else the right side does not "
        "conform",
        experiment=_ones_pulled_out,
        corrected="tr((1ᵀ(∂L/∂Y ⊙ X̂))ᵀdγ)",
    ),
    _claim(
        key="differential forms/factors exchanged",
        place="Step 1, first term, line 2",
        says="the dγ part of dL = tr((1ᵀ∂L/∂Y)ᵀX̂ ⊙ dγ)",
        how=f"{_PULLED} along dγ; to the letter, product before ⊙: (D, 1) times (N, D) does not "
        "conform. Nor does X̂ ⊙ dγ, if ⊙ is taken first, nor the product with X̂ ⊙ 1dγ",
        experiment=_gamma_exchanged,
        corrected="tr(1ᵀ(∂L/∂Y ⊙ X̂)(dγ)ᵀ)",
    ),
    _claim(
        key="differential forms/trace for the gradient of gamma",
        place="Step 1, first term, line 3",
        says="the dγ part of dL = tr((X̂ᵀ1ᵀ∂L/∂Y)ᵀdγ)",
        how=f"{_PULLED} along dγ; X̂ᵀ1ᵀ, (D, N) times (1, N), does not conform",
        experiment=_gamma_trace,
        corrected="tr((1ᵀ(X̂ ⊙ ∂L/∂Y))ᵀdγ)",
    ),
    _claim(
        key="differential forms/gradient of gamma",
        place="Step 1, first term, conclusion; summary",
        says="∂L/∂γ = X̂ᵀ1ᵀ∂L/∂Y",
        how=f"{_PULLED}; X̂ᵀ1ᵀ, (D, N) times (1, N), does not conform",
        experiment=_gamma_gradient,
        corrected="∂L/∂γ = 1ᵀ(∂L/∂Y ⊙ X̂)",
    ),
    _claim(
        key="differential forms/trace for the gradient of Xhat",
        place="Step 1, second term, line 2 of the product rule",
        says="the dX̂ part of dL = tr((∂L/∂Y ⊙ 1γ)ᵀdX̂)",
        how=f"{_PULLED} along dX̂; here the product 1γ comes before ⊙",
        experiment=_Xhat_trace,
    ),
    _claim(
        key="differential forms/gradient of Xhat",
        place="Step 1, second term, conclusion; summary",
        says="∂L/∂X̂ = ∂L/∂Y ⊙ 1γ",
        how=_PULLED,
        experiment=_Xhat_gradient,
    ),
    _claim(
        key="differential forms/gradient of beta",
        place="Step 1, third term; summary",
        says="∂L/∂β = 1ᵀ∂L/∂Y",
        how=_PULLED,
        experiment=_beta_gradient,
    ),
    _claim(
        key="differential forms/normalisation with 1",
        place="Step 2, formula 2",
        says="X̂ = (X − 1μ)/√(1σ² + ε)",
        how=_LOOPS,
        experiment=_normalised_spread,
    ),
)
