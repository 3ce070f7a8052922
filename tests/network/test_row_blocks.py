"""The one-pass formulation over more than one block, and the sums of a block by themselves."""

from functools import reduce

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

import matbackprop as mb
from matbackprop.network import ACTIVATIONS, magnitudes
from matbackprop.network.data_moments import block_moments
from matbackprop.network.row_blocks import (
    ROWS,
    BlockMap,
    Sums,
    activation_pair,
    block_sums,
    centred_squares,
    weighted_residuals,
)

NORMS = {"plain": None, "ddof1": mb.BatchNorm(1, 0.0), "eps": mb.BatchNorm(0, 0.3)}


@pytest.mark.parametrize("N", [ROWS - 1, ROWS, ROWS + 1, 2 * ROWS + 3])
@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("q", [None, 1, 3], ids="q={}".format)
@pytest.mark.parametrize("offset", [0.0, 1e5])
def test_more_than_one_block(rng, N, norm, q, offset):
    net = mb.Network("silu", NORMS[norm])
    par = mb.Parameters.random(3, 4, rng=rng, q=q, batch_norm=norm != "plain")
    X = rng.standard_normal((N, 3)) + offset * (norm != "plain")
    y = rng.standard_normal(N if q is None else (N, q))
    sizes = magnitudes(net, par, X, y)
    g = mb.gradient(net, par, X, y, formulation="one_pass", inputs=True)
    h = mb.gradient(net, par, X, y, formulation="compact", inputs=True)
    assert abs(g.loss - h.loss) <= 1e-13 * sizes["loss"]
    for name, block in g.blocks():
        assert (np.abs(block - getattr(h, name)) <= 1e-13 * sizes[name]).all(), name
    assert (np.abs(g.fitted - h.fitted) <= 1e-13 * sizes["fitted"]).all()


@pytest.mark.parametrize("offset", [1e3, 1e4, 1e5])
def test_float32_far_from_zero_loses_nothing(rng, offset):
    """On a grid the offset is exact in float32: the answer is that of the data before it."""
    X = rng.integers(-32, 33, (2 * ROWS, 3)) / 8
    par = mb.Parameters.random(3, 4, rng=rng)
    narrow = mb.Parameters(*(np.float32(b) for b in (par.Gamma1, par.Gamma2, par.gamma, par.beta)))
    y = rng.standard_normal(len(X)).astype(np.float32)
    far = np.float32(X + offset)
    assert (far.astype(float) - offset == X).all()
    wide = mb.Parameters(
        *(b.astype(float) for b in (narrow.Gamma1, narrow.Gamma2, narrow.gamma, narrow.beta))
    )
    exact = mb.gradient(mb.Network("tanh"), wide, X, y.astype(float))
    g = mb.gradient(mb.Network("tanh"), narrow, far, y, formulation="one_pass")
    for name, block in g.blocks():
        assert block.dtype == np.float32
        scale = np.abs(getattr(exact, name)).max()
        assert np.abs(block - getattr(exact, name)).max() < 2e-6 * scale, name


def example(rng, n=20, q=2, pivot=True, activation="tanh"):
    pair = activation_pair(mb.Network(activation))
    m = BlockMap(
        pair,
        rng.standard_normal((3, 4)),
        rng.standard_normal(4),
        rng.standard_normal(3) if pivot else None,
        rng.standard_normal((4, q)),
    )
    return m, rng.standard_normal((n, 3)), rng.standard_normal((n, q)), rng.uniform(0, 2, n)


def by_definition(m, X, y, w):
    """Sum row by row, output by output."""
    loss, W, c, Gamma2 = 0.0, 0 * m.W, 0 * m.c, 0 * m.Gamma2
    for x, t, v in zip(X, y, w, strict=True):
        x = x if m.pivot is None else x - m.pivot
        V, slope = m.pair(x @ m.W + m.c)
        u = -2 * v * (t - V @ m.Gamma2)
        s = slope * (m.Gamma2 @ u)
        loss += v * ((t - V @ m.Gamma2) ** 2).sum()
        W, c, Gamma2 = W + np.outer(x, s), c + s, Gamma2 + np.outer(V, u)
    return Sums(loss, W, c, Gamma2)


@pytest.mark.parametrize("q", [1, 3], ids="q={}".format)
@pytest.mark.parametrize("pivot", [False, True], ids=["", "pivot"])
@pytest.mark.parametrize("activation", [*ACTIVATIONS])
def test_the_sums_of_a_block(rng, q, pivot, activation):
    m, X, y, w = example(rng, q=q, pivot=pivot, activation=activation)
    for weights in (None, w):
        found = block_sums(m, X, y, weights)
        wanted = by_definition(m, X, y, np.ones(20) if weights is None else w)
        for name in ("loss", "W", "c", "Gamma2"):
            ours, theirs = getattr(found, name), getattr(wanted, name)
            assert np.shape(ours) == np.shape(theirs)
            assert_allclose(ours, theirs, rtol=1e-12, atol=1e-12)


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 2**32 - 1), blocks=st.integers(1, 6), q=st.integers(1, 3))
def test_sums_merge(seed, blocks, q):
    rng = np.random.default_rng(seed)
    m, X, y, w = example(rng, q=q)
    whole = block_sums(m, X, y, w)
    order = rng.permutation(20)
    cuts = np.sort(rng.integers(1, 20, blocks - 1))
    parts = [block_sums(m, X[i], y[i], w[i]) for i in np.split(order, cuts) if len(i)]
    merged = reduce(Sums.merge, parts)
    for name in ("loss", "W", "c", "Gamma2"):
        assert_allclose(getattr(merged, name), getattr(whole, name), rtol=1e-11, atol=1e-11)


def test_sums_of_float32_leave_in_float64(rng):
    m, X, y, w = example(rng)
    m = BlockMap(m.pair, *(np.float32(a) for a in m[1:]))
    sums = block_sums(m, np.float32(X), np.float32(y), np.float32(w))
    assert {np.asarray(getattr(sums, n)).dtype for n in ("loss", "W", "c", "Gamma2")} == {
        np.dtype(np.float64)
    }


def test_residuals_by_hand():
    e = np.array([[1.0, -2.0], [3.0, 0.5]])
    u, loss = weighted_residuals(e, None)
    assert_array_equal(u, [[-2, 4], [-6, -1]])
    assert loss == 14.25
    u, loss = weighted_residuals(e, np.array([2.0, 0.5]))
    assert_array_equal(u, [[-4, 8], [-3, -0.5]])
    assert loss == 2 * 5 + 0.5 * 9.25


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_centred_squares(rng, dtype):
    X, Gamma1, w = (
        (rng.standard_normal((15, 3)) + 1e3).astype(dtype),
        rng.standard_normal((3, 2)),
        rng.uniform(0, 2, 15).astype(dtype),
    )
    for weights in (None, w):
        v = np.ones(15) if weights is None else w.astype(float)
        Z = X.astype(float) @ Gamma1
        wanted = v @ (Z - v @ Z / v.sum()) ** 2
        found = centred_squares(X, Gamma1, block_moments(X, weights).settled(), weights)
        assert found.dtype == np.float64
        assert_allclose(found, wanted, rtol=1e-9)


def test_the_blocks_that_come_in_are_left_as_they_are(rng):
    m, X, y, w = example(rng)
    arrays = [m.W, m.c, m.pivot, m.Gamma2, X, y, w]
    kept = [a.copy() for a in arrays]
    for a in arrays:
        a.flags.writeable = False
    block_sums(m, X, y, w)
    for a, b in zip(arrays, kept, strict=True):
        assert_array_equal(a, b)
