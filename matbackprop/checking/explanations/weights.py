"""A factor for each observation that is missing, or too many: Xᵀ(r ⊙ w) where Xᵀr was computed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import combinations, combinations_with_replacement

import numpy as np

from matbackprop._typing import Array
from matbackprop.checking.cause import Cause
from matbackprop.checking.constants import close
from matbackprop.checking.explanations.factors import common_factor, factor_causes
from matbackprop.checking.view import Explanation, View

_MOST_OF = {1: 24, 2: 24, 3: 14}
"""How many atoms are tried alone, in pairs and in threes."""


def row_weights(view: View, /) -> Iterator[Explanation]:
    """Yield a known factor of the observations that stands in one of the two gradients only.

    Both are written as c·Xᵀ(u ⊙ v ⊙ …), of known vectors with an entry for each row of X, and
    the two products compared.
    """
    shape = view.g.shape
    if len(shape) not in (1, 2) or view.g.size < 2:
        return
    arrays = view.quantities.arrays
    for name, X, rows in _designs(arrays, shape):
        atoms = _atoms(
            {
                k: a if a.shape == rows else np.broadcast_to(a[:, None], rows)
                for k, a in arrays.items()
                if a.shape == rows or (a.shape == rows[:1] and len(rows) == 2)
            }
        )
        sums = {
            words: (X.T @ np.prod([atoms[w] for w in words], axis=0)).reshape(shape)
            for count in (1, 2, 3)
            for words in combinations_with_replacement(list(atoms)[: _MOST_OF[count]], count)
        }
        true = [
            (words, c)
            for words, value in sums.items()
            if (c := _multiple(view.t, value, view.error)) is not None
        ]
        claimed = [
            (words, c)
            for words, value in sums.items()
            if (c := _multiple(view.g, value, view.error)) is not None
        ]
        for right, c in true:
            for wrong, d in claimed:
                missing = tuple((Counter(right) - Counter(wrong)).elements())
                extra = tuple((Counter(wrong) - Counter(right)).elements())
                if not missing and not extra:
                    continue
                yield _explained(view, name, missing, extra, d * sums[wrong], d / c)


def _designs(
    arrays: Mapping[str, Array], shape: tuple[int, ...]
) -> Iterator[tuple[str, Array, tuple[int, ...]]]:
    """Yield what the rows may be multiplied by, and the shape of a factor for each of them.

    A known X with a column for each row of the parameter; and for a vector of intercepts 1, where
    something known has a column for each of them.
    """
    for name, X in arrays.items():
        if X.ndim == 2 and X.shape[1] == shape[0] and len(X) > 1:
            yield name, X, (len(X), *shape[1:])
    if len(shape) == 1:
        for N in {len(a) for a in arrays.values() if a.ndim == 2 and a.shape[1] == shape[0]} - {1}:
            yield "1", np.ones((N, 1)), (N, *shape)


def _explained(
    view: View,
    X: str,
    missing: tuple[str, ...],
    extra: tuple[str, ...],
    predicted: Array,
    factor: float,
) -> Explanation:
    causes = []
    of = "" if X == "1" else f" of {X}"
    if missing:
        words = " · ".join(sorted(missing))
        causes.append(
            Cause(
                "missing weight",
                f"A factor of each observation is missing in the sum over the rows{of}: {words}.",
                f"Multiply row by row by {words} before the sum. Where it is the "
                "derivative of an activation, that was taken as 1.",
                key=words,
            )
        )
    if extra:
        words = " · ".join(sorted(extra))
        causes.append(
            Cause(
                "extra weight",
                f"There is a factor of each observation too many in the sum over the rows{of}: "
                f"{words}.",
                f"Leave out {words}.",
                key=words,
            )
        )
    cost = 0.9 * len(causes) + 0.05 * (len(missing) + len(extra))
    if not close(factor, 1.0):
        more, price = factor_causes(factor, view, view.truth)
        causes += more
        cost += price
    return Explanation(tuple(causes), predicted, cost, view.matches(predicted, view.error))


def _atoms(vectors: dict[str, Array]) -> dict[str, Array]:
    """Return the known vectors u, their 1/u, u(1 − u) of probabilities, and differences of two."""
    atoms = dict(vectors)
    for name, p in vectors.items():
        if (p > 0).all():
            atoms[f"1/{name}"] = 1 / p
        if ((p > 0) & (p < 1)).all():
            atoms[f"{name}(1 − {name})"] = p * (1 - p)
    for one, other in combinations(vectors, 2):
        atoms[f"({one} − {other})"] = vectors[one] - vectors[other]
    return atoms


def _multiple(value: Array, of: Array, error: Array) -> float | None:
    c = common_factor(value, of, np.zeros_like(value))
    if c is None or c == 0:
        return None
    gap = np.abs(value - c * of)
    allowed = 1e-6 * np.abs(value) + error + 1e-10 * np.abs(value).max()
    return c if (gap <= allowed).all() else None
