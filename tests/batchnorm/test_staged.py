"""The staged walk, itself a witness: against differences and against the closed form."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from matbackprop.batchnorm import (
    BatchNorm,
    BatchNormLayer,
    Cache,
    GroupNormLayer,
    InstanceNormLayer,
    LayerNormLayer,
    Running,
    normalize,
)
from matbackprop.batchnorm.arrangements import batch_arrangement
from matbackprop.batchnorm.staged import staged_pull_back
from matbackprop.differences import central_difference

LAYERS = {
    "batch": (BatchNormLayer(4), (5, 4), {}),
    "batch, rank 4": (BatchNormLayer(4), (3, 4, 2, 2), {}),
    "batch, test mode": (
        BatchNormLayer(4),
        (5, 4),
        {"mode": "test", "running": Running(np.arange(4.0), np.arange(4.0) + 0.5)},
    ),
    "layer": (LayerNormLayer(4), (5, 4), {}),
    "instance": (InstanceNormLayer(4), (3, 4, 5), {}),
    "group": (GroupNormLayer(2, 4), (3, 4, 3), {}),
}


@pytest.mark.parametrize(("layer", "shape", "state"), LAYERS.values(), ids=LAYERS)
class TestEveryLayer:
    def test_against_differences(self, rng, layer, shape, state):
        X, S = rng.standard_normal((2, *shape))
        gamma, beta = rng.standard_normal((2, 4))

        def loss(X=X, gamma=gamma, beta=beta):
            return (S * layer.forward(X, gamma, beta, **state).Y).sum()

        dX, dgamma, dbeta = staged_pull_back(S, layer.forward(X, gamma, beta, **state).cache)
        for gradient, f, at in [
            (dX, lambda x: loss(X=x), X),
            (dgamma, lambda g: loss(gamma=g), gamma),
            (dbeta, lambda b: loss(beta=b), beta),
        ]:
            assert_allclose(gradient, central_difference(f, at).value, rtol=1e-9, atol=1e-9)

    def test_against_the_closed_form(self, rng, layer, shape, state):
        X, S = rng.standard_normal((2, *shape))
        gamma, beta = rng.standard_normal((2, 4))
        cache = layer.forward(X, gamma, beta, **state).cache
        for ours, theirs in zip(staged_pull_back(S, cache), layer.backward(S, cache), strict=True):
            assert ours.shape == theirs.shape
            assert_allclose(ours, theirs, rtol=1e-12, atol=1e-12)


def test_without_gamma_there_are_no_gradients_of_it(rng):
    X, S = rng.standard_normal((2, 6, 3))
    plain = BatchNormLayer(3, affine=False).forward(X).cache
    with_ones = BatchNormLayer(3).forward(X, np.ones(3), np.zeros(3)).cache
    assert staged_pull_back(S, plain)[1:] == (None, None)
    assert_allclose(staged_pull_back(S, plain).X, staged_pull_back(S, with_ones).X, rtol=1e-15)


@pytest.mark.parametrize("ddof", [0, 1])
def test_ddof(rng, ddof):
    X, S = rng.standard_normal((2, 6, 3))
    options = BatchNorm(ddof=ddof, eps=0.1)
    cache = Cache(normalize(X, options), np.ones(3), X.shape, batch_arrangement(X.shape))
    numeric = central_difference(lambda x: (S * normalize(x, options).Xhat).sum(), X).value
    assert_allclose(staged_pull_back(S, cache).X, numeric, rtol=1e-9, atol=1e-9)


def test_float32_stays_and_is_summed_in_float64(rng):
    X, S = rng.standard_normal((2, 500, 3)).astype(np.float32)
    one, zero = np.ones(3, np.float32), np.zeros(3, np.float32)
    layer = BatchNormLayer(3)
    gradients = staged_pull_back(S, layer.forward(X, one, zero).cache)
    assert {g.dtype for g in gradients} == {np.dtype(np.float32)}
    X, S, one, zero = (a.astype(np.float64) for a in (X, S, one, zero))
    exact = staged_pull_back(S, layer.forward(X, one, zero).cache)
    for ours, wide in zip(gradients, exact, strict=True):
        assert_allclose(ours, wide, rtol=2e-7, atol=1e-7)
