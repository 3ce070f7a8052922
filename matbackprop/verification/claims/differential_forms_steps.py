"""The note's step 2: from ∂L/∂X̂ to σ², μ and X; A in the code is ∂L/∂X̂."""

from collections.abc import Callable
from functools import partial

import numpy as np

from matbackprop._typing import Array
from matbackprop.verification.claims.claim import Claim, Trial, weigh
from matbackprop.verification.claims.definition import batch_normalised, normalised, variance
from matbackprop.verification.claims.differential_forms_matrices import (
    Symbols,
    along,
    hadamard_first,
    product_first,
    symbols,
)
from matbackprop.verification.claims.draw import Draw, pulled_back


def _moving(s: Symbols, d: Symbols, t: Array) -> Array:
    """Return X̂(t) where X, μ and σ² move along d, each on its own."""
    return normalised(s.X + t * d.X, s.mu + t * d.mu, s.var + t * d.var, s.eps)


def _quotient_line(draw: Draw) -> Trial:
    s = symbols(draw)
    d = s.direction(draw)
    m, dm = s.strict(), d.strict()
    spread = m.one @ m.var + s.eps
    root = np.sqrt(spread)
    droot = along(lambda t: np.sqrt(s.one @ (s.var + t * d.var) + s.eps))
    centred, dcentred = m.X - m.one @ m.mu, dm.X - m.one @ dm.mu
    return weigh(
        along(lambda t: _moving(s, d, t)),
        lambda: (dcentred * root - centred * droot) / spread,
    )


def _root_line(draw: Draw) -> Trial:
    s = symbols(draw)
    d = s.direction(draw)
    m, dm = s.strict(), d.strict()
    spread = m.one @ m.var + s.eps
    centred, dcentred = m.X - m.one @ m.mu, dm.X - m.one @ dm.mu
    dspread = along(lambda t: s.one @ (s.var + t * d.var) + s.eps)
    return weigh(
        along(lambda t: _moving(s, d, t)),
        lambda: dcentred / np.sqrt(spread) - centred * (0.5 * spread**-0.5) * dspread / spread,
    )


def _terms(m: Symbols, d: Symbols) -> tuple[Array, Array, Array, Array]:
    """Return dX and 1dμ over the root, the factor of dσ², and 1dσ²."""
    spread = m.one @ m.var + m.eps
    root = np.sqrt(spread)
    slope = (m.X - m.one @ m.mu) / (2 * spread**1.5)
    return d.X / root, (m.one @ d.mu) / root, slope, m.one @ d.var


def _last_line(draw: Draw) -> Trial:
    s = symbols(draw)
    d = s.direction(draw)
    dX, dmu, slope, dvar = _terms(s.strict(), d.strict())
    return weigh(along(lambda t: _moving(s, d, t)), lambda: dX - dmu - slope * dvar)


def _trace_whole(draw: Draw) -> Trial:
    s = symbols(draw)
    d = s.direction(draw)
    m = s.strict()
    dX, dmu, slope, dvar = _terms(m, d.strict())
    truth = along(lambda t: np.sum(s.A * _moving(s, d, t)))
    return weigh(truth, lambda: np.trace(m.A.T @ (dX - dmu - slope * dvar)))


def _trace_split(draw: Draw) -> Trial:
    s = symbols(draw)
    d = s.direction(draw)
    m = s.strict()
    dX, dmu, slope, dvar = _terms(m, d.strict())
    truth = along(lambda t: np.sum(s.A * _moving(s, d, t)))

    def three(trace: Callable[[Array, Array, Array], Array]) -> Array:
        return np.trace(m.A.T @ dX) - np.trace(m.A.T @ dmu) - trace(m.A.T, slope, dvar)

    return weigh(
        truth,
        lambda: three(product_first),
        conditioned=(truth, lambda: three(hadamard_first)),
    )


def _X_part(s: Symbols) -> Array:
    """Return ∂L/∂X with μ and σ² held fixed."""
    return pulled_back(lambda X: normalised(X, s.mu, s.var, s.eps), s.X, s.A)


def _mu_part(s: Symbols) -> Array:
    """Return ∂L/∂μ with X and σ² held fixed."""
    return pulled_back(lambda mu: normalised(s.X, mu, s.var, s.eps), s.mu, s.A)


def _var_gradient(s: Symbols) -> Array:
    """Return ∂L/∂σ² with X and μ held fixed."""
    return pulled_back(lambda var: normalised(s.X, s.mu, var, s.eps), s.var, s.A)


def _printed_X(m: Symbols) -> Array:
    return m.A * (1 / np.sqrt(m.one @ m.var + m.eps))


def _printed_mu(m: Symbols) -> Array:
    return -m.one.T @ (m.A * (1 / np.sqrt(m.one @ m.var + m.eps)))


def _printed_var(m: Symbols) -> Array:
    spread = m.one @ m.var + m.eps
    return -m.one.T @ (m.A * ((m.X - m.one @ m.mu) / (2 * spread**1.5)))


def _X_as_trace(draw: Draw) -> Trial:
    s = symbols(draw)
    m, dX = s.strict(), draw.matrix(*s.X.shape)
    trace = np.trace(_printed_X(m).T @ dX)
    return weigh(_X_part(s), lambda: trace, corrected=lambda: _printed_X(m))


def _mu_as_trace(draw: Draw) -> Trial:
    s = symbols(draw)
    m, dmu = s.strict(), draw.matrix(*s.mu.shape)
    trace = np.trace(_printed_mu(m).T @ dmu)
    return weigh(_mu_part(s), lambda: trace, corrected=lambda: _printed_mu(m))


def _var_as_trace(draw: Draw) -> Trial:
    s = symbols(draw)
    m, dvar = s.strict(), draw.matrix(*s.var.shape)
    trace = np.trace(_printed_var(m).T @ dvar)
    return weigh(_var_gradient(s), lambda: trace, corrected=lambda: _printed_var(m))


def _X_unmarked(draw: Draw) -> Trial:
    s = symbols(draw)
    truth = pulled_back(lambda X: batch_normalised(X, s.eps), s.X, s.A)
    return weigh(
        truth,
        lambda: _printed_X(s.strict()),
        conditioned=(_X_part(s), lambda: _printed_X(s.strict())),
    )


def _X_marked(draw: Draw) -> Trial:
    s = symbols(draw)
    return weigh(_X_part(s), lambda: _printed_X(s.strict()))


def _mu_unmarked(draw: Draw) -> Trial:
    s = symbols(draw)
    truth = pulled_back(lambda mu: normalised(s.X, mu, variance(s.X, mu), s.eps), s.mu, s.A)
    return weigh(truth, lambda: _printed_mu(s.strict()))


def _mu_marked(draw: Draw) -> Trial:
    s = symbols(draw, free=True)
    return weigh(_mu_part(s), lambda: _printed_mu(s.strict()))


def _var_printed(draw: Draw) -> Trial:
    s = symbols(draw, free=True)
    return weigh(_var_gradient(s), lambda: _printed_var(s.strict()))


_claim = partial(Claim, source="differential forms")
_ENTRIES = "roots, powers and fractions entry by entry"
_MOVING = f"complex step through X̂ along dX, dμ and dσ², each on its own; {_ENTRIES}"
_HELD = f"complex step through X̂ with the other two held fixed; {_ENTRIES}"
_SHAPES = "; a trace is one number, the gradient is not"

STEPS = (
    _claim(
        key="differential forms/dXhat by the quotient rule",
        place="Step 2, formula 3, line 2",
        says="dX̂ = (d(X − 1μ) ⊙ √(1σ² + ε) − (X − 1μ) ⊙ d√(1σ² + ε)) ⊘ (1σ² + ε)",
        how=_MOVING,
        experiment=_quotient_line,
    ),
    _claim(
        key="differential forms/dXhat with the root differentiated",
        place="Step 2, formula 3, line 3",
        says="dX̂ = (dX − 1dμ)/√(1σ² + ε) − (X − 1μ) ⊙ ½(1σ² + ε)^(−½) ⊙ d(1σ² + ε)/(1σ² + ε)",
        how=_MOVING,
        experiment=_root_line,
    ),
    _claim(
        key="differential forms/dXhat",
        place="Step 2, formula 3, line 4",
        says="dX̂ = (dX − 1dμ)/√(1σ² + ε) − (X − 1μ)/(2(1σ² + ε)^(3/2)) ⊙ 1dσ²",
        how=_MOVING,
        experiment=_last_line,
    ),
    _claim(
        key="differential forms/dL from dXhat",
        place="Step 2, formulas 4 and 5, line 1",
        says="dL = tr((∂L/∂X̂)ᵀ((dX − 1dμ)/√(1σ² + ε) − (X − 1μ)/(2(1σ² + ε)^(3/2)) ⊙ 1dσ²))",
        how=_MOVING,
        experiment=_trace_whole,
    ),
    _claim(
        key="differential forms/dL in traces of dX, dmu, dvar",
        place="Step 2, formula 5, line 2, and formula 6",
        says="dL = tr((∂L/∂X̂)ᵀ dX/√(1σ² + ε)) − tr((∂L/∂X̂)ᵀ 1dμ/√(1σ² + ε)) "
        "− tr((∂L/∂X̂)ᵀ (X − 1μ)/(2(1σ² + ε)^(3/2)) ⊙ 1dσ²)",
        how=f"{_MOVING}; from left to right (D, D) meets (N, D); with N = D both readings agree",
        experiment=_trace_split,
        only_if="⊙ is taken before the matrix product",
    ),
    _claim(
        key="differential forms/gradient of X equated with a trace",
        place="Step 2, first term, formula",
        says="(∂L/∂X) at fixed μ, σ² = tr((∂L/∂X̂ ⊘ √(1σ² + ε))ᵀdX)",
        how=_HELD + _SHAPES,
        experiment=_X_as_trace,
        corrected="the trace is the dX part of dL; the gradient is ∂L/∂X̂ ⊘ √(1σ² + ε)",
    ),
    _claim(
        key="differential forms/gradient of mu equated with a trace",
        place="Step 2, second term, formula",
        says="(∂L/∂μ) at fixed σ² = tr((−1ᵀ(∂L/∂X̂ ⊘ √(1σ² + ε)))ᵀdμ)",
        how=_HELD + _SHAPES,
        experiment=_mu_as_trace,
        corrected="the trace is the dμ part of dL; the gradient is −1ᵀ(∂L/∂X̂ ⊘ √(1σ² + ε))",
    ),
    _claim(
        key="differential forms/gradient of the variance equated with a trace",
        place="Step 2, third term, formula",
        says="∂L/∂σ² = tr((−1ᵀ(∂L/∂X̂ ⊙ (X − 1μ)/(2(1σ² + ε)^(3/2))))ᵀdσ²)",
        how=_HELD + _SHAPES,
        experiment=_var_as_trace,
        corrected="the trace is the dσ² part of dL; "
        "the gradient is −1ᵀ(∂L/∂X̂ ⊙ (X − 1μ)/(2(1σ² + ε)^(3/2)))",
    ),
    _claim(
        key="differential forms/gradient of X unmarked",
        place="Step 2, first term, conclusion",
        says="∂L/∂X = ∂L/∂X̂ ⊙ 1/√(1σ² + ε)",
        how="complex step through the whole normalisation, and through X̂ with fixed moments",
        experiment=_X_unmarked,
        only_if="μ and σ² are held fixed; the mark that says so is missing here",
    ),
    _claim(
        key="differential forms/X part through Xhat",
        place="Summary, X̂, line 3",
        says="(∂L/∂X) at fixed μ, σ² = ∂L/∂X̂ ⊙ 1/√(1σ² + ε)",
        how=_HELD,
        experiment=_X_marked,
    ),
    _claim(
        key="differential forms/gradient of mu unmarked",
        place="Step 2, second term, conclusion",
        says="∂L/∂μ = −1ᵀ(∂L/∂X̂ ⊙ 1/√(1σ² + ε))",
        how="complex step through X̂ where σ² moves with μ; at the mean that adds nothing",
        experiment=_mu_unmarked,
    ),
    _claim(
        key="differential forms/mu part through Xhat",
        place="Summary, X̂, line 2",
        says="(∂L/∂μ) at fixed σ² = −1ᵀ(∂L/∂X̂ ⊙ 1/√(1σ² + ε))",
        how=f"{_HELD}, μ any row",
        experiment=_mu_marked,
    ),
    _claim(
        key="differential forms/gradient of the variance",
        place="Step 2, third term, conclusion; summary, X̂, line 1",
        says="∂L/∂σ² = −1ᵀ(∂L/∂X̂ ⊙ (X − 1μ)/(2(1σ² + ε)^(3/2)))",
        how=f"{_HELD}, μ any row",
        experiment=_var_printed,
    ),
)
