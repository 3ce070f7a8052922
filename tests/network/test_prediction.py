import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import matbackprop as mb
from matbackprop.errors import DataError, OptionError


@pytest.fixture
def fitted(rng):
    net = mb.Network("gelu", mb.BatchNorm(ddof=1, eps=1e-3))
    par = mb.Parameters.random(3, 4, rng=rng, q=2)
    X = rng.standard_normal((12, 3))
    return net, par, X


def test_by_the_definition(fitted):
    net, par, X = fitted
    Z = X @ par.Gamma1
    xhat = (Z - Z.mean(axis=0)) / np.sqrt(Z.var(axis=0, ddof=1) + 1e-3)
    V = net.a.value(xhat * par.gamma + par.beta)
    assert_allclose(mb.predict(net, par, X), V @ par.Gamma2, rtol=1e-12)


def test_one_new_row_with_the_moments_of_training(fitted):
    net, par, X = fitted
    kept = mb.moments(net, par, X)
    whole = mb.predict(net, par, X, moments=kept)
    assert_allclose(whole, mb.predict(net, par, X), rtol=1e-12)
    assert_allclose(mb.predict(net, par, X[5:6], moments=kept), whole[5:6], rtol=1e-12)
    with pytest.raises(DataError, match="needs more than 1 row"):
        mb.predict(net, par, X[5:6])


def test_shape_follows_Gamma2(rng):
    X = rng.standard_normal((5, 2))
    for q, shape in [(None, (5,)), (1, (5, 1)), (3, (5, 3))]:
        par = mb.Parameters.random(2, 3, rng=rng, q=q)
        assert mb.predict(mb.Network(), par, X).shape == shape


def test_loss_is_that_of_the_fitted_values(fitted, rng):
    net, par, X = fitted
    y = rng.standard_normal((12, 2))
    sse = ((y - mb.predict(net, par, X)) ** 2).sum()
    assert_allclose(mb.gradient(net, par, X, y).loss, sse / 12, rtol=1e-13)
    total = mb.Network(net.activation, net.batch_norm, "sse")
    assert_allclose(mb.gradient(total, par, X, y).loss, sse, rtol=1e-13)


def test_moments_need_batch_norm(rng):
    par = mb.Parameters.random(2, 3, rng=rng, batch_norm=False)
    with pytest.raises(OptionError, match=r"`moments\(net, par, X\)` is for batch norm"):
        mb.moments(mb.Network(batch_norm=None), par, np.ones((3, 2)))


def test_moments_by_numpy(fitted):
    net, par, X = fitted
    kept = mb.moments(net, par, X)
    assert_allclose(kept.mu, (X @ par.Gamma1).mean(axis=0), atol=1e-15)
    assert_allclose(kept.sigma**2, (X @ par.Gamma1).var(axis=0, ddof=1) + 1e-3, rtol=1e-13)
    assert_array_equal(mb.moments(net, par, X).mu, kept.mu)
