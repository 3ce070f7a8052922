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
    """All terms of one sign: then the sum of absolute terms is the gradient itself."""
    net = mb.Network("identity", None)
    par = mb.Parameters(np.ones((2, 2)), -np.ones(2))
    X, y = rng.uniform(1, 2, (5, 2)), rng.uniform(1, 2, 5)
    sizes, g = magnitudes(net, par, X, y), mb.gradient(net, par, X, y)
    np.testing.assert_allclose(np.abs(g.Gamma1), sizes["Gamma1"], rtol=1e-13)
