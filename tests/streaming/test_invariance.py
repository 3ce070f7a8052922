"""What must not matter: threads, blocks, the order of the rows."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

import matbackprop as mb
from matbackprop.network import magnitudes
from matbackprop.streaming import Problem

NORMS = {
    "plain": None,
    "ddof0": mb.BatchNorm(0, 0.0),
    "ddof1": mb.BatchNorm(1, 0.0),
    "eps": mb.BatchNorm(1, 0.3),
}
seeds = st.integers(0, 2**32 - 1)


@pytest.mark.parametrize("f", ["relu", "tanh", "gelu"])
@pytest.mark.parametrize("weighted", [False, True], ids=["", "weights"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_threads_change_not_one_bit(rng, draw, narrow, same_bits, f, weighted, dtype):
    par, X, y = draw(rng, N=6001, q=2)
    par = narrow(par) if dtype == np.float32 else par
    X, y = (X + 20).astype(dtype), y.astype(dtype)
    w = rng.uniform(0, 1, 6001).astype(dtype) if weighted else None
    net, v = mb.Network(f), rng.standard_normal(par.to_vector().size)
    found = []
    for threads in (1, 2, 5):
        problem = Problem.from_arrays(net, X, y, weights=w, threads=threads, block_rows=64)
        found.append(
            (
                problem.gradient(par),
                problem.loss(par),
                problem.data.gram,
                problem.moments(par).sigma,
                problem.gauss_newton(par) @ v,
                problem.gauss_newton(par, dense=True),
                np.concatenate(list(problem.predict(par))),
            )
        )
    for other in found[1:]:
        assert same_bits(found[0][0], other[0])
        for a, b in zip(found[0][1:], other[1:], strict=True):
            assert_array_equal(a, b)


@pytest.mark.parametrize("f", ["relu", "tanh"])
def test_a_pass_repeats_to_the_last_bit(rng, draw, same_bits, f):
    par, X, y = draw(rng, N=5000)
    problem = Problem.from_arrays(mb.Network(f), X, y, threads=2)
    first = problem.gradient(par)
    assert all(same_bits(problem.gradient(par), first) for _ in range(3))


@settings(deadline=None, max_examples=40)
@given(
    seed=seeds,
    f=st.sampled_from(["relu", "tanh"]),
    norm=st.sampled_from([*NORMS]),
    N=st.integers(8, 300),
    rows=st.sampled_from([1, 7, 64, 299, 10**6]),
    threads=st.sampled_from([1, 2, 5]),
    offset=st.sampled_from([0.0, 50.0]),
)
def test_blocks_threads_and_the_order_of_rows_do_not_matter(
    draw, assert_agree, seed, f, norm, N, rows, threads, offset
):
    rng = np.random.default_rng(seed)
    net = mb.Network(f, NORMS[norm])
    par, X, y = draw(rng, N=N, batch_norm=norm != "plain")
    X = X + offset
    one = Problem.from_arrays(net, X, y, block_rows=N, threads=1)
    order = rng.permutation(N)
    sizes = magnitudes(net, par, X, y)
    for i in (slice(None), order):
        other = Problem.from_arrays(net, X[i], y[i], block_rows=rows, threads=threads)
        assert_agree(other.gradient(par), one.gradient(par), sizes, 1e-12)
        assert abs(other.loss(par) - one.loss(par)) <= 1e-12 * sizes["loss"]


@pytest.mark.parametrize("f", ["relu", "tanh"])
def test_blocks_of_more_rows_than_there_are(rng, draw, f):
    """Only what is needed is allocated."""
    par, X, y = draw(rng)
    net = mb.Network(f)
    one = Problem.from_arrays(net, X, y, block_rows=150).gradient(par)
    other = Problem.from_arrays(net, X, y, block_rows=10**13).gradient(par)
    assert_array_equal(one.to_vector(), other.to_vector())
