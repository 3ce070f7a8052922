"""Batch norm as a layer: modes, running statistics, gradients, invariances."""

from dataclasses import FrozenInstanceError

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from matbackprop.batchnorm import BatchNorm, BatchNormLayer, Running, normalize
from matbackprop.differences import central_difference

SHAPES = [(6, 3), (4, 3, 5), (3, 3, 2, 4), (2, 3, 2, 2, 3)]
EPS = 1e-5


def along_channels(stat, X):
    return np.reshape(stat, (1, -1, *[1] * (X.ndim - 2)))


def moments(X, ddof=0):
    """Channel by channel, in a plain loop."""
    columns = [X[:, j].ravel() for j in range(X.shape[1])]
    return np.array([c.mean() for c in columns]), np.array([c.var(ddof=ddof) for c in columns])


def normalized(X, mean, variance, gamma, beta, eps=EPS):
    mean, variance, gamma, beta = (along_channels(s, X) for s in (mean, variance, gamma, beta))
    return gamma * (X - mean) / np.sqrt(variance + eps) + beta


@pytest.fixture
def gamma(rng):
    return rng.standard_normal(3)


@pytest.fixture
def beta(rng):
    return rng.standard_normal(3)


@pytest.fixture
def running(rng):
    return Running(rng.standard_normal(3), rng.random(3) + 0.5, 7)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
class TestDefinition:
    def test_train(self, rng, shape, gamma, beta):
        X = rng.standard_normal(shape) * 3 + 5
        Y = BatchNormLayer(3).forward(X, gamma, beta).Y
        assert_allclose(Y, normalized(X, *moments(X), gamma, beta), rtol=1e-12, atol=1e-13)

    @pytest.mark.parametrize("mode", ["test", "eval"])
    def test_test(self, rng, shape, gamma, beta, running, mode):
        X = rng.standard_normal(shape)
        Y, _, after = BatchNormLayer(3).forward(X, gamma, beta, mode=mode, running=running)
        want = normalized(X, running.mean, running.variance, gamma, beta)
        assert_allclose(Y, want, rtol=1e-12, atol=1e-13)
        assert_array_equal(after.mean, running.mean)
        assert_array_equal(after.variance, running.variance)
        assert after.batches == 7

    def test_without_affine(self, rng, shape):
        X, S = rng.standard_normal((2, *shape))
        plain, with_ones = BatchNormLayer(3, affine=False), BatchNormLayer(3)
        Y, cache, _ = plain.forward(X)
        same, cache_with_ones, _ = with_ones.forward(X, np.ones(3), np.zeros(3))
        assert_allclose(Y, same, rtol=1e-14, atol=1e-15)
        dX, dgamma, dbeta = plain.backward(S, cache)
        assert (dgamma, dbeta) == (None, None)
        assert_allclose(dX, with_ones.backward(S, cache_with_ones).X, rtol=1e-13, atol=1e-14)

    @pytest.mark.parametrize("mode", ["train", "test"])
    def test_without_tracking_both_modes_use_the_batch(self, rng, shape, gamma, beta, mode):
        X, S = rng.standard_normal((2, *shape))
        layer = BatchNormLayer(3, track=False)
        Y, cache, running = layer.forward(X, gamma, beta, mode=mode)
        assert running is None
        assert_allclose(Y, normalized(X, *moments(X), gamma, beta), rtol=1e-12, atol=1e-13)
        tracked = BatchNormLayer(3).forward(X, gamma, beta).cache
        assert_array_equal(layer.backward(S, cache).X, layer.backward(S, tracked).X)

    def test_memory_order_and_strides_do_not_matter(self, rng, shape, gamma, beta):
        X, S = rng.standard_normal((2, *shape))
        layer = BatchNormLayer(3)
        Y, cache, _ = layer.forward(X, gamma, beta)
        other, strided, _ = layer.forward(np.asfortranarray(X), gamma, beta)
        assert_allclose(other, Y, rtol=1e-13, atol=1e-14)
        dX = layer.backward(np.asfortranarray(S), strided).X
        assert_allclose(dX, layer.backward(S, cache).X, rtol=1e-13, atol=1e-14)


MOMENTA = ["customary", 0.3, 0.0, 1.0, None]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("momentum", MOMENTA, ids=str)
class TestRunningStatistics:
    def batches(self, rng, shape):
        return [rng.standard_normal(shape) * (k + 1) + k for k in range(5)]

    def test_torch(self, rng, shape, momentum):
        """(1 − m)·running + m·batch, the variance divided by m − 1; from 0 and 1."""
        layer = BatchNormLayer(3, momentum=momentum, affine=False)
        running, mean, variance = None, np.zeros(3), np.ones(3)
        for k, X in enumerate(self.batches(rng, shape), start=1):
            running = layer.forward(X, running=running).running
            m = {"customary": 0.1, None: 1 / k}.get(momentum, momentum)
            batch_mean, batch_variance = moments(X, ddof=1)
            mean = (1 - m) * mean + m * batch_mean
            variance = (1 - m) * variance + m * batch_variance
            assert_allclose(running.mean, mean, rtol=1e-12, atol=1e-14)
            assert_allclose(running.variance, variance, rtol=1e-12)
            assert running.batches == k

    def test_course(self, rng, shape, momentum):
        """m·running + (1 − m)·batch, the variance divided by m; from 0 and 0."""
        layer = BatchNormLayer(3, momentum=momentum, convention="course", affine=False)
        running, mean, variance = None, np.zeros(3), np.zeros(3)
        for k, X in enumerate(self.batches(rng, shape), start=1):
            running = layer.forward(X, running=running).running
            m = {"customary": 0.9, None: 1 - 1 / k}.get(momentum, momentum)
            batch_mean, batch_variance = moments(X)
            mean = m * mean + (1 - m) * batch_mean
            variance = m * variance + (1 - m) * batch_variance
            assert_allclose(running.mean, mean, rtol=1e-12, atol=1e-14)
            assert_allclose(running.variance, variance, rtol=1e-12, atol=1e-14)
            assert running.batches == k


@pytest.mark.parametrize("convention", ["torch", "course"])
def test_the_cumulative_average_is_the_average(rng, convention):
    layer = BatchNormLayer(2, momentum=None, convention=convention, affine=False)
    batches = rng.standard_normal((4, 6, 2))
    running = None
    for X in batches:
        running = layer.forward(X, running=running).running
    ddof = 1 if convention == "torch" else 0
    assert_allclose(running.mean, batches.mean(axis=(0, 1)), rtol=1e-12)
    assert_allclose(running.variance, batches.var(axis=1, ddof=ddof).mean(axis=0), rtol=1e-12)


@pytest.mark.parametrize(("convention", "first"), [("torch", 1.0), ("course", 0.0)])
def test_initial_statistics(convention, first):
    running = BatchNormLayer(2, convention=convention).initial(np.zeros((4, 2), np.float32))
    assert running.mean.tolist() == [0.0, 0.0]
    assert running.variance.tolist() == [first, first]
    assert running.mean.dtype == running.variance.dtype == np.float32
    assert running.batches == 0


def test_running_statistics_keep_their_own_dtype(rng):
    wide = Running(np.zeros(3), np.ones(3))
    X = rng.standard_normal((5, 3)).astype(np.float32)
    Y, _, after = BatchNormLayer(3, affine=False).forward(X, running=wide)
    assert Y.dtype == np.float32
    assert after.mean.dtype == after.variance.dtype == np.float64


class TestStateIsExplicit:
    @pytest.mark.parametrize("mode", ["train", "test"])
    def test_nothing_is_mutated(self, rng, gamma, beta, running, mode):
        X, S = rng.standard_normal((2, 4, 3, 2))
        given = [X, S, gamma, beta, running.mean, running.variance]
        kept = [a.copy() for a in given]
        layer = BatchNormLayer(3)
        first = layer.forward(X, gamma, beta, mode=mode, running=running)
        gradients = layer.backward(S, first.cache)
        for array, copy in zip(given, kept, strict=True):
            assert_array_equal(array, copy)
        assert running.batches == 7
        # Hence a second time is as the first.
        again = layer.forward(X, gamma, beta, mode=mode, running=running)
        assert_array_equal(again.Y, first.Y)
        assert_array_equal(layer.backward(S, again.cache).X, gradients.X)

    def test_read_only_arrays_are_fine(self, rng, gamma, beta, running):
        X, S = rng.standard_normal((2, 4, 3))
        for array in (X, S, gamma, beta, running.mean, running.variance):
            array.flags.writeable = False
        layer = BatchNormLayer(3)
        for mode in ("train", "test"):
            layer.backward(S, layer.forward(X, gamma, beta, mode=mode, running=running).cache)

    def test_records_are_frozen(self, running):
        with pytest.raises(FrozenInstanceError):
            running.batches = 3
        with pytest.raises(FrozenInstanceError):
            BatchNormLayer(3).eps = 1.0


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("mode", ["train", "test"])
@pytest.mark.parametrize("eps", [0.0, 0.3])
def test_gradients_against_differences(rng, shape, mode, eps, gamma, beta, running):
    X, S = rng.standard_normal((2, *shape))
    layer = BatchNormLayer(3, eps=eps)

    def loss(X=X, gamma=gamma, beta=beta):
        return (S * layer.forward(X, gamma, beta, mode=mode, running=running).Y).sum()

    cache = layer.forward(X, gamma, beta, mode=mode, running=running).cache
    dX, dgamma, dbeta = layer.backward(S, cache)
    for gradient, f, at in [
        (dX, lambda x: loss(X=x), X),
        (dgamma, lambda g: loss(gamma=g), gamma),
        (dbeta, lambda b: loss(beta=b), beta),
    ]:
        assert gradient.shape == at.shape
        assert_allclose(gradient, central_difference(f, at).value, rtol=1e-8, atol=1e-8)


shapes = st.lists(st.integers(2, 4), min_size=2, max_size=5).map(tuple)
seeds = st.integers(0, 2**32 - 1)


def terms_in(S, cache):
    """How large the terms are of which dX is what is left: |S|/σ."""
    return np.abs(S).max() / cache.b.sigma.min()


class TestInvariances:
    @given(shapes, seeds)
    def test_the_gradient_of_each_channel_sums_to_zero(self, shape, seed):
        rng = np.random.default_rng(seed)
        X, S = rng.standard_normal((2, *shape))
        layer = BatchNormLayer(shape[1], affine=False)
        cache = layer.forward(X).cache
        dX = layer.backward(S, cache).X
        sums = np.moveaxis(dX, 1, 0).reshape(shape[1], -1).sum(axis=1)
        assert_allclose(sums, 0, atol=1e-13 * terms_in(S, cache) * X.size)

    @given(shapes, seeds)
    def test_without_eps_the_gradient_is_orthogonal_to_xhat(self, shape, seed):
        rng = np.random.default_rng(seed)
        X, S = rng.standard_normal((2, *shape))
        layer = BatchNormLayer(shape[1], eps=0.0, affine=False)
        Xhat, cache, _ = layer.forward(X)
        dX = layer.backward(S, cache).X
        along = np.moveaxis(Xhat * dX, 1, 0).reshape(shape[1], -1).sum(axis=1)
        assert_allclose(along, 0, atol=1e-12 * terms_in(S, cache) * X.size)

    @given(shapes, seeds, st.floats(0.01, 100))
    def test_scaling_x_changes_nothing(self, shape, seed, factor):
        rng = np.random.default_rng(seed)
        X, S = rng.standard_normal((2, *shape))
        layer = BatchNormLayer(shape[1], eps=0.0, affine=False)
        Y, cache, _ = layer.forward(X)
        scaled, scaled_cache, _ = layer.forward(X * factor)
        assert_allclose(scaled, Y, rtol=1e-11, atol=1e-11)
        dX, smaller = layer.backward(S, cache).X, layer.backward(S, scaled_cache).X
        size = terms_in(S, cache)
        assert_allclose(smaller * factor, dX, rtol=1e-10, atol=1e-11 * size)

    @given(shapes, seeds, st.integers(-(2**20), 2**20))
    def test_an_offset_changes_nothing(self, shape, seed, offset):
        rng = np.random.default_rng(seed)
        # On a grid of 2⁻¹⁰ adding an offset rounds nothing.
        X = np.round(rng.standard_normal(shape) * 1024) / 1024
        S = rng.standard_normal(shape)
        layer = BatchNormLayer(shape[1], affine=False)
        Y, cache, _ = layer.forward(X)
        shifted, shifted_cache, _ = layer.forward(X + offset)
        assert_allclose(shifted, Y, rtol=1e-11, atol=1e-11)
        dX, same = layer.backward(S, cache).X, layer.backward(S, shifted_cache).X
        size = terms_in(S, cache)
        assert_allclose(same, dX, rtol=1e-10, atol=1e-11 * size)

    @given(shapes, seeds)
    def test_channels_do_not_meet(self, shape, seed):
        rng = np.random.default_rng(seed)
        X, S = rng.standard_normal((2, *shape))
        whole, single = BatchNormLayer(shape[1], affine=False), BatchNormLayer(1, affine=False)
        Y, cache, _ = whole.forward(X)
        alone, alone_cache, _ = single.forward(X[:, :1])
        assert_allclose(alone, Y[:, :1], rtol=1e-12, atol=1e-12)
        dX = whole.backward(S, cache).X[:, :1]
        assert_allclose(single.backward(S[:, :1], alone_cache).X, dX, rtol=1e-10, atol=1e-10)


class TestAccepted:
    def test_lists_and_frames(self, rng, gamma, beta):
        X = rng.standard_normal((5, 3))
        want = BatchNormLayer(3).forward(X, gamma, beta).Y
        for data in (X.tolist(), pd.DataFrame(X, columns=list("abc"))):
            Y, cache, _ = BatchNormLayer(3).forward(data, gamma.tolist(), pd.Series(beta))
            assert type(Y) is np.ndarray
            assert_array_equal(Y, want)
            assert BatchNormLayer(3).backward(data, cache).gamma.shape == (3,)

    @pytest.mark.parametrize("dtype", ["int8", "bool", "float16", "float64"])
    def test_other_numbers_become_float64(self, dtype):
        X = np.array([[0, 1, 1], [1, 0, 1], [0, 0, 0]], dtype=dtype)
        Y = BatchNormLayer(3, affine=False).forward(X).Y
        assert Y.dtype == np.float64
        assert_array_equal(Y, BatchNormLayer(3, affine=False).forward(X.astype(float)).Y)

    def test_float32_stays(self, rng, gamma, beta):
        X, S = rng.standard_normal((2, 50, 3)).astype(np.float32)
        g32, b32 = gamma.astype(np.float32), beta.astype(np.float32)
        Y, cache, running = BatchNormLayer(3).forward(X, g32, b32)
        gradients = BatchNormLayer(3).backward(S, cache)
        for a in (Y, *gradients, running.mean, running.variance):
            assert a.dtype == np.float32
        wide = BatchNormLayer(3).forward(X.astype(float), g32.astype(float), b32.astype(float))
        assert_allclose(Y, wide.Y, rtol=1e-6, atol=1e-6)
        exact = BatchNormLayer(3).backward(S.astype(float), wide.cache)
        for ours, want in zip(gradients, exact, strict=True):
            assert_allclose(ours, want, rtol=2e-6, atol=2e-6)

    @pytest.mark.parametrize("mode", ["train", "test"])
    @pytest.mark.parametrize("affine", [True, False])
    @pytest.mark.parametrize("shape", [(400, 3), (20, 3, 4, 5)], ids=str)
    def test_an_offset_costs_float32_no_digits(self, rng, gamma, beta, mode, affine, shape):
        """The mean is 10⁶ and not itself a float32; what is exact is float64 on the same data."""
        X = (rng.standard_normal(shape) + 1e6).astype(np.float32)
        S = rng.standard_normal(shape).astype(np.float32)
        weights = (gamma.astype(np.float32), beta.astype(np.float32)) if affine else ()
        statistics = Running(np.full(3, 1e6 + 0.01), np.ones(3))
        layer = BatchNormLayer(3, affine=affine)

        def step(X, S, *weights):
            forward = layer.forward(X, *weights, mode=mode, running=statistics)
            gradients = layer.backward(S, forward.cache)
            return [forward.Y, *(g for g in gradients if g is not None)]

        narrow = step(X, S, *weights)
        exact = step(*(a.astype(np.float64) for a in (X, S, *weights)))
        for ours, want in zip(narrow, exact, strict=True):
            assert ours.dtype == np.float32
            assert_allclose(ours, want, rtol=1e-6, atol=1e-6 * np.abs(want).max())

    def test_a_single_row_in_test_mode_and_of_an_image(self, rng, running):
        layer = BatchNormLayer(3, affine=False)
        assert layer.forward(rng.standard_normal((1, 3)), mode="test", running=running).Y.any()
        assert layer.forward(rng.standard_normal((1, 3, 2))).Y.any()

    def test_a_constant_channel_with_eps(self):
        Y, cache, _ = BatchNormLayer(1, affine=False).forward(np.full((4, 1), 0.1))
        assert_allclose(Y, 0, atol=1e-12)
        layer = BatchNormLayer(1, affine=False)
        dX = layer.backward(np.array([[1.0], [0], [0], [0]]), cache).X
        assert_allclose(dX.ravel() * np.sqrt(1e-5), [0.75, -0.25, -0.25, -0.25], atol=1e-12)


def test_running_statistics_are_constants_to_autograd(unavailable):
    try:
        import torch
    except ImportError:
        unavailable("torch")
    W = torch.randn(3, 3, dtype=torch.float64, requires_grad=True)
    one = torch.ones(3, dtype=torch.float64)
    X, layer = torch.randn(6, 3, dtype=torch.float64), BatchNormLayer(3)
    running = layer.forward(X @ W, one, one).running
    assert running.mean.grad_fn is running.variance.grad_fn is None
    Y, cache, _ = layer.forward(X @ W, one, one, mode="test", running=running)
    (by_autograd,) = torch.autograd.grad((Y**3).sum(), W)
    ours = X.T @ layer.backward(3 * Y.detach() ** 2, cache).X
    assert_allclose(by_autograd.numpy(), ours.detach().numpy(), rtol=1e-12)


class TestScales:
    """Spreads whose squares leave float32: the gradient, of the size of 1/σ, does not."""

    X = np.array([[1.0], [3.0], [7.0]])
    DY = np.array([[1.0], [2.0], [4.5]])

    @pytest.mark.parametrize("scale", [1e-20, 1e-12, 1.0, 1e12, 1e17])
    def test_gradients_in_float32(self, scale):
        layer, found = BatchNormLayer(1, eps=0.0, affine=False, track=False), {}
        for dtype in (np.float32, np.float64):
            X, dY = (scale * self.X).astype(dtype), self.DY.astype(dtype)
            found[dtype] = layer.backward(dY, layer.forward(X).cache).X * scale
        assert_allclose(found[np.float32], found[np.float64], rtol=3e-5)

    def test_what_varies_is_not_called_constant(self):
        far = np.array([[1e8], [1e8 + 64], [1e8 + 32], [1e8 - 32]], dtype=np.float32)
        layer = BatchNormLayer(1, eps=0.0, affine=False)
        assert_allclose(layer.forward(far).Y, normalize(far, BatchNorm(eps=0.0)).Xhat, rtol=1e-6)
        rare = np.ones((100_000, 1))
        rare[7] += 1e-13
        assert_allclose(layer.forward(rare).Y[7], 316.226, rtol=1e-3)

    def test_the_gradient_has_the_dtype_of_the_data(self, rng):
        X, dY = rng.standard_normal((2, 6, 3))
        layer = BatchNormLayer(3, affine=False)
        running = layer.forward(X).running
        for options in ({}, {"mode": "test", "running": running}):
            cache = layer.forward(X, **options).cache
            assert layer.backward(dY.astype(np.float32), cache).X.dtype == np.float64

    def test_wide_statistics_of_narrow_data_keep_their_digits(self, rng):
        X = (rng.standard_normal((50, 2)) + 1000).astype(np.float32)
        layer = BatchNormLayer(2, affine=False, momentum=None)
        running = layer.forward(X, running=Running(np.zeros(2), np.ones(2))).running
        assert_allclose(running.mean, X.astype(np.float64).mean(axis=0), rtol=1e-12)
