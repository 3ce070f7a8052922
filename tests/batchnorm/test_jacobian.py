"""The Jacobian in its three forms: equal to each other, to differences, and to its formula."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy import sparse

from matbackprop.batchnorm import (
    BatchNorm,
    BatchNormLayer,
    Cache,
    GroupNormLayer,
    InstanceNormLayer,
    LayerNormLayer,
    Running,
    layer_jacobian,
    normalization_jacobian,
    normalize,
)
from matbackprop.batchnorm.arrangements import batch_arrangement
from matbackprop.differences import central_difference
from matbackprop.errors import DtypeError, OptionError

TEST = {"mode": "test", "running": Running(np.arange(3.0), np.arange(3.0) + 0.5)}
LAYERS = {
    "batch": (lambda eps: BatchNormLayer(3, eps), (5, 3), (3,), {}),
    "batch, rank 3": (lambda eps: BatchNormLayer(3, eps), (2, 3, 4), (3,), {}),
    "batch, rank 4": (lambda eps: BatchNormLayer(3, eps), (2, 3, 2, 2), (3,), {}),
    "batch, rank 5": (lambda eps: BatchNormLayer(3, eps), (2, 3, 2, 1, 2), (3,), {}),
    "batch, test mode": (lambda eps: BatchNormLayer(3, eps), (2, 3, 4), (3,), TEST),
    "layer": (lambda eps: LayerNormLayer(5, eps), (3, 5), (5,), {}),
    "layer, two axes": (lambda eps: LayerNormLayer((3, 2), eps), (2, 3, 2), (3, 2), {}),
    "instance": (lambda eps: InstanceNormLayer(3, eps), (2, 3, 4), (3,), {}),
    "group": (lambda eps: GroupNormLayer(2, 4, eps), (2, 4, 3), (4,), {}),
}


def vec(A):
    return A.ravel(order="F")


@pytest.mark.parametrize("eps", [0.0, 0.3])
@pytest.mark.parametrize(("make", "shape", "weights", "state"), LAYERS.values(), ids=LAYERS)
class TestEveryLayer:
    @pytest.fixture
    def run(self, rng, make, shape, weights, state, eps):
        layer, X = make(eps), rng.standard_normal(shape)
        gamma, beta = rng.standard_normal((2, *weights))
        return layer, X, lambda x: layer.forward(x, gamma, beta, **state)

    def test_against_differences(self, run):
        _, X, forward = run
        J = layer_jacobian(forward(X).cache, form="dense")
        numeric = central_difference(lambda x: forward(x).Y, X).value
        assert J.shape == (X.size, X.size)
        assert_allclose(J, numeric, rtol=1e-8, atol=1e-8)

    def test_the_three_forms_are_one(self, run):
        _, X, forward = run
        cache = forward(X).cache
        dense = layer_jacobian(cache, form="dense")
        stored, operator = layer_jacobian(cache, form="sparse"), layer_jacobian(cache)
        assert isinstance(stored, sparse.csr_array)
        assert_allclose(stored.toarray(), dense, rtol=0, atol=0)
        # Small entries are small differences: the scale is that of the largest.
        atol = 1e-13 * np.abs(dense).max()
        assert_allclose(operator @ np.eye(X.size), dense, rtol=1e-12, atol=atol)
        assert_allclose(operator.T @ np.eye(X.size), dense.T, rtol=1e-12, atol=atol)

    def test_only_what_lies_together_is_stored(self, run):
        _, X, forward = run
        b = forward(X).cache.b
        together = 1 if b.divisor is None else b.count
        assert layer_jacobian(forward(X).cache, form="sparse").nnz == X.size * together

    def test_its_transpose_is_the_pullback(self, run, rng):
        layer, X, forward = run
        S = rng.standard_normal(X.shape)
        cache = forward(X).cache
        want = vec(layer.backward(S, cache).X)
        size = np.abs(want).max()
        for form in ("operator", "sparse", "dense"):
            J = layer_jacobian(cache, form=form)
            assert_allclose(J.T @ vec(S), want, rtol=1e-11, atol=1e-12 * max(size, 1))


@pytest.mark.parametrize("eps", [0.0, 0.3])
@pytest.mark.parametrize("ddof", [0, 1])
class TestOfANormalisation:
    def test_block_by_block(self, rng, eps, ddof):
        """(γ/σ)(I − 11ᵀ/N − x̂x̂ᵀ/(N − ddof)) in each block, 0 between the blocks."""
        Z, gamma = rng.standard_normal((6, 2)), rng.standard_normal(2)
        b = normalize(Z, BatchNorm(ddof=ddof, eps=eps))
        want = np.zeros((12, 12))
        for j in range(2):
            xhat = (Z[:, j] - Z[:, j].mean()) / np.sqrt(Z[:, j].var(ddof=ddof) + eps)
            scale = gamma[j] / np.sqrt(Z[:, j].var(ddof=ddof) + eps)
            block = np.eye(6) - 1 / 6 - np.outer(xhat, xhat) / (6 - ddof)
            want[6 * j : 6 * j + 6, 6 * j : 6 * j + 6] = scale * block
        cache = Cache(b, gamma, Z.shape, batch_arrangement(Z.shape))
        for J in (normalization_jacobian(b, gamma), layer_jacobian(cache, form="sparse")):
            assert_allclose(J @ np.eye(12), want, rtol=1e-12, atol=1e-13)

    def test_against_differences(self, rng, eps, ddof):
        Z, gamma = rng.standard_normal((5, 2)), rng.standard_normal(2)
        options = BatchNorm(ddof=ddof, eps=eps)
        J = normalization_jacobian(normalize(Z, options), gamma)
        numeric = central_difference(lambda z: normalize(z, options).Xhat * gamma, Z).value
        assert_allclose(J @ np.eye(10), numeric, rtol=1e-8, atol=1e-8)


@given(
    st.lists(st.integers(2, 4), min_size=2, max_size=4).map(tuple),
    st.sampled_from(["batch", "instance", "group", "layer"]),
    st.integers(0, 2**32 - 1),
)
def test_adjoint(shape, kind, seed):
    """⟨Ju, v⟩ = ⟨u, Jᵀv⟩."""
    rng = np.random.default_rng(seed)
    shape = (*shape, 3) if kind == "instance" else shape
    C = shape[1]
    layer = {
        "batch": BatchNormLayer(C),
        "instance": InstanceNormLayer(C),
        "group": GroupNormLayer(1, C),
        "layer": LayerNormLayer(shape[1:]),
    }[kind]
    weights = shape[1:] if kind == "layer" else (C,)
    X, u, v = rng.standard_normal((3, *shape))
    cache = layer.forward(X, *rng.standard_normal((2, *weights))).cache
    J = layer_jacobian(cache)
    u, v = vec(u), vec(v)
    left, right = (J @ u) @ v, u @ (J.T @ v)
    assert_allclose(left, right, rtol=1e-10, atol=1e-11 * np.abs(u).max() / cache.b.sigma.min())


def test_float32_stays(rng):
    X = rng.standard_normal((5, 3)).astype(np.float32)
    cache = BatchNormLayer(3, affine=False).forward(X).cache
    for form in ("operator", "sparse", "dense"):
        J = layer_jacobian(cache, form=form)
        assert J.dtype == np.float32
        assert (J @ np.ones(15, np.float32)).dtype == np.float32


class TestErrors:
    @pytest.fixture
    def cache(self, rng):
        return BatchNormLayer(3, affine=False).forward(rng.standard_normal((5, 3))).cache

    def test_form(self, cache):
        text = r'layer_jacobian\(cache, form=\)` knows form = "operator", "sparse", "dense"; got'
        with pytest.raises(OptionError, match=text):
            layer_jacobian(cache, form="matrix")

    def test_no_cache(self):
        with pytest.raises(DtypeError, match="needs the cache of a forward pass on NumPy arrays"):
            layer_jacobian(np.ones((3, 3)))

    def test_another_library(self, unavailable):
        try:
            import torch
        except ImportError:
            unavailable("torch")
        cache = BatchNormLayer(3, affine=False).forward(torch.randn(4, 3)).cache
        with pytest.raises(DtypeError, match=r"on NumPy arrays; got .*torch"):
            layer_jacobian(cache)

    @pytest.mark.parametrize(("form", "rows"), [("dense", 10_000), ("sparse", 10_000)])
    def test_too_large(self, form, rows):
        X = np.arange(2.0 * rows).reshape(rows, 2) % 7
        cache = BatchNormLayer(2, affine=False).forward(X).cache
        with pytest.raises(OptionError, match=rf'form="{form}" of 20000 entries would take .* GB'):
            layer_jacobian(cache, form=form)
        assert (layer_jacobian(cache) @ np.ones(20_000)).shape == (20_000,)


def test_the_operator_takes_complex_vectors(rng):
    cache = BatchNormLayer(2, affine=False).forward(rng.standard_normal((4, 2))).cache
    v = rng.standard_normal(8) + 1j * rng.standard_normal(8)
    J, dense = layer_jacobian(cache), layer_jacobian(cache, form="dense")
    assert_allclose(J @ v, dense @ v, atol=1e-14)
    assert_allclose(J.rmatvec(v), dense.T @ v, atol=1e-14)
