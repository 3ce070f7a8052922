"""Along a direction, and the Gram matrix of K: on rows, in chunks, in other libraries."""

from functools import reduce

import array_api_strict
import numpy as np
import pytest
from numpy.testing import assert_allclose

import matbackprop as mb
from matbackprop.network.row_blocks import Sums
from matbackprop.streaming.rows import Rows
from matbackprop.streaming.works.mapped import RowMap
from matbackprop.streaming.works.parts import Total
from matbackprop.streaming.works.tangent import JacobianGramWork, TangentWork


def example(rng, q, pivot):
    m = RowMap(
        mb.Network("tanh").a,
        rng.standard_normal((3, 4)),
        rng.standard_normal(4),
        rng.standard_normal(3) if pivot else None,
        rng.standard_normal((4, q)),
        8,
    )
    rows = Rows(rng.standard_normal((20, 3)), np.zeros((20, q)), rng.uniform(0, 2, 20), 0)
    return m, rows


def K(m, X):
    """Return ∂vec(ŷ)/∂(vec W, c, vec Γ₂)ᵀ entry by entry, by a complex step."""
    p1, p2, q = *m.W.shape, m.Gamma2.shape[1]
    theta = np.concatenate([m.W.ravel("F"), m.c, m.Gamma2.ravel("F")])
    columns = []
    for i in range(theta.size):
        t = theta.astype(complex)
        t[i] += 1e-30j
        W = t[: p1 * p2].reshape((p1, p2), order="F")
        c, Gamma2 = t[p1 * p2 : p1 * p2 + p2], t[p1 * p2 + p2 :].reshape((p2, q), order="F")
        D = X if m.pivot is None else X - m.pivot
        columns.append((np.tanh(D @ W + c) @ Gamma2).ravel("F").imag / 1e-30)
    return np.stack(columns, axis=1)


@pytest.mark.parametrize("q", [1, 3])
@pytest.mark.parametrize("pivot", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
def test_both(rng, q, pivot, weighted):
    m, rows = example(rng, q, pivot)
    rows = rows if weighted else rows._replace(weights=None)
    J = K(m, rows.X)
    w = np.tile(rows.weights if weighted else np.ones(20), q)
    gram = J.T @ (w[:, None] * J)
    assert_allclose(JacobianGramWork(m)(rows).value, gram, rtol=1e-11, atol=1e-11)
    d = rng.standard_normal(len(gram))
    dW, dc, dGamma2 = d[:12].reshape((3, 4), order="F"), d[12:16], d[16:].reshape((4, q), order="F")
    found = TangentWork(m, dW, dc, dGamma2)(rows)
    back = np.concatenate([found.W.ravel("F"), found.c, found.Gamma2.ravel("F")])
    assert_allclose(back, gram @ d, rtol=1e-11, atol=1e-11)
    assert found.loss == 0


def test_chunks_merge(rng):
    m, rows = example(rng, 2, True)
    chunks = [
        Rows(rows.X[i : i + 9], rows.y[i : i + 9], rows.weights[i : i + 9], i) for i in (0, 9, 18)
    ]
    work = JacobianGramWork(m)
    assert_allclose(
        reduce(Total.merge, map(work, chunks)).value, work(rows).value, rtol=1e-11, atol=1e-11
    )
    along = TangentWork(m, m.W, m.c, m.Gamma2)
    assert_allclose(reduce(Sums.merge, map(along, chunks)).W, along(rows).W, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("library", ["torch", "array_api_strict"])
def test_arrays_of_other_libraries(rng, torch, library):
    make = torch.from_numpy if library == "torch" else array_api_strict.asarray
    m, rows = example(rng, 2, True)
    theirs = Rows(*map(make, rows[:3]), 0)
    gram = JacobianGramWork(m)(theirs).value
    assert isinstance(gram, type(theirs.X))
    assert_allclose(np.asarray(gram), JacobianGramWork(m)(rows).value, rtol=1e-12, atol=1e-12)
    along = TangentWork(m, m.W, m.c, m.Gamma2)
    assert_allclose(np.asarray(along(theirs).W), along(rows).W, rtol=1e-12, atol=1e-12)
