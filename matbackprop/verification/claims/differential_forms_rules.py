"""The note's rules: differentials, gradients as Frobenius products, traces."""

from collections.abc import Callable
from functools import partial

import numpy as np

from matbackprop._typing import Array
from matbackprop.verification.claims.claim import Claim, Trial, weigh
from matbackprop.verification.claims.differential_forms_matrices import Matrix, along
from matbackprop.verification.claims.draw import Draw, differential, pulled_back


def _scalar_function(draw: Draw) -> tuple[Callable[[Array], Array], Array, Array]:
    """Draw L(X) = ⟨C, tanh(AXB)⟩, a point X and a direction dX."""
    k, m, n, p = draw.sizes(4)
    A, B, C = draw.matrix(k, m) / m, draw.matrix(n, p) / n, draw.matrix(k, p)
    return lambda X: np.sum(C * np.tanh(A @ X @ B)), draw.matrix(m, n), draw.matrix(m, n)


def _partials(L: Callable[[Array], Array], X: Array) -> Array:
    """Return ∂L/∂Xᵢⱼ, one complex step an entry, laid out as the note lays them out."""
    m, n = X.shape
    unit = np.eye(m * n).reshape(m, n, m, n)
    return np.array([[differential(L, X, unit[i, j]) for j in range(n)] for i in range(m)])


def _sum_of_partials(draw: Draw) -> Trial:
    L, X, dX = _scalar_function(draw)
    m, n = X.shape
    G = _partials(L, X)
    total = sum(G[i, j] * dX[i, j] for i in range(m) for j in range(n))
    return weigh(differential(L, X, dX), lambda: total)


def _layout(draw: Draw) -> Trial:
    L, X, _ = _scalar_function(draw)
    return weigh(pulled_back(L, X, np.ones(1)), lambda: _partials(L, X))


def _linear(draw: Draw) -> Trial:
    L, X, dX = _scalar_function(draw)
    other, a, b = draw.matrix(*X.shape), *draw.matrix(2)
    truth = differential(L, X, a * dX + b * other)
    return weigh(truth, lambda: a * differential(L, X, dX) + b * differential(L, X, other))


def _frobenius(draw: Draw) -> Trial:
    L, X, dX = _scalar_function(draw)
    return weigh(differential(L, X, dX), lambda: np.trace(_partials(L, X).T @ dX))


def _entries(draw: Draw) -> Trial:
    m, n = draw.sizes(2)
    A, B = draw.matrix(m, n), draw.matrix(m, n)
    truth = np.trace(A.T @ B)
    return weigh(truth, lambda: A * B, conditioned=(truth, lambda: np.einsum("ij,ij", A, B)))


def _pairs(draw: Draw) -> tuple[Matrix, ...]:
    """Draw X, dX, Y, dY of one shape; Y stays away from 0."""
    m, n = draw.sizes(2)
    X, dX, dY = (draw.matrix(m, n).view(Matrix) for _ in range(3))
    return X, dX, draw.positive(m, n).view(Matrix), dY


def _sum_rule(draw: Draw) -> Trial:
    X, dX, Y, dY = _pairs(draw)
    truth = [along(lambda t, s=s: X + t * dX + s * (Y + t * dY)) for s in (1, -1)]  # type: ignore[misc]
    return weigh(truth, lambda: [dX + dY, dX - dY])


def _product_rule(draw: Draw) -> Trial:
    n = draw.size()
    X, dX, Y, dY = (draw.matrix(n, n) for _ in range(4))
    truth = along(lambda t: (X + t * dX) @ (Y + t * dY))
    return weigh(truth, lambda: X @ dY + Y @ dX, corrected=lambda: dX @ Y + X @ dY)


def _transpose(draw: Draw) -> Trial:
    X, dX, _, _ = _pairs(draw)
    return weigh(differential(np.transpose, X, dX), lambda: dX.T)


def _trace(draw: Draw) -> Trial:
    n = draw.size()
    X, dX = draw.matrix(n, n), draw.matrix(n, n)
    return weigh(differential(np.trace, X, dX), lambda: np.trace(dX))


def _invertible(draw: Draw) -> tuple[Array, Array]:
    n = draw.size()
    return draw.matrix(n, n) + 2 * n * np.eye(n), draw.matrix(n, n)


def _inverse(draw: Draw) -> Trial:
    X, dX = _invertible(draw)
    Xinv = np.linalg.inv(X)
    return weigh(differential(np.linalg.inv, X, dX), lambda: -Xinv @ dX @ Xinv)


def _determinant(draw: Draw) -> Trial:
    X, dX = _invertible(draw)
    truth = differential(np.linalg.det, X, dX)
    return weigh(truth, lambda: np.linalg.det(X) * np.trace(np.linalg.inv(X) @ dX))


def _hadamard(draw: Draw) -> Trial:
    X, dX, Y, dY = _pairs(draw)
    return weigh(along(lambda t: (X + t * dX) * (Y + t * dY)), lambda: Y * dX + X * dY)


def _quotient(draw: Draw) -> Trial:
    X, dX, Y, dY = _pairs(draw)
    truth = along(lambda t: (X + t * dX) / (Y + t * dY))
    return weigh(truth, lambda: (dX * Y - X * dY) / Y**2)


def _function(draw: Draw) -> Trial:
    X, dX, _, _ = _pairs(draw)
    truth = [differential(f, X, dX) for f in (np.tanh, np.sin, np.exp)]
    return weigh(truth, lambda: [f * dX for f in (1 - np.tanh(X) ** 2, np.cos(X), np.exp(X))])


def _trace_of_number(draw: Draw) -> Trial:
    n = draw.size()
    u, v = draw.matrix(n, 1), draw.matrix(n, 1)
    return weigh(np.sum(u * v), lambda: np.trace(u.T @ v))


def _trace_of_transpose(draw: Draw) -> Trial:
    n = draw.size()
    A = draw.matrix(n, n)
    return weigh(sum(A[i, i] for i in range(n)), lambda: np.trace(A.T))


def _trace_of_sum(draw: Draw) -> Trial:
    n = draw.size()
    A, B = draw.matrix(n, n), draw.matrix(n, n)
    return weigh(np.trace(A + B), lambda: np.trace(A) + np.trace(B))


def _cyclic(draw: Draw) -> Trial:
    m, n = draw.sizes(2)
    A, B = draw.matrix(m, n), draw.matrix(n, m)
    return weigh(np.trace(A @ B), lambda: np.trace(B @ A))


def _trace_of_hadamard(draw: Draw) -> Trial:
    A, B, C, _ = _pairs(draw)
    return weigh(np.trace(A.T @ (B * C)), lambda: np.trace((A * B).T @ C))


_claim = partial(Claim, source="differential forms")
_RECALL, _RULES, _TRACES = "Recall of essential rules", "Differential rules", "Trace rules"
_STEP = "complex step along random directions, random shapes"
_SIDES = "both sides, random matrices of random shapes"

RULES = (
    _claim(
        key="differential forms/sum of partials",
        place=f"{_RECALL}, formula 1",
        says="dL = Σᵢⱼ ∂L/∂Xᵢⱼ dXᵢⱼ",
        how="complex step of L = ⟨C, tanh(AXB)⟩ along dX, against one for each entry of X",
        experiment=_sum_of_partials,
    ),
    _claim(
        key="differential forms/layout of a gradient",
        place=f"{_RECALL}, formula 2",
        says="∂L/∂X is (m, n) as X is, with ∂L/∂Xᵢⱼ in row i, column j",
        how="gradient of L = ⟨C, tanh(AXB)⟩ in the shape of X, against its partials laid out so",
        experiment=_layout,
    ),
    _claim(
        key="differential forms/linearity of the differential",
        place=f"{_RECALL}, the remark on dX; step 2, where gradients are added later",
        says="dL is linear in dX",
        how="complex step along a dX + b dX′, against the two steps combined",
        experiment=_linear,
    ),
    _claim(
        key="differential forms/Frobenius product",
        place=f"{_RECALL}, the important formula",
        says="dL = tr((∂L/∂X)ᵀ dX)",
        how="complex step of L = ⟨C, tanh(AXB)⟩ along dX; ∂L/∂X entry by entry",
        experiment=_frobenius,
    ),
    _claim(
        key="differential forms/trace by entries",
        place=f"{_RECALL}, below the important formula",
        says="tr(AᵀB) = AᵢⱼBᵢⱼ",
        how="the trace itself; as written the right side is one entry, not a sum",
        experiment=_entries,
        only_if="repeated indices are summed over, a convention the note does not state",
    ),
    _claim(
        key="differential forms/sum rule",
        place=f"{_RULES}, line 1",
        says="d(X ± Y) = dX ± dY",
        how=_STEP,
        experiment=_sum_rule,
    ),
    _claim(
        key="differential forms/product rule",
        place=f"{_RULES}, line 2",
        says="d(XY) = X dY + Y dX",
        how="complex step along (dX, dY), square X, Y: for other shapes Y dX does not conform",
        experiment=_product_rule,
        corrected="d(XY) = dX Y + X dY",
    ),
    _claim(
        key="differential forms/transpose",
        place=f"{_RULES}, line 3",
        says="d(Xᵀ) = (dX)ᵀ",
        how=_STEP,
        experiment=_transpose,
    ),
    _claim(
        key="differential forms/trace",
        place=f"{_RULES}, line 4",
        says="d tr(X) = tr(dX)",
        how=_STEP,
        experiment=_trace,
    ),
    _claim(
        key="differential forms/inverse",
        place=f"{_RULES}, invertible X, line 1",
        says="d(X⁻¹) = −X⁻¹ dX X⁻¹",
        how="complex step through the inverse",
        experiment=_inverse,
    ),
    _claim(
        key="differential forms/determinant",
        place=f"{_RULES}, invertible X, line 2",
        says="d det X = det X tr(X⁻¹ dX)",
        how="complex step through the determinant",
        experiment=_determinant,
    ),
    _claim(
        key="differential forms/Hadamard product",
        place=f"{_RULES}, entrywise operations, line 1; step 2",
        says="d(X ⊙ Y) = Y ⊙ dX + X ⊙ dY",
        how=_STEP,
        experiment=_hadamard,
    ),
    _claim(
        key="differential forms/Hadamard quotient",
        place=f"{_RULES}, entrywise operations, line 2; step 2",
        says="d(X ⊘ Y) = (dX ⊙ Y − X ⊙ dY) ⊘ Y²",
        how=f"{_STEP}; square and fraction entry by entry, as the heading says",
        experiment=_quotient,
    ),
    _claim(
        key="differential forms/entrywise function",
        place=f"{_RULES}, entrywise functions; step 2",
        says="dσ(X) = σ′(X) ⊙ dX",
        how="complex step through tanh, sin and exp",
        experiment=_function,
    ),
    _claim(
        key="differential forms/trace of a number",
        place=f"{_TRACES}, 1",
        says="tr(a) = a for a number a",
        how="a = uᵀv, as a number and as a (1, 1) matrix",
        experiment=_trace_of_number,
    ),
    _claim(
        key="differential forms/trace of a transpose",
        place=f"{_TRACES}, 2",
        says="tr(A) = tr(Aᵀ)",
        how="the sum of the diagonal entries of A",
        experiment=_trace_of_transpose,
    ),
    _claim(
        key="differential forms/trace of a sum",
        place=f"{_TRACES}, 3",
        says="tr(A + B) = tr(A) + tr(B)",
        how=_SIDES,
        experiment=_trace_of_sum,
    ),
    _claim(
        key="differential forms/cyclic rule",
        place=f"{_TRACES}, 4",
        says="tr(AB) = tr(BA)",
        how=f"{_SIDES}, A and B not square",
        experiment=_cyclic,
    ),
    _claim(
        key="differential forms/trace of a Hadamard product",
        place=f"{_TRACES}, 5",
        says="tr(Aᵀ(B ⊙ C)) = tr((A ⊙ B)ᵀC)",
        how=_SIDES,
        experiment=_trace_of_hadamard,
    ),
)
