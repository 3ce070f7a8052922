"""Layer, instance and group norm: by their definitions, by each other, and by differences."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from matbackprop.batchnorm import (
    BatchNormLayer,
    GroupNormLayer,
    InstanceNormLayer,
    LayerNormLayer,
)
from matbackprop.differences import central_difference
from matbackprop.errors import DataError, DtypeError, OptionError, ShapeError

EPS = 0.01


def one_set(entries):
    """Normalise all of an array together."""
    return (entries - entries.mean()) / np.sqrt(entries.var() + EPS)


def layer_by_loops(X, gamma, beta):
    Y = np.empty_like(X)
    for row in np.ndindex(X.shape[: X.ndim - gamma.ndim]):
        Y[row] = gamma * one_set(X[row]) + beta
    return Y


def instance_by_loops(X, gamma, beta):
    Y = np.empty_like(X)
    for n, c in np.ndindex(X.shape[:2]):
        Y[n, c] = gamma[c] * one_set(X[n, c]) + beta[c]
    return Y


def group_by_loops(X, gamma, beta, groups):
    Y = np.empty_like(X)
    size = X.shape[1] // groups
    for n, first in np.ndindex(len(X), groups):
        own = slice(first * size, (first + 1) * size)
        Y[n, own] = one_set(X[n, own])
    shape = (1, -1, *[1] * (X.ndim - 2))
    return gamma.reshape(shape) * Y + beta.reshape(shape)


CASES = {
    "layer, matrix": (LayerNormLayer(4, EPS), (3, 4), (4,), layer_by_loops),
    "layer, one row": (LayerNormLayer(4, EPS), (4,), (4,), layer_by_loops),
    "layer, sequence": (LayerNormLayer(4, EPS), (2, 3, 4), (4,), layer_by_loops),
    "layer, two axes": (LayerNormLayer((3, 4), EPS), (2, 3, 4), (3, 4), layer_by_loops),
    "layer, all axes": (LayerNormLayer((2, 3, 4), EPS), (2, 3, 4), (2, 3, 4), layer_by_loops),
    "instance, rank 3": (InstanceNormLayer(4, EPS), (2, 4, 5), (4,), instance_by_loops),
    "instance, rank 4": (InstanceNormLayer(4, EPS), (2, 4, 2, 3), (4,), instance_by_loops),
    "instance, rank 5": (InstanceNormLayer(2, EPS), (2, 2, 2, 3, 2), (2,), instance_by_loops),
    **{
        f"group {G}, rank {len(shape)}": (
            GroupNormLayer(G, 6, EPS),
            shape,
            (6,),
            lambda X, gamma, beta, G=G: group_by_loops(X, gamma, beta, G),
        )
        for G in (1, 2, 3)
        for shape in [(3, 6), (2, 6, 3), (2, 6, 2, 2), (2, 6, 1, 2, 2)]
    },
}


@pytest.mark.parametrize(("layer", "shape", "weights", "loops"), CASES.values(), ids=CASES)
class TestEachLayer:
    @pytest.fixture
    def given(self, rng, shape, weights):
        X, S = rng.standard_normal((2, *shape))
        return X * 2 + 3, S, *rng.standard_normal((2, *weights))

    def test_definition(self, given, layer, shape, weights, loops):
        X, _, gamma, beta = given
        Y = layer.forward(X, gamma, beta).Y
        assert Y.shape == shape
        assert_allclose(Y, loops(X, gamma, beta), rtol=1e-11, atol=1e-12)

    def test_gradients_against_differences_of_the_loops(self, given, layer, shape, weights, loops):
        X, S, gamma, beta = given
        gradients = layer.backward(S, layer.forward(X, gamma, beta).cache)
        for gradient, f, at in [
            (gradients.X, lambda x: (S * loops(x, gamma, beta)).sum(), X),
            (gradients.gamma, lambda g: (S * loops(X, g, beta)).sum(), gamma),
            (gradients.beta, lambda b: (S * loops(X, gamma, b)).sum(), beta),
        ]:
            assert gradient.shape == at.shape
            assert_allclose(gradient, central_difference(f, at).value, rtol=1e-8, atol=1e-8)

    def test_without_affine(self, given, layer, shape, weights, loops):
        X, S, *_ = given
        names = [n for n in ("groups", "features", "eps") if hasattr(layer, n)]
        plain = type(layer)(**{n: getattr(layer, n) for n in names}, affine=False)
        Y, cache = plain.forward(X)
        assert_allclose(Y, loops(X, np.ones(weights), np.zeros(weights)), rtol=1e-11, atol=1e-12)
        dX, dgamma, dbeta = plain.backward(S, cache)
        assert (dgamma, dbeta) == (None, None)
        with_ones = layer.forward(X, np.ones(weights), np.zeros(weights)).cache
        assert_allclose(dX, layer.backward(S, with_ones).X, rtol=1e-12, atol=1e-13)

    def test_nothing_is_mutated(self, given, layer, shape, weights, loops):
        X, S, gamma, beta = given
        kept = [a.copy() for a in given]
        layer.backward(S, layer.forward(X, gamma, beta).cache)
        for array, copy in zip(given, kept, strict=True):
            assert_array_equal(array, copy)

    def test_float32_stays(self, given, layer, shape, weights, loops):
        X, S, gamma, beta = (a.astype(np.float32) for a in given)
        Y, cache = layer.forward(X, gamma, beta)
        gradients = layer.backward(S, cache)
        assert {a.dtype for a in (Y, *gradients)} == {np.dtype(np.float32)}
        wide = layer.forward(*(a.astype(float) for a in (X, gamma, beta)))
        assert_allclose(Y, wide.Y, rtol=2e-6, atol=2e-6)
        exact = layer.backward(S.astype(float), wide.cache)
        for ours, want in zip(gradients, exact, strict=True):
            assert_allclose(ours, want, rtol=5e-6, atol=5e-6)


inner = st.lists(st.integers(1, 3), min_size=1, max_size=3).map(tuple)
seeds = st.integers(0, 2**32 - 1)


def same(first, second, S):
    """Both layers give the same Y and the same dX."""
    (layer, X, Y, cache), (other, X_other, Y_other, cache_other) = first, second
    assert_allclose(Y_other.reshape(Y.shape), Y, rtol=1e-11, atol=1e-11)
    dX = layer.backward(S.reshape(X.shape), cache).X
    dX_other = other.backward(S.reshape(X_other.shape), cache_other).X
    # With few entries dX is a small difference of terms of size |S|/σ.
    size = np.abs(S).max() / min(cache.b.sigma.min(), cache_other.b.sigma.min())
    assert_allclose(dX_other.reshape(dX.shape), dX, rtol=1e-10, atol=1e-12 * size)


def passed(layer, X):
    return (layer, X, *layer.forward(X)[:2])


class TestKinship:
    @given(st.integers(1, 4), st.integers(2, 4), inner, seeds)
    def test_one_group_is_layer_norm_over_all(self, N, C, positions, seed):
        X, S = np.random.default_rng(seed).standard_normal((2, N, C, *positions))
        group = GroupNormLayer(1, C, EPS, affine=False)
        same(passed(group, X), passed(LayerNormLayer(X.shape[1:], EPS, affine=False), X), S)

    @given(st.integers(1, 4), st.integers(1, 4), inner, seeds)
    def test_as_many_groups_as_channels_is_instance_norm(self, N, C, positions, seed):
        X, S = np.random.default_rng(seed).standard_normal((2, N, C, *positions, 2))
        group = GroupNormLayer(C, C, EPS, affine=False)
        same(passed(group, X), passed(InstanceNormLayer(C, EPS, affine=False), X), S)

    @given(st.integers(1, 4), st.integers(1, 4), inner, seeds)
    def test_instance_norm_of_one_row_is_batch_norm(self, N, C, positions, seed):
        X, S = np.random.default_rng(seed).standard_normal((2, 1, C, *positions, 2))
        instance = InstanceNormLayer(C, EPS, affine=False)
        same(passed(instance, X), passed(BatchNormLayer(C, EPS, affine=False), X), S)

    @given(st.integers(1, 5), st.integers(2, 5), seeds)
    def test_layer_norm_is_batch_norm_of_the_transpose(self, N, D, seed):
        X, S = np.random.default_rng(seed).standard_normal((2, N, D))
        Y, cache = LayerNormLayer(D, EPS, affine=False).forward(X)
        layer = BatchNormLayer(N, EPS, affine=False)
        turned = layer.forward(X.T)
        assert_allclose(turned.Y.T, Y, rtol=1e-11, atol=1e-11)
        dX = LayerNormLayer(D, EPS, affine=False).backward(S, cache).X
        assert_allclose(layer.backward(S.T, turned.cache).X.T, dX, rtol=1e-9, atol=1e-9)

    @given(st.integers(1, 3), st.sampled_from([(2, 4), (3, 6), (2, 6)]), inner, seeds)
    def test_rows_do_not_meet(self, N, groups_of, positions, seed):
        groups, C = groups_of
        X, S = np.random.default_rng(seed).standard_normal((2, N + 1, C, *positions))
        layer = GroupNormLayer(groups, C, EPS, affine=False)
        Y, cache = layer.forward(X)
        alone, alone_cache = layer.forward(X[:N])
        assert_allclose(alone, Y[:N], rtol=1e-12, atol=1e-12)
        dX = layer.backward(S, cache).X[:N]
        assert_allclose(layer.backward(S[:N], alone_cache).X, dX, rtol=1e-12, atol=1e-12)


def test_frames_and_lists(rng):
    X = rng.standard_normal((4, 3))
    layer = LayerNormLayer(3)
    want = layer.forward(X, np.ones(3), np.zeros(3)).Y
    for data in (X.tolist(), pd.DataFrame(X)):
        Y, cache = layer.forward(data, [1, 1, 1], [0, 0, 0])
        assert_array_equal(Y, want)
        assert layer.backward(data, cache).X.shape == (4, 3)


OPTIONS = {
    "layer, features": (
        lambda: LayerNormLayer(0),
        r"LayerNormLayer.* integer features >= 1; got 0",
    ),
    "layer, one of them": (lambda: LayerNormLayer((3, -1)), "integer features >= 1; got -1"),
    "layer, none of them": (lambda: LayerNormLayer(()), r"LayerNormLayer.* features"),
    "layer, eps": (lambda: LayerNormLayer(3, eps=-1.0), "a finite eps >= 0; got -1.0"),
    "layer, affine": (lambda: LayerNormLayer(3, affine=1), "knows affine = True, False; got"),
    "instance, features": (lambda: InstanceNormLayer(2.0), "InstanceNormLayer.* >= 1; got 2.0"),
    "instance, eps": (lambda: InstanceNormLayer(3, eps=np.inf), "a finite eps >= 0; got inf"),
    "instance, affine": (lambda: InstanceNormLayer(3, affine="no"), "knows affine = True, False"),
    "group, groups": (lambda: GroupNormLayer(0, 4), "GroupNormLayer.* integer groups >= 1; got 0"),
    "group, features": (lambda: GroupNormLayer(1, 0), "integer features >= 1; got 0"),
    "group, eps": (lambda: GroupNormLayer(1, 2, eps="1"), "a finite eps >= 0; got '1'"),
    "group, affine": (lambda: GroupNormLayer(1, 2, affine=None), "knows affine = True, False"),
    "group, remainder": (
        lambda: GroupNormLayer(4, 6),
        "needs groups that divide the features; got 4 groups of 6 channels",
    ),
}


@pytest.mark.parametrize(("make", "text"), OPTIONS.values(), ids=OPTIONS)
def test_bad_options(make, text):
    with pytest.raises(OptionError, match=text):
        make()


LAYERS = {
    "LayerNormLayer": (LayerNormLayer((4, 3)), (4, 3)),
    "InstanceNormLayer": (InstanceNormLayer(4), (4,)),
    "GroupNormLayer": (GroupNormLayer(2, 4), (4,)),
}
SHAPE = (2, 4, 3)


def bad(value, *index):
    X = np.arange(24.0).reshape(SHAPE) ** 2
    X[index] = value
    return X


@pytest.mark.parametrize(("name", "layer", "weights"), [(n, *v) for n, v in LAYERS.items()])
class TestErrors:
    @pytest.mark.parametrize(
        ("X", "error", "text"),
        [
            (np.ones((2, 5, 3)), ShapeError, r"needs X of shape .*; got \(2, 5, 3\)"),
            (np.ones((0, 4, 3)), DataError, r"at least one entry; X has shape \(0, 4, 3\)"),
            (bad(np.nan, 1, 2, 0), DataError, r"X has NaN at index \(1, 2, 0\)"),
            (bad(np.inf, 1, 2, 0), DataError, r"X has an infinite value at index \(1, 2, 0\)"),
            (bad(0, 0, 0, 0) * 1j, DtypeError, "real numbers in X; got dtype complex128"),
            (bad(0, 0, 0, 0).astype(object), DtypeError, "real numbers in X; got dtype object"),
        ],
        ids=["shape", "empty", "NaN", "infinite", "complex", "objects"],
    )
    def test_data(self, name, layer, weights, X, error, text):
        with pytest.raises(error, match=text) as caught:
            layer.forward(X, np.ones(weights), np.ones(weights))
        assert str(caught.value).startswith(f"`{name}.forward(X, gamma, beta)`")

    def test_weights(self, name, layer, weights):
        X, one = bad(0, 0, 0, 0), np.ones(weights)
        with pytest.raises(ShapeError, match=rf"{name}.*needs gamma of shape .* got \(7,\)"):
            layer.forward(X, np.ones(7), one)
        with pytest.raises(ShapeError, match=rf"{name}.*needs beta of shape .* got \(7,\)"):
            layer.forward(X, one, np.ones(7))
        with pytest.raises(OptionError, match=rf"{name}.*affine=True needs both gamma and beta"):
            layer.forward(X, one)

    def test_a_constant_set_without_eps(self, name, layer, weights):
        names = [n for n in ("groups", "features") if hasattr(layer, n)]
        strict = type(layer)(**{n: getattr(layer, n) for n in names}, eps=0.0)
        X = bad(0, 0, 0, 0)
        X[1] = 5.0
        with pytest.raises(DataError, match=rf"{name}.* eps=0 .* are all 5\. Use an eps > 0"):
            strict.forward(X, np.ones(weights), np.ones(weights))

    @pytest.mark.parametrize(
        ("dY", "error", "text"),
        [
            (np.ones((2, 4, 4)), ShapeError, r"of the output, \(2, 4, 3\); got \(2, 4, 4\)"),
            (bad(np.nan, 1, 2, 0), DataError, r"dY has NaN at index \(1, 2, 0\)"),
            (bad(np.inf, 1, 2, 0), DataError, r"dY has an infinite value at index \(1, 2, 0\)"),
            (bad(0, 0, 0, 0) * 1j, DtypeError, "real numbers in dY; got dtype complex128"),
        ],
        ids=["shape", "NaN", "infinite", "complex"],
    )
    def test_backward(self, name, layer, weights, dY, error, text):
        cache = layer.forward(bad(0, 0, 0, 0), np.ones(weights), np.ones(weights)).cache
        with pytest.raises(error, match=text) as caught:
            layer.backward(dY, cache)
        assert str(caught.value).startswith(f"`{name}.backward(dY, cache)`")

    def test_no_cache(self, name, layer, weights):
        with pytest.raises(DtypeError, match=rf"{name}.*needs the cache .*; got ndarray"):
            layer.backward(bad(0, 0, 0, 0), bad(0, 0, 0, 0))


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (LayerNormLayer(1), (3, 1)),
        (InstanceNormLayer(2), (3, 2, 1)),
        (GroupNormLayer(2, 2), (3, 2)),
    ],
    ids=["layer", "instance", "group"],
)
def test_a_single_entry_has_no_spread(layer, shape):
    X = np.arange(float(np.prod(shape))).reshape(shape)
    one = np.ones(shape[1])
    with pytest.raises(DataError, match="needs two or more entries to normalise together"):
        layer.forward(X, one, one)


def test_instance_norm_needs_positions():
    with pytest.raises(ShapeError, match=r"needs X of shape \(N, C, …\); got \(5, 3\)"):
        InstanceNormLayer(3).forward(np.ones((5, 3)), np.ones(3), np.ones(3))
