"""Terms that are missing, too many, or wrong: the difference lies in the span of what is known."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations
from typing import NamedTuple

import numpy as np

from matbackprop._typing import Array
from matbackprop.checking.cause import Base, Cause
from matbackprop.checking.constants import close, constant
from matbackprop.checking.explanations.factors import factor_causes
from matbackprop.checking.view import Explanation, View

_MOST_PAIRS = 12
_PENALTY = 1.25  # the cost of what is given, or a penalty; products are guesses


class Term(NamedTuple):
    """An array in the shape of the gradient that may be one of its terms."""

    name: str
    value: Array
    cost: float
    given: bool  # the user named it as such a term, rather than we guessed it


def candidate_terms(view: View, /) -> list[Term]:
    """Return what may be a term of the gradient.

    These are the known arrays in its shape; sums and products of known matrices that come in its
    shape (Xᵀu, Xᵀ1, AᵀAθ); and what many losses add by way of the parameter θ itself: θ of a
    ridge, sign(θ) of a lasso, θ⁻ᵀ of a log-determinant, a constant.
    """
    shape = view.g.shape
    found = [
        *_given(view, shape),
        *_own(view, shape),
        *_products(view, shape),
        *_outer(view, shape),
    ]
    # One of each: the first that points in a direction has the better name.
    kept: list[Term] = []
    for term in found:
        if not np.isfinite(term.value).all() or not term.value.any():
            continue
        if not any(_parallel(term.value, other.value) for other in kept):
            kept.append(term)
    return kept


def added_terms(base: Base, candidates: list[Term], view: View, /) -> Iterator[Explanation]:
    """Yield one term too many or too few, alone or with a constant factor on everything."""
    if view.g.size < 2:
        candidates = [term for term in candidates if term.given]
    candidates = [
        term for term in candidates if not _parallel(base.value, term.value) or view.g.size < 2
    ]
    gap = view.g - base.value
    for term in candidates:
        a = _coefficient(gap, term.value, view, base)
        if view.g.size < 2 and a is not None and not close(abs(a), 1.0):
            continue  # one number in one equation would explain anything
        if a is not None and np.abs(a * term.value).max() > 1e-8 * np.abs(view.g).max():
            predicted = base.value + a * term.value
            matched = view.matches(predicted, base.error)
            if matched.all():
                cause = term_cause(a, term, view)
                yield Explanation((*base.causes, cause), predicted, base.cost + term.cost, matched)
                continue
        if view.g.size >= 3:
            yield from _with_factor(base, term, view)
    if view.g.size >= 3:
        # Pairs of guesses would explain much that they have nothing to do with.
        for pair in combinations([t for t in candidates if t.cost < 1.3][:_MOST_PAIRS], 2):
            yield from _two_terms(base, pair, view)


def _with_factor(base: Base, term: Term, view: View) -> Iterator[Explanation]:
    solution = _solved([base.value, term.value], view)
    if solution is None:
        return
    c, a = solution
    # Where the gradient is nothing but the term, the truth would be let in by a factor of dust.
    if abs(c) * np.abs(base.value).max() <= 1e-4 * np.abs(view.g).max():
        return
    predicted = c * base.value + a * term.value
    matched = view.matches(predicted, abs(c) * base.error)
    if not matched.all() or close(c, 1.0):
        return
    factor, cost = factor_causes(float(c), view, base)
    # g = c(t − κτ) + κτ: the factor may be on everything but the term, κ times τ.
    kappa = constant(float(a / (1 - c)), view.quantities.sizes)
    if factor and term.cost <= _PENALTY and kappa.amount == kappa.name and kappa.value > 0:
        amount = term.name if close(kappa.value, 1.0) else f"{kappa.name} · {term.name}"
        beside = replace(
            factor[0],
            sentence=f"All but the term {amount} is "
            f"{constant(float(c), view.quantities.sizes).text} times what it should be.",
            key=f"{factor[0].key} beside {term.name}",
        )
        yield Explanation((*base.causes, beside), predicted, base.cost + cost + 0.5, matched)
    cause = term_cause(float(a / c), term, view)
    yield Explanation(
        (*base.causes, *factor, cause), predicted, base.cost + cost + term.cost, matched
    )


def _two_terms(base: Base, pair: tuple[Term, Term], view: View) -> Iterator[Explanation]:
    gap = view.g - base.value
    solution = _solved([term.value for term in pair], view, gap)
    if solution is None:
        return
    predicted = base.value + sum(a * term.value for a, term in zip(solution, pair, strict=True))
    matched = view.matches(predicted, base.error)
    if matched.all() and (np.abs(solution) > 1e-9).all():
        causes = tuple(
            term_cause(float(a), term, view) for a, term in zip(solution, pair, strict=True)
        )
        cost = sum(term.cost for term in pair) + 0.2
        yield Explanation(base.causes + causes, predicted, base.cost + cost, matched)


def term_cause(a: float, term: Term, view: View, /) -> Cause:
    """Return the mistake that a times a term is, where the gradient has that too much."""
    k = constant(a, view.quantities.sizes)
    size = constant(abs(a), view.quantities.sizes)
    amount = term.name if close(abs(a), 1.0) else f"{size.amount} · {term.name}"
    evidence = f"gradient − truth = {k.amount} · {term.name}"
    key = f"{term.name} {a:.4g}"
    if term.given and close(a, -2.0):
        return Cause(
            "wrong term",
            f"The term {term.name} has the wrong sign.",
            f"Change the sign of {term.name}.",
            evidence,
            key,
        )
    if a < 0:
        return Cause(
            "missing term", f"A term is missing: {amount}.", f"Add {amount}.", evidence, key
        )
    return Cause(
        "extra term", f"There is a term too many: {amount}.", f"Leave out {amount}.", evidence, key
    )


def _given(view: View, shape: tuple[int, ...]) -> Iterator[Term]:
    for name, a in view.quantities.arrays.items():
        if name in view.quantities.own:
            continue
        if a.shape == shape:
            yield Term(name, a, 1.0, given=True)
        elif len(shape) == 2 and a.ndim == 1 and min(shape) > 1:
            if a.size == shape[1]:
                yield Term(
                    f"1·{name}ᵀ (the same in each row)",
                    np.broadcast_to(a, shape),
                    1.25,
                    given=False,
                )
            if a.size == shape[0]:
                yield Term(
                    f"{name}·1ᵀ (the same in each column)",
                    np.broadcast_to(a[:, None], shape),
                    1.25,
                    given=False,
                )


def _own(view: View, shape: tuple[int, ...]) -> Iterator[Term]:
    for name, number in view.quantities.sizes.items():
        if view.g.size == 1:
            yield Term(name, np.full(shape, number), 1.2, given=True)
    theta = view.theta
    if theta is None or theta.shape != shape:
        return
    me = view.name or "θ"
    square = len(shape) == 2 and shape[0] == shape[1]
    yield Term(f"{me} itself (as of a ridge penalty)", theta, 1.2, given=False)
    yield Term(f"sign({me}) (as of a lasso penalty)", np.sign(theta), 1.3, given=False)
    if square:
        try:
            inverse = np.linalg.inv(theta)
        except np.linalg.LinAlgError:
            pass
        else:
            yield Term(f"{me}⁻ᵀ (as of log|{me}|)", inverse.T, 1.2, given=False)
            yield Term(f"{me}⁻¹", inverse, 1.3, given=False)
            yield Term(f"diag({me}⁻¹)", np.diag(np.diag(inverse)), 1.35, given=False)
            if np.diag(theta).all():
                yield Term(f"diag(1/{me}ⱼⱼ)", np.diag(1 / np.diag(theta)), 1.35, given=False)
        yield Term("the identity", np.eye(len(theta)), 1.3, given=False)
        yield Term(f"{me}ᵀ", theta.T, 1.3, given=False)
    if (theta != 0).all():
        yield Term(f"1/{me}, entry by entry", 1 / theta, 1.35, given=False)
    yield Term("a constant, the same for each entry", np.ones(shape), 1.3, given=False)
    yield Term(f"{me}², entry by entry", theta**2, 1.4, given=False)
    if square:
        yield Term("the transpose of the gradient", view.t.T, 1.5, given=False)


def _products(view: View, shape: tuple[int, ...]) -> Iterator[Term]:
    """Yield products of known matrices, with vectors and with θ, that come in this shape."""
    if not shape:
        return
    arrays = view.quantities.arrays
    theta = view.theta if view.theta is not None and view.theta.shape == shape else None
    for name, A in arrays.items():
        if A.ndim != 2 or name in view.quantities.own:
            continue
        m, n = A.shape
        if theta is not None and n == shape[0]:
            if m == n:
                yield Term(f"{name} θ", A @ theta, 1.3, given=False)
                yield Term(f"{name}ᵀ θ", A.T @ theta, 1.3, given=False)
            yield Term(f"{name}ᵀ{name} θ", A.T @ (A @ theta), 1.35, given=False)
        if n != shape[0]:
            continue
        for other, B in arrays.items():
            if other != name and B.ndim and len(B) == m and (m, *shape[1:]) == B.shape:
                yield Term(f"{name}ᵀ{other}", A.T @ B, 1.3, given=False)
        if len(shape) == 1:
            yield Term(f"{name}ᵀ1", A.sum(axis=0), 1.35, given=False)


def _outer(view: View, shape: tuple[int, ...]) -> Iterator[Term]:
    """Yield products u·vᵀ of a known vector as long as a column with one as long as a row."""
    if len(shape) != 2 or min(shape) < 2:
        return
    vectors = {k: a for k, a in view.quantities.arrays.items() if a.ndim == 1}
    for left, u in vectors.items():
        for right, v in vectors.items():
            if left != right and (u.size, v.size) == shape:
                yield Term(f"{left}·{right}ᵀ", np.outer(u, v), 1.25, given=False)


def _coefficient(gap: Array, term: Array, view: View, base: Base) -> float | None:
    weight = 1 / (view.allowed(base.value, base.error) + 1e-300)
    weight = np.minimum(weight, 1e6 / max(float(np.abs(view.g).max()), 1e-300) * 1e6)
    k = (term * weight).ravel()
    norm = float(k @ k)
    return float(k @ (gap * weight).ravel()) / norm if norm > 0 else None


def _solved(columns: list[Array], view: View, target: Array | None = None) -> Array | None:
    y = view.g if target is None else target
    weight = 1 / np.maximum(np.abs(view.g) + np.abs(view.t), 1e-9 * np.abs(view.g).max() + 1e-300)
    design = np.stack([(c * weight).ravel() for c in columns], axis=1)
    lengths = np.linalg.norm(design, axis=0)
    if (lengths == 0).any():
        return None
    solution, _, rank, _ = np.linalg.lstsq(design / lengths, (y * weight).ravel(), rcond=1e-10)
    return np.asarray(solution / lengths) if rank == len(columns) else None


def _parallel(one: Array, other: Array) -> bool:
    a, b = one.ravel(), other.ravel()
    norms = np.linalg.norm(a) * np.linalg.norm(b)
    return bool(norms > 0 and abs(a @ b) >= (1 - 1e-12) * norms)
