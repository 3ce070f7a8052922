"""JᵀJ by passes over the rows, beside the Jacobian of N q rows in memory."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

import matbackprop as mb
from matbackprop.errors import OptionError, ShapeError
from matbackprop.network import ACTIVATIONS, leaky_relu
from matbackprop.streaming import Problem, gauss_newton

NORMS = {
    "plain": None,
    "ddof0": mb.BatchNorm(0, 0.0),
    "eps": mb.BatchNorm(1, 0.3),
}
FUNCTIONS = {**{name: name for name in ACTIVATIONS}, "negative slope": leaky_relu(-0.5)}


def jacobian(net, par, X, q, weights=None, moments=None):
    """Return J with each row times √w, in float64."""
    J = mb.jacobian(net, par, X, moments=moments).matrix
    return J if weights is None else np.tile(np.sqrt(weights), q or 1)[:, None] * J


def assert_is(found, J, tolerance=1e-12):
    size = np.linalg.norm(J, axis=0)
    excess = np.abs(found - J.T @ J) - tolerance * (np.outer(size, size) + size.max())
    assert excess.max() <= 0, f"JᵀJ differs by {excess.max():g} beyond rounding"


@pytest.mark.parametrize("f", FUNCTIONS)
@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("q", [None, 1, 3], ids="q{}".format)
def test_dense_and_operator(rng, draw, f, norm, q):
    net = mb.Network(FUNCTIONS[f], NORMS[norm])
    par, X, y = draw(rng, N=90, q=q, batch_norm=norm != "plain")
    J = jacobian(net, par, X, q)
    problem = Problem.from_arrays(net, X, y, block_rows=32)
    dense, operator = problem.gauss_newton(par, dense=True), problem.gauss_newton(par)
    assert dense.shape == operator.shape == (par.to_vector().size,) * 2
    assert_array_equal(dense, dense.T)
    assert_is(dense, J)
    assert_is(operator @ np.eye(len(dense)), J)
    v = rng.standard_normal(len(dense))
    assert_allclose(operator.rmatvec(v), operator @ v, rtol=0, atol=0)
    assert_allclose((operator @ v[:, None])[:, 0], operator @ v, rtol=0, atol=0)


@pytest.mark.parametrize("q", [None, 2], ids="q{}".format)
@pytest.mark.parametrize("fixed", [False, True], ids=["batch", "fixed"])
@pytest.mark.parametrize("offset", [0.0, 300.0])
def test_weights_offsets_and_given_moments(rng, draw, q, fixed, offset):
    """Ω enters once, not squared; far from zero the rows are centred."""
    net = mb.Network("tanh", mb.BatchNorm(0, 0.1))
    par, X, y = draw(rng, N=60, q=q)
    w = rng.integers(0, 4, 60)
    A, whole = X + offset, np.repeat(X + offset, w, axis=0)
    kept = mb.moments(net, par, A[:20]) if fixed else None
    J = jacobian(net, par, whole, q, moments=kept)
    problem = Problem.from_arrays(net, A, y, weights=w, block_rows=13)
    dense = problem.gauss_newton(par, dense=True, moments=kept)
    tolerance = 1e-12 * (1 + offset)
    assert_is(dense, J, tolerance)
    operator = problem.gauss_newton(par, moments=kept)
    assert_is(operator @ np.eye(len(dense)), J, tolerance)
    if fixed:  # then weights and roots of weights can be told apart without repeating rows
        weighted = jacobian(net, par, A, q, np.sqrt(w) ** 2, kept)
        assert_is(dense, weighted, tolerance)


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 2**32 - 1), norm=st.sampled_from([*NORMS]), q=st.sampled_from([None, 2]))
def test_symmetric_and_not_negative(draw, seed, norm, q):
    rng = np.random.default_rng(seed)
    net = mb.Network("silu", NORMS[norm])
    par, X, y = draw(rng, N=25, p1=2, p2=3, q=q, batch_norm=norm != "plain")
    w = rng.uniform(0, 2, 25)
    A = Problem.from_arrays(net, X, y, weights=w).gauss_newton(par)
    u, v = rng.standard_normal((2, A.shape[0]))
    size = np.linalg.norm(u) * np.linalg.norm(v) * np.linalg.norm(A @ np.eye(len(u)))
    assert abs(u @ (A @ v) - v @ (A @ u)) <= 1e-12 * size
    assert u @ (A @ u) >= -1e-12 * size


def test_it_is_the_hessian_where_the_residuals_are_zero(rng, draw):
    """Then 2c₀JᵀJ is the Hessian: an answer that does not come by way of a Jacobian."""
    net = mb.Network("tanh")
    par, X, _ = draw(rng, N=40)
    y = mb.predict(net, par, X)
    H = mb.hessian(net, par, X, y).matrix
    dense = Problem.from_arrays(net, X, y).gauss_newton(par, dense=True)
    assert_allclose(2 / 40 * dense, H, atol=1e-13 * np.abs(H).max())


@pytest.mark.parametrize("f", ["relu", "tanh"])
def test_float32(rng, draw, narrow, f):
    net = mb.Network(f)
    par, X, y = draw(rng, N=200)
    J = jacobian(net, par, X, None)
    problem = Problem.from_arrays(net, np.float32(X), np.float32(y))
    dense, operator = (
        problem.gauss_newton(narrow(par), dense=True),
        problem.gauss_newton(narrow(par)),
    )
    assert dense.dtype == operator.dtype == np.float32
    product = operator @ np.ones(len(dense), np.float32)
    assert product.dtype == np.float32
    assert_is(dense, J, 1e-5)
    assert_allclose(product, (J.T @ J).sum(axis=1), atol=1e-4 * np.abs(J.T @ J).max())


@pytest.mark.parametrize("bytes_", [1, 2000, 2**30])
def test_however_much_of_the_jacobian_is_formed_at_a_time(rng, draw, monkeypatch, bytes_):
    monkeypatch.setattr(gauss_newton, "MATRIX_BYTES", bytes_)
    net = mb.Network("gelu")
    par, X, y = draw(rng, N=45, q=2)
    J = jacobian(net, par, X, 2)
    assert_is(Problem.from_arrays(net, X, y).gauss_newton(par, dense=True), J)


def test_it_solves(rng, draw):
    """Conjugate gradients on the operator reach what the dense matrix gives."""
    from scipy.sparse.linalg import LinearOperator, cg

    net = mb.Network("tanh")
    par, X, y = draw(rng, N=80, p1=2, p2=2)
    problem = Problem.from_arrays(net, X, y)
    A, dense = problem.gauss_newton(par), problem.gauss_newton(par, dense=True)
    assert isinstance(A, LinearOperator)
    g = problem.gradient(par).to_vector()
    damped = A + LinearOperator(A.shape, matvec=lambda v: 5.0 * v)
    solution, info = cg(damped, g, rtol=1e-10, maxiter=500)
    assert info == 0
    assert_allclose(solution, np.linalg.solve(dense + 5 * np.eye(len(g)), g), atol=1e-9)


def test_bad_arguments(rng, draw):
    par, X, y = draw(rng, N=20)
    problem = Problem.from_arrays(mb.Network(), X, y)
    with pytest.raises(OptionError, match="knows dense = True, False; got dense='yes'"):
        problem.gauss_newton(par, dense="yes")
    with pytest.raises((ShapeError, ValueError), match=r"dimension mismatch|needs the 24 entries"):
        problem.gauss_newton(par) @ np.ones(3)


def test_the_comparison_itself_rejects_weights_that_are_squared(rng, draw):
    net = mb.Network("tanh", mb.BatchNorm(0, 0.1))
    par, X, y = draw(rng, N=60)
    w = rng.uniform(0, 2, 60)
    kept = mb.moments(net, par, X)
    dense = Problem.from_arrays(net, X, y, weights=w).gauss_newton(par, dense=True, moments=kept)
    assert_is(dense, jacobian(net, par, X, None, w, kept))
    with pytest.raises(AssertionError, match="JᵀJ differs"):
        assert_is(dense, jacobian(net, par, X, None, w**2, kept))
    wrong = dense.copy()
    wrong[3, 5] *= 1 + 1e-8
    with pytest.raises(AssertionError, match="JᵀJ differs"):
        assert_is(wrong, jacobian(net, par, X, None, w, kept))
