import numpy as np
import pytest

import matbackprop as mb
from matbackprop.network import magnitudes


@pytest.mark.parametrize("norm", [None, mb.BatchNorm(1, 0.1)], ids=["plain", "batch norm"])
def test_they_bound_what_they_measure(rng, norm):
    net = mb.Network("silu", norm)
    par = mb.Parameters.random(3, 4, rng=rng, q=2, batch_norm=norm is not None)
    X, y = rng.standard_normal((8, 3)), rng.standard_normal((8, 2))
    sizes = magnitudes(net, par, X, y)
    g = mb.gradient(net, par, X, y, inputs=True)
    for name, block in g.blocks():
        assert sizes[name].shape == block.shape
        assert (np.abs(block) <= sizes[name]).all()
    assert g.loss <= sizes["loss"]
    assert (np.abs(mb.predict(net, par, X)) <= sizes["fitted"]).all()


def test_they_are_not_much_larger_without_cancellation(rng):
    """All terms of one sign: then only the few factors of each term count."""
    net = mb.Network("identity", None)
    par = mb.Parameters(np.ones((2, 2)), -np.ones(2))
    X, y = rng.uniform(1, 2, (5, 2)), rng.uniform(1, 2, 5)
    sizes, g = magnitudes(net, par, X, y), mb.gradient(net, par, X, y)
    assert (np.abs(g.Gamma1) <= sizes["Gamma1"]).all()
    assert (sizes["Gamma1"] <= 8 * np.abs(g.Gamma1)).all()


@pytest.mark.parametrize("offset", [0.0, 1e3, 1e6])
@pytest.mark.parametrize("activation", ["tanh", "gelu"])
def test_they_measure_rounding_whatever_the_offset(rng, activation, offset):
    """Two right answers differ by a few units of rounding, no more and not much less."""
    net = mb.Network(activation, mb.BatchNorm(1, 0.0))
    par = mb.Parameters.random(4, 3, rng=rng)
    X, y = rng.standard_normal((40, 4)) + offset, rng.standard_normal(40)
    sizes = magnitudes(net, par, X, y)
    one = mb.gradient(net, par, X, y, formulation="nodewise", inputs=True)
    two = mb.gradient(net, par, X, y, formulation="compact", inputs=True)
    for name, block in one.blocks():
        assert (np.abs(block - getattr(two, name)) <= 1e-14 * sizes[name]).all(), name
    assert (np.abs(one.fitted - two.fitted) <= 1e-14 * sizes["fitted"]).all()


def test_where_the_slope_vanishes_its_error_does_not():
    """silu′ is 0 at h = −1.2785: S is a rounding error of h there, of size a″."""
    par = mb.Parameters([[-1.2784645427610738]], [1.0])
    sizes = magnitudes(mb.Network("silu", batch_norm=None), par, [[1.0]], [3.0])
    assert sizes["Gamma1"].item() > 1.0
