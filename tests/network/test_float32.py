"""float32 stays float32, and loses no more than its inputs did: sums are taken in float64."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

import matbackprop as mb

FAST = [name for name in mb.FORMULATIONS if name != "nodewise"]  # 20,000 rows
N = 20_000


def narrow(par):
    return mb.Parameters(*(np.float32(b) for b in (par.Gamma1, par.Gamma2, par.gamma, par.beta)))


@pytest.fixture
def twin_nodes(rng):
    """Both columns of Z are X exactly: only batch norm and the sums can lose digits.

    (Two, because NumPy adds up a single column pairwise, and so with hardly a loss.)
    """
    par = narrow(mb.Parameters([[1.0, 1.0]], [0.5, 0.5], gamma=[1.0, 1.0], beta=[0.0, 0.0]))
    return par, np.float32(rng.standard_normal((N, 1)))


@pytest.mark.parametrize("formulation", FAST)
def test_the_loss(twin_nodes, formulation):
    par, X = twin_nodes
    y = np.float32(1e4) + X[:, 0]
    net = mb.Network("identity", loss="sse")
    g = mb.gradient(net, par, X, y, formulation=formulation)
    exact = mb.gradient(net, par, X.astype(float), y.astype(float)).loss
    assert abs(g.loss - exact) < 1e-8 * exact
    assert g.loss != float(np.float32(g.loss))  # more digits than a float32 sum could have


@pytest.mark.parametrize("formulation", FAST)
def test_sums_over_many_rows(twin_nodes, formulation):
    par, X = twin_nodes
    y = np.float32(1e4) + X[:, 0]
    net = mb.Network("identity", loss="sse")
    g = mb.gradient(net, par, X, y, formulation=formulation)
    exact = mb.gradient(net, par, X.astype(float), y.astype(float))
    assert_allclose(g.beta, exact.beta, rtol=5e-7)


@pytest.mark.parametrize("formulation", FAST)
def test_a_large_mean(twin_nodes, formulation):
    par, X = twin_nodes
    far = X + np.float32(4000)  # now known to 2e-4: what is left must survive
    g = mb.gradient(mb.Network("identity"), par, far, X[:, 0], formulation=formulation)
    exact = far[:, 0].astype(float)
    xhat = (exact - exact.mean()) / np.sqrt(exact.var() + 1e-5)
    assert g.fitted.dtype == np.float32
    assert_allclose(g.fitted, xhat, atol=5e-7)


def test_the_jacobian(rng):
    par = mb.Parameters.random(3, 2, rng=rng)
    X = np.float32(rng.standard_normal((N, 3)) + 1000)
    J = mb.jacobian(mb.Network("tanh"), narrow(par), X).matrix
    assert J.dtype == np.float32
    centred = X.astype(float) - X.mean(axis=0, dtype=float)
    # ∂/∂γ and ∂/∂β do not see the offset of X, ∂/∂Γ₁ must not either
    shifted = mb.jacobian(mb.Network("tanh"), par, centred).matrix
    assert np.abs(J - shifted).max() < 1e-3 * np.abs(shifted).max()


def test_masked_float32_stays(rng):
    par = narrow(mb.Parameters.random(2, 2, rng=rng))
    X = np.ma.masked_array(np.float32(rng.standard_normal((6, 2))), mask=False)
    assert mb.predict(mb.Network(), par, X).dtype == np.float32
