"""Weights: whole ones are repeated rows, zeros are rows that are not there."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

import matbackprop as mb
from matbackprop.batchnorm import without_compiling
from matbackprop.network import magnitudes
from matbackprop.streaming import Problem

NORMS = {
    "plain": None,
    "ddof0": mb.BatchNorm(0, 0.0),
    "ddof1": mb.BatchNorm(1, 0.0),
    "eps": mb.BatchNorm(1, 0.3),
}
seeds = st.integers(0, 2**32 - 1)


@settings(deadline=None, max_examples=40)
@given(
    seed=seeds,
    f=st.sampled_from(["relu", "tanh"]),
    norm=st.sampled_from([*NORMS]),
    q=st.sampled_from([None, 2]),
)
def test_whole_weights_are_repeated_rows(draw, assert_agree, seed, f, norm, q):
    rng = np.random.default_rng(seed)
    net = mb.Network(f, NORMS[norm], "mse")
    par, X, y = draw(rng, N=30, q=q, batch_norm=norm != "plain")
    w = rng.integers(0, 4, 30)
    w[0] += 1
    problem = Problem.from_arrays(net, X, y, weights=w, block_rows=7)
    assert (problem.rows, problem.weight) == (30, w.sum())
    A, b = np.repeat(X, w, axis=0), np.repeat(y, w, axis=0)
    if len(A) <= 5:
        return
    sizes = magnitudes(net, par, A, b)
    repeated = mb.gradient(net, par, A, b)
    assert_agree(problem.gradient(par), repeated, sizes, 1e-12)
    with without_compiling():
        assert_agree(problem.gradient(par), repeated, sizes, 1e-12)
    assert abs(problem.loss(par) - repeated.loss) <= 1e-12 * sizes["loss"]
    if norm != "plain":
        assert_allclose(problem.moments(par).sigma, mb.moments(net, par, A).sigma, rtol=1e-11)
    matrix = mb.jacobian(net, par, A).matrix
    matrix = matrix.T @ matrix
    assert_allclose(
        problem.gauss_newton(par, dense=True), matrix, atol=1e-10 * np.abs(matrix).max()
    )


@settings(deadline=None, max_examples=25)
@given(seed=seeds, f=st.sampled_from(["relu", "silu"]), norm=st.sampled_from([*NORMS]))
def test_rows_of_weight_zero_are_not_there(draw, assert_agree, seed, f, norm):
    rng = np.random.default_rng(seed)
    net = mb.Network(f, NORMS[norm])
    par, X, y = draw(rng, N=60, batch_norm=norm != "plain")
    w = rng.uniform(0.5, 2, 60)
    start, stop = np.sort(rng.integers(0, 55, 2))
    w[start:stop] = 0  # whole blocks of them, too
    X[start:stop] *= 1e3
    there = w > 0
    ours = Problem.from_arrays(net, X, y, weights=w, block_rows=7)
    theirs = Problem.from_arrays(net, X[there], y[there], weights=w[there], block_rows=7)
    sizes = magnitudes(net, par, X[there], y[there])
    assert ours.weight == pytest.approx(theirs.weight, rel=1e-14)
    assert_agree(ours.gradient(par), theirs.gradient(par), sizes, 1e-12)


@pytest.mark.parametrize("scale", [1e-3, 2.0, 1e6, 1e-170, 1e160])
@pytest.mark.parametrize("f", ["relu", "tanh"])
def test_the_scale_of_weights_does_not_matter(rng, draw, assert_agree, f, scale):
    """With "mse" and ddof = 0; "sse" is multiplied by it."""
    par, X, y = draw(rng, N=150)
    w = rng.uniform(0, 1, 150)
    net = mb.Network(f, mb.BatchNorm(0, 0.1))
    one = Problem.from_arrays(net, X, y, weights=w, block_rows=50).gradient(par)
    other = Problem.from_arrays(net, X, y, weights=scale * w, block_rows=50).gradient(par)
    assert_agree(other, one, magnitudes(net, par, X, y), 1e-12)
    if 1e-9 < scale < 1e9:
        sse = mb.Network(f, mb.BatchNorm(0, 0.1), "sse")
        g = Problem.from_arrays(sse, X, y, weights=scale * w).gradient(par)
        wanted = scale * w.sum() * one.to_vector()
        assert_allclose(g.to_vector(), wanted, atol=1e-11 * np.abs(wanted).max())


def test_weights_of_one_are_none(rng, draw, assert_agree):
    par, X, y = draw(rng)
    for f in ("relu", "tanh"):
        net = mb.Network(f)
        g = Problem.from_arrays(net, X, y, weights=np.ones(150)).gradient(par)
        assert_agree(g, mb.gradient(net, par, X, y), magnitudes(net, par, X, y))
