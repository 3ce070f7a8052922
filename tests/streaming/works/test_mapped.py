"""The works of the gradient and of the loss, on one chunk and on many."""

import itertools
import pickle
from functools import reduce

import array_api_strict
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

import matbackprop as mb
from matbackprop.network import leaky_relu
from matbackprop.network.row_blocks import Sums
from matbackprop.streaming.rows import Rows
from matbackprop.streaming.works import mapped
from matbackprop.streaming.works.mapped import GradientWork, LossWork, RowMap
from matbackprop.streaming.works.parts import Total


def example(rng, f="relu", n=50, q=2, pivot=True, dtype=np.float64):
    a = mb.Network(f).a

    def draw(*shape):
        return rng.standard_normal(shape).astype(dtype)

    row_map = RowMap(a, draw(3, 4), draw(4), draw(3) if pivot else None, draw(4, q), 16)
    return row_map, Rows(draw(n, 3), draw(n, q), np.abs(draw(n)), 0)


def by_definition(m, rows):
    X = rows.X if m.pivot is None else rows.X - m.pivot
    H = X @ m.W + m.c
    e = rows.y - m.activation.value(H) @ m.Gamma2
    u = -2 * rows.weights[:, None] * e
    S = m.activation.derivative(H) * (u @ m.Gamma2.T)
    loss = (rows.weights[:, None] * e**2).sum()
    return Sums(loss, X.T @ S, S.sum(axis=0), m.activation.value(H).T @ u)


@pytest.mark.parametrize(
    "f", ["relu", "leaky_relu", "identity", "tanh", leaky_relu(-0.5), leaky_relu(0.0)]
)
@pytest.mark.parametrize("q", [1, 2])
@pytest.mark.parametrize("pivot", [False, True])
@pytest.mark.parametrize("sweep_rows", [None, 7, 512])
def test_the_sums(rng, f, q, pivot, sweep_rows):
    m, rows = example(rng, f, q=q, pivot=pivot)
    found, wanted = GradientWork(m, sweep_rows)(rows), by_definition(m, rows)
    for name in ("loss", "W", "c", "Gamma2"):
        assert_allclose(getattr(found, name), getattr(wanted, name), rtol=1e-12, atol=1e-11)
        assert np.asarray(getattr(found, name)).dtype == np.float64
    assert_allclose(LossWork(m)(rows).value, wanted.loss, rtol=1e-13)


def test_which_of_them_are_swept(rng, monkeypatch):
    """relu and its kin, in NumPy, and only where it is asked for and the slope is not negative."""
    asked = []
    monkeypatch.setattr(mapped, "compiled_sums", lambda: asked.append(1))
    for f, sweep_rows, swept in [
        ("relu", 64, True),
        ("identity", 64, True),
        (leaky_relu(2.0), 64, True),
        ("relu", None, False),
        ("tanh", 64, False),
        (leaky_relu(-0.1), 64, False),
    ]:
        asked.clear()
        m, rows = example(rng, f)
        GradientWork(m, sweep_rows)(rows)
        assert bool(asked) is swept, f
    asked.clear()
    m, rows = example(rng)
    GradientWork(m, 64)(Rows(*map(array_api_strict.asarray, rows[:3]), 0))
    assert not asked


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 2**32 - 1), f=st.sampled_from(["relu", "tanh"]), cuts=st.integers(0, 4))
def test_chunks_merge(seed, f, cuts):
    rng = np.random.default_rng(seed)
    m, rows = example(rng, f)
    where = [0, *np.sort(rng.integers(1, 50, cuts)), 50]
    chunks = [
        Rows(rows.X[i:j], rows.y[i:j], rows.weights[i:j], i)
        for i, j in itertools.pairwise(where)
        if j > i
    ]
    for work in (GradientWork(m, 16), GradientWork(m, None), LossWork(m)):
        merge = Total.merge if isinstance(work, LossWork) else Sums.merge
        whole, parts = work(rows), reduce(merge, map(work, chunks))
        for name in ("value",) if isinstance(work, LossWork) else ("loss", "W", "c", "Gamma2"):
            assert_allclose(getattr(parts, name), getattr(whole, name), rtol=1e-11, atol=1e-10)


@pytest.mark.parametrize("f", ["relu", "gelu", leaky_relu(0.3), leaky_relu(-0.3)])
def test_works_travel(rng, f):
    """To another process, by pickle: the same sums there, to the last bit."""
    m, rows = example(rng, f)
    for work in (GradientWork(m, 16), LossWork(m)):
        sent = pickle.loads(pickle.dumps(work))
        one, other = work(rows), sent(rows)
        for name in one.__slots__:
            assert_array_equal(getattr(one, name), getattr(other, name))


@pytest.mark.parametrize("f", ["relu", "tanh"])
def test_rows_of_another_dtype_are_conformed(rng, f):
    m, rows = example(rng, f)
    whole = Rows(np.round(10 * rows.X).astype(np.int16), rows.y > 0, (rows.weights > 0.5), 0)
    wide = Rows(*(a.astype(float) for a in whole[:3]), 0)
    one, other = GradientWork(m, 16)(whole), GradientWork(m, 16)(wide)
    for name in one.__slots__:
        assert_array_equal(getattr(one, name), getattr(other, name))


@pytest.mark.parametrize("f", ["relu", "gelu"])
@pytest.mark.parametrize("library", ["torch", "array_api_strict"])
def test_arrays_of_other_libraries_stay_theirs(rng, torch, f, library):
    m, rows = example(rng, f)
    make = torch.from_numpy if library == "torch" else array_api_strict.asarray
    theirs = Rows(*map(make, rows[:3]), 0)
    found, wanted = GradientWork(m, 16)(theirs), GradientWork(m, None)(rows)
    for name in ("loss", "W", "c", "Gamma2"):
        assert isinstance(getattr(found, name), type(theirs.X))
        assert_allclose(
            np.asarray(getattr(found, name)), getattr(wanted, name), rtol=1e-12, atol=1e-12
        )
