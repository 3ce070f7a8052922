"""Σ w (z − μ)²: the second look at columns of X that nearly cancel in Z."""

from functools import reduce

import numpy as np
import pytest
from numpy.testing import assert_allclose

import matbackprop as mb
from matbackprop.network.data_moments import block_moments
from matbackprop.streaming import Problem
from matbackprop.streaming.rows import Rows
from matbackprop.streaming.works.parts import Total
from matbackprop.streaming.works.squares import SquaresWork


@pytest.mark.parametrize("weighted", [False, True], ids=["", "weights"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("offset", [0.0, 1e3])
def test_it_is_the_sum(rng, weighted, dtype, offset):
    X = (rng.standard_normal((60, 3)) + offset).astype(dtype)
    w = rng.uniform(0, 2, 60).astype(dtype) if weighted else None
    Gamma1 = rng.standard_normal((3, 2))
    data = block_moments(X, w).settled()
    work = SquaresWork(Gamma1, data, dtype, 7)
    rows = Rows(X, X[:, 0], w, 0)
    Z, v = X.astype(float) @ Gamma1, np.ones(60) if w is None else w.astype(float)
    wanted = v @ (Z - v @ Z / v.sum()) ** 2
    found = work(rows).value
    assert found.dtype == np.float64
    assert_allclose(found, wanted, rtol=1e-10)
    chunks = [
        Rows(X[i : i + 25], X[i : i + 25, 0], None if w is None else w[i : i + 25], i)
        for i in (0, 25, 50)
    ]
    assert_allclose(reduce(Total.merge, map(work, chunks)).value, wanted, rtol=1e-10)


def test_it_works_where_the_rows_lie(rng, torch):
    X = rng.standard_normal((20, 3)).astype(np.float32)
    data = block_moments(X).settled()
    found = SquaresWork(np.eye(3), data, "float32", 6)(
        Rows(torch.from_numpy(X), torch.ones(20), None, 0)
    )
    assert isinstance(found.value, torch.Tensor)
    assert_allclose(found.value.numpy(), np.diag(data.gram), rtol=1e-12)


@pytest.mark.parametrize("gap", [1e-10, 1e-12, 1e-13])
@pytest.mark.parametrize("kind", ["numpy", "blocks", "torch"])
def test_a_problem_takes_that_look(rng, torch, gap, kind):
    """Nearly collinear columns, in a problem: σ is that of two passes over Z, not that of C."""
    a, b = rng.standard_normal((2, 3000))
    X = np.column_stack([a, a + np.sqrt(2 * gap) * b])
    y = rng.standard_normal(3000)
    par = mb.Parameters([[1.0, 1.0], [-1.0, 0.5]], [1.0, 2.0], [1.0, 0.7], [0.1, 0.2])
    net = mb.Network("tanh", mb.BatchNorm(0, 0.0))
    if kind == "blocks":
        problem = Problem.from_blocks(net, [(X[:1000], y[:1000]), (X[1000:], y[1000:])])
    elif kind == "torch":
        problem = Problem.from_arrays(net, torch.from_numpy(X), torch.from_numpy(y))
    else:
        problem = Problem.from_arrays(net, X, y)
    ours, theirs = problem.moments(par).sigma, mb.moments(net, par, X).sigma
    assert abs(ours[0] - theirs[0]) < 1e-16
    C = block_moments(X).gram
    rough = np.sqrt(max(C[0, 0] - 2 * C[0, 1] + C[1, 1], 0.0) / 3000)
    assert abs(rough - theirs[0]) > 1e-13
    assert_allclose(ours[1], theirs[1], rtol=1e-13)
