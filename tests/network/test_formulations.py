"""Every formulation x activation x option, against the specification and against differences."""

import dataclasses
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

import matbackprop as mb
from matbackprop.differences import central_difference, complex_step
from matbackprop.network import ACTIVATIONS, leaky_relu, magnitudes, objective

NORMS = {
    "plain": None,
    "ddof0": mb.BatchNorm(0, 0.0),
    "ddof1": mb.BatchNorm(1, 0.0),
    "eps": mb.BatchNorm(1, 0.3),
}
SHAPES = {"q=1": (9, 3, 4, None), "q=3": (8, 4, 3, 3), "column": (7, 2, 2, 1)}
CASES = [
    pytest.param(activation, norm, shape, loss, fixed, id=f"{activation}-{norm}-{shape}-{loss}-{m}")
    for activation, norm, shape, loss, (fixed, m) in itertools.product(
        [*ACTIVATIONS], NORMS, SHAPES, ("mse", "sse"), [(False, "batch"), (True, "fixed")]
    )
    if not (fixed and norm == "plain")
]


def problem(rng, N, p1, p2, q, batch_norm=True):
    par = mb.Parameters.random(p1, p2, rng=rng, q=q, batch_norm=batch_norm)
    X = rng.standard_normal((N, p1))
    return par, X, rng.standard_normal(N if q is None else (N, q))


@pytest.mark.parametrize(("activation", "norm", "shape", "loss", "fixed"), CASES)
def test_all_formulations_agree_and_are_the_derivative(
    rng, assert_agree, activation, norm, shape, loss, fixed
):
    net = mb.Network(activation, NORMS[norm], loss)
    par, X, y = problem(rng, *SHAPES[shape], batch_norm=norm != "plain")
    kept = mb.moments(net, par, rng.standard_normal((20, X.shape[1]))) if fixed else None
    sizes = magnitudes(net, par, X, y, moments=kept)
    specification = mb.gradient(net, par, X, y, formulation="nodewise", inputs=True, moments=kept)
    for name in mb.FORMULATIONS:
        g = mb.gradient(net, par, X, y, formulation=name, inputs=True, moments=kept)
        assert_agree(g, specification, sizes, 1e-12)

    R, theta = objective(net, par, X, y, moments=kept), par.to_vector()
    scale = np.concatenate([sizes[k].ravel(order="F") for k, _ in g.blocks() if k != "X"])
    if net.a.analytic:
        error = np.abs(complex_step(R, theta) - g.to_vector())
        assert (error <= 1e-12 * scale).all()
    else:
        numeric = central_difference(R, theta)
        error = np.abs(numeric.value - g.to_vector())
        assert (error <= 10 * numeric.error + 1e-12 * scale).all()
        assert (error <= 1e-7 * scale).all()


@pytest.mark.parametrize("formulation", mb.FORMULATIONS)
@pytest.mark.parametrize(
    ("norm", "fixed"), [(n, f) for n in NORMS for f in (0, 1) if n != "plain" or not f]
)
def test_the_gradient_for_X(rng, formulation, norm, fixed):
    net = mb.Network("tanh", NORMS[norm])
    par, X, y = problem(rng, 6, 2, 3, 2, batch_norm=norm != "plain")
    kept = mb.moments(net, par, rng.standard_normal((9, 2))) if fixed else None
    g = mb.gradient(net, par, X, y, formulation=formulation, inputs=True, moments=kept)

    def R(at):
        return mb.gradient(net, par, at, y, moments=kept).loss

    numeric = central_difference(R, X)
    assert_allclose(g.X, numeric.value, rtol=1e-8, atol=1e-9)


def test_a_hand_value():
    """Two rows, one input, one node: x̂ = (−1, 1), every step by head."""
    par = mb.Parameters([[2.0]], [3.0], gamma=[0.5], beta=[1.0])
    net = mb.Network("identity", mb.BatchNorm(0, 0.0), "sse")
    # z = (2, 6), x̂ = (−1, 1), h = (0.5, 1.5), ŷ = (1.5, 4.5), ε̂ = (−0.5, 0.5)
    for name in mb.FORMULATIONS:
        g = mb.gradient(net, par, [[1.0], [3.0]], [1.0, 5.0], formulation=name)
        assert g.loss == 0.5
        assert g.beta.tolist() == [0.0]  # S = −2ε̂·3 = (3, −3)
        assert g.gamma.tolist() == [-6.0]
        assert g.Gamma2.tolist() == [-1.0]  # −2(−0.25 + 0.75)
        assert_allclose(g.Gamma1, [[0.0]], atol=1e-14)  # N = 2: batch norm fixes x̂


@pytest.mark.parametrize("formulation", mb.FORMULATIONS)
def test_without_batch_norm_a_hand_value(formulation):
    par = mb.Parameters([[2.0]], [3.0])
    net = mb.Network("identity", None, "mse")
    g = mb.gradient(net, par, [[1.0], [2.0]], [5.0, 14.0], formulation=formulation, inputs=True)
    # z = (2, 4), ŷ = (6, 12), ε̂ = (−1, 2), c₀ = ½
    assert g.loss == 2.5
    assert g.Gamma2.tolist() == [-6.0]  # −(−1·2 + 2·4)
    assert g.Gamma1.tolist() == [[-9.0]]  # −3(−1·1 + 2·2)
    assert g.X.tolist() == [[6.0], [-12.0]]
    assert (g.gamma, g.beta) == (None, None)


@settings(deadline=None, max_examples=60)
@given(
    seed=st.integers(0, 2**32 - 1),
    N=st.integers(2, 12),
    p1=st.integers(1, 5),
    p2=st.integers(1, 4),
    ddof=st.integers(0, 1),
    eps=st.sampled_from([0.0, 1e-5, 0.5]),
)
def test_the_gradient_along_its_own_column(seed, N, p1, p2, ddof, eps):
    """Γ₁ⱼᵀ(∂R/∂Γ₁)ⱼ = γⱼ ∂R/∂γⱼ · eps/σⱼ²: batch norm ignores the scale of a column."""
    rng = np.random.default_rng(seed)
    net = mb.Network("silu", mb.BatchNorm(ddof, eps))
    par, X, y = problem(rng, N, p1, p2, None)
    g, sizes = mb.gradient(net, par, X, y), magnitudes(net, par, X, y)
    sigma = mb.moments(net, par, X).sigma
    left = (par.Gamma1 * g.Gamma1).sum(axis=0)
    right = par.gamma * g.gamma * eps / sigma**2
    allowed = (np.abs(par.Gamma1) * sizes["Gamma1"]).sum(axis=0)
    assert (np.abs(left - right) <= 1e-12 * allowed).all()


@pytest.mark.parametrize("formulation", mb.FORMULATIONS)
@pytest.mark.parametrize(("N", "p1"), [(9, 1), (2, 4)], ids=["one input", "two rows"])
def test_a_gradient_that_vanishes_is_zero(rng, formulation, N, p1):
    net = mb.Network("tanh", mb.BatchNorm(1, 0.0))
    par, X, y = problem(rng, N, p1, 3, None)
    g = mb.gradient(net, par, X, y, formulation=formulation)
    assert (np.abs(g.Gamma1) <= 1e-13 * magnitudes(net, par, X, y)["Gamma1"]).all()


@pytest.mark.parametrize("formulation", mb.FORMULATIONS)
def test_order_of_the_rows_does_not_matter(rng, formulation):
    net = mb.Network("gelu", mb.BatchNorm(1, 0.1))
    par, X, y = problem(rng, 11, 3, 4, 2)
    order = rng.permutation(11)
    g = mb.gradient(net, par, X, y, formulation=formulation, inputs=True)
    h = mb.gradient(net, par, X[order], y[order], formulation=formulation, inputs=True)
    for name, block in g.blocks():
        other = getattr(h, name) if name != "X" else h.X[np.argsort(order)]
        assert_allclose(block, other, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("formulation", mb.FORMULATIONS)
def test_float32_stays_float32(rng, formulation):
    net = mb.Network("tanh")
    par, X, y = problem(rng, 30, 4, 3, None)
    narrow = mb.Parameters(*(np.float32(b) for b in (par.Gamma1, par.Gamma2, par.gamma, par.beta)))
    wide = mb.gradient(net, par, X, y)
    g = mb.gradient(net, narrow, np.float32(X), np.float32(y), formulation=formulation)
    for name, block in g.blocks():
        assert block.dtype == np.float32
        assert_allclose(block, getattr(wide, name), rtol=1e-3, atol=1e-5)
    mixed = mb.gradient(net, par, np.float32(X), y, formulation=formulation)
    assert mixed.Gamma1.dtype == np.float64


@pytest.mark.parametrize("formulation", mb.FORMULATIONS)
def test_inputs_are_never_mutated(rng, formulation):
    net = mb.Network("relu")
    par, X, y = problem(rng, 8, 3, 2, None)
    X0, y0, theta0 = X.copy(), y.copy(), par.to_vector()
    mb.gradient(net, par, X, y, formulation=formulation, inputs=True)
    assert (X == X0).all()
    assert (y == y0).all()
    assert (par.to_vector() == theta0).all()


def test_an_activation_of_ones_own(rng, assert_agree):
    net = mb.Network(leaky_relu(0.5), loss="sse")
    par, X, y = problem(rng, 8, 3, 2, None)
    sizes = magnitudes(net, par, X, y)
    one = mb.gradient(net, par, X, y, formulation="nodewise")
    assert_agree(mb.gradient(net, par, X, y), one, sizes, 1e-12)


@pytest.mark.parametrize("formulation", mb.FORMULATIONS)
def test_the_comparison_itself_rejects_a_wrong_gradient(rng, assert_agree, formulation):
    """The yardstick is not so generous that a fault passes: one entry off by 1e-9 is seen."""
    net = mb.Network("tanh")
    par, X, y = problem(rng, 9, 3, 4, None)
    sizes = magnitudes(net, par, X, y)
    g = mb.gradient(net, par, X, y, formulation=formulation)
    wrong = g.Gamma1.copy()
    wrong[1, 2] *= 1 + 1e-9
    with pytest.raises(AssertionError, match="Gamma1 differs"):
        assert_agree(dataclasses.replace(g, Gamma1=wrong), g, sizes, 1e-12)
