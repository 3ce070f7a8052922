"""Eigenvalues in closed form, against numpy.linalg on numerical Jacobians."""

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
    layer_jacobian,
    layer_spectrum,
    normalize,
)
from matbackprop.batchnorm.arrangements import batch_arrangement
from matbackprop.differences import central_difference
from matbackprop.errors import DtypeError, OptionError

TEST = {"mode": "test", "running": Running(np.arange(3.0), np.arange(3.0) + 0.5)}
LAYERS = {
    "batch": (lambda eps: BatchNormLayer(3, eps), (5, 3), 3, {}),
    "batch, rank 4": (lambda eps: BatchNormLayer(3, eps), (2, 3, 2, 2), 3, {}),
    "batch, test mode": (lambda eps: BatchNormLayer(3, eps), (5, 3), 3, TEST),
    "batch, two rows": (lambda eps: BatchNormLayer(3, eps), (2, 3), 3, {}),
    "batch, no weights": (lambda eps: BatchNormLayer(3, eps, affine=False), (5, 3), 0, {}),
    "instance": (lambda eps: InstanceNormLayer(3, eps), (2, 3, 4), 3, {}),
    "layer, no weights": (lambda eps: LayerNormLayer(4, eps, affine=False), (3, 4), 0, {}),
    "group, no weights": (lambda eps: GroupNormLayer(2, 4, eps, affine=False), (2, 4, 3), 0, {}),
}


def eigenvalues(spectrum):
    """All of them, sorted."""
    single = (spectrum.along_one, spectrum.along_xhat)
    rest = [spectrum.elsewhere] * spectrum.multiplicity
    return np.sort(np.concatenate([np.ravel(part) for part in (*single, *rest)]))


@pytest.mark.parametrize("eps", [0.0, 0.3])
@pytest.mark.parametrize(("make", "shape", "weights", "state"), LAYERS.values(), ids=LAYERS)
class TestEveryLayer:
    @pytest.fixture
    def run(self, rng, make, shape, weights, state, eps):
        layer, X = make(eps), rng.standard_normal(shape)
        given = rng.standard_normal((2, weights)) if weights else ()
        return X, lambda x: layer.forward(x, *given, **state)

    def test_against_numpy(self, run):
        X, forward = run
        J = central_difference(lambda x: forward(x).Y, X).value
        want = np.linalg.eigvals(J)
        assert_allclose(want.imag, 0, atol=1e-7)
        # Numerically J is symmetric only to 1e-9, and its eigenvalues are as near as that.
        got = eigenvalues(layer_spectrum(forward(X).cache))
        assert_allclose(got, np.sort(want.real), rtol=1e-7, atol=1e-7)

    def test_eigenvectors(self, run, state):
        """Along 1, along x̂, and along what is orthogonal to both."""
        X, forward = run
        cache = forward(X).cache
        spectrum, b = layer_spectrum(cache), cache.b
        J = central_difference(lambda x: forward(x).Y, X).value

        def times(v):
            y = (J @ v.reshape(cache.shape).ravel(order="F")).reshape(cache.shape, order="F")
            return y.reshape(cache.arrangement.view)

        def spread(stat):
            return np.expand_dims(stat, b.axes)

        one = np.ones(cache.arrangement.view)
        xhat = b.Xhat
        v = np.random.default_rng(0).standard_normal(one.shape)
        for u in (one, xhat - xhat.mean(axis=b.axes, keepdims=True)):
            v -= u * (u * v).sum(axis=b.axes, keepdims=True) / (u * u).sum(b.axes, keepdims=True)
        for vector, value in [
            (one, spectrum.along_one),
            (xhat, spectrum.along_xhat),
            (v, spectrum.elsewhere),
        ]:
            assert_allclose(times(vector), spread(value) * vector, rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("eps", [0.0, 0.3])
@pytest.mark.parametrize("ddof", [0, 1, 2])
def test_ddof(rng, eps, ddof):
    Z, gamma = rng.standard_normal((6, 2)), rng.standard_normal(2)
    options = BatchNorm(ddof=ddof, eps=eps)
    b = normalize(Z, options)
    J = central_difference(lambda z: normalize(z, options).Xhat * gamma, Z).value
    spectrum = layer_spectrum(Cache(b, gamma, Z.shape, batch_arrangement(Z.shape)))
    want = np.linalg.eigvalsh((J + J.T) / 2)
    assert_allclose(eigenvalues(spectrum), want, rtol=1e-8, atol=1e-8)
    assert spectrum.multiplicity == 4


def test_without_eps_it_is_a_scaled_projection(rng):
    X = rng.standard_normal((7, 3))
    spectrum = layer_spectrum(BatchNormLayer(3, eps=0.0, affine=False).forward(X).cache)
    assert spectrum.along_one.tolist() == spectrum.along_xhat.tolist() == [0.0] * 3
    assert_allclose(spectrum.elsewhere, 1 / X.std(axis=0), rtol=1e-13)


@pytest.mark.parametrize(
    ("layer", "weights"), [(LayerNormLayer(4), (4,)), (GroupNormLayer(2, 4), (4,))], ids=str
)
def test_weights_that_vary_within_a_set(rng, layer, weights):
    cache = layer.forward(rng.standard_normal((3, 4)), np.ones(weights), np.ones(weights)).cache
    with pytest.raises(OptionError, match=r"layer_spectrum\(cache\)` needs one γ for .*layer_jaco"):
        layer_spectrum(cache)


def test_one_entry_has_no_directions_to_tell_apart(rng):
    X = rng.standard_normal((1, 3))
    cache = BatchNormLayer(3, affine=False).forward(X, **TEST).cache
    with pytest.raises(OptionError, match=r"one entry has but one direction.*Pass a larger batch"):
        layer_spectrum(cache)


def test_no_cache():
    with pytest.raises(DtypeError, match=r"needs the cache of a forward pass; got ndarray"):
        layer_spectrum(np.ones(3))


@pytest.mark.parametrize("eps", [1e-5, 1e-3])
def test_the_customary_eps_is_not_lost(rng, eps):
    X = rng.standard_normal((6, 2))
    layer = BatchNormLayer(2, eps, affine=False)
    spectrum, J = (f(layer.forward(X).cache) for f in (layer_spectrum, layer_jacobian))
    Xhat = layer.forward(X).cache.b.Xhat
    for j in range(2):
        v = np.zeros_like(X)
        v[:, j] = Xhat[:, j]
        rayleigh = (v.ravel(order="F") @ (J @ v.ravel(order="F"))) / (v**2).sum()
        assert_allclose(spectrum.along_xhat[j], rayleigh, rtol=1e-9)
