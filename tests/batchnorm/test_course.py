"""The course's own notebook checks, in train and test mode, on NumPy and torch."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from matbackprop.batchnorm.course import (
    batchnorm_backward,
    batchnorm_backward_alt,
    batchnorm_forward,
    layernorm_backward,
    layernorm_forward,
    spatial_batchnorm_backward,
    spatial_batchnorm_forward,
    spatial_groupnorm_backward,
    spatial_groupnorm_forward,
)
from matbackprop.batchnorm.staged import staged_pull_back

SPATIAL = (0, 2, 3)


@pytest.fixture(autouse=True)
def _as_in_the_notebook():
    np.random.seed(231)  # noqa: NPY002


def randn(*shape):
    return np.random.randn(*shape)  # noqa: NPY002


def rel_error(x, y):
    """The largest |x − y| / max(1e-8, |x| + |y|), as the notebook prints it."""
    return (np.abs(x - y) / np.maximum(1e-8, np.abs(x) + np.abs(y))).max()


def numerical(f, at, dout, h=1e-5):
    """Centred differences of ⟨f, dout⟩; like the notebook's, in the very array that f is given."""
    gradient = np.zeros_like(at)
    for index in np.ndindex(at.shape):
        kept = at[index]
        at[index] = kept + h
        above = f(at).copy()
        at[index] = kept - h
        below = f(at).copy()
        at[index] = kept
        gradient[index] = ((above - below) * dout).sum() / (2 * h)
    return gradient


def activations(N, W1, W2):
    """Of a two-layer network at random data: columns of no particular mean and spread."""
    return np.maximum(0, randn(N, W1.shape[0]) @ W1) @ W2


def check_gradients(forward, backward, x, gamma, beta, dout, *, dx_within):
    numbers = (
        numerical(lambda a: forward(a, gamma, beta)[0], x, dout),
        numerical(lambda a: forward(x, a, beta)[0], gamma, dout),
        numerical(lambda a: forward(x, gamma, a)[0], beta, dout),
    )
    gradients = backward(dout, forward(x, gamma, beta)[1])
    for number, gradient, within in zip(numbers, gradients, (dx_within, 1e-8, 1e-8), strict=True):
        assert gradient.shape == number.shape
        assert rel_error(number, gradient) < within


class TestBatchnorm:
    def test_training(self):
        a = activations(200, randn(50, 60), randn(60, 3))
        assert (np.abs(a.mean(axis=0)) > 1).all()
        assert (a.std(axis=0) > 10).all()
        out, _ = batchnorm_forward(a, np.ones(3), np.zeros(3), {"mode": "train"})
        assert_allclose(out.mean(axis=0), 0, atol=1e-14)
        assert_allclose(out.std(axis=0), 1, rtol=1e-7)
        gamma, beta = np.array([1.0, 2.0, 3.0]), np.array([11.0, 12.0, 13.0])
        out, _ = batchnorm_forward(a, gamma, beta, {"mode": "train"})
        assert_allclose(out.mean(axis=0), beta, rtol=1e-14)
        assert_allclose(out.std(axis=0), gamma, rtol=1e-7)

    def test_test_time_after_many_batches(self):
        W1, W2 = randn(50, 60), randn(60, 3)
        bn_param = {"mode": "train"}
        mean, variance = np.zeros(3), np.zeros(3)
        for _ in range(50):
            a = activations(200, W1, W2)
            batchnorm_forward(a, np.ones(3), np.zeros(3), bn_param)
            mean = 0.9 * mean + 0.1 * a.mean(axis=0)
            variance = 0.9 * variance + 0.1 * a.var(axis=0)
        assert_allclose(bn_param["running_mean"], mean, rtol=1e-12)
        assert_allclose(bn_param["running_var"], variance, rtol=1e-12)

        bn_param["mode"] = "test"
        kept = dict(bn_param)
        a = activations(200, W1, W2)
        out, _ = batchnorm_forward(a, np.ones(3), np.zeros(3), bn_param)
        assert_allclose(out, (a - mean) / np.sqrt(variance + 1e-5), rtol=1e-11, atol=1e-12)
        assert_allclose(out.mean(axis=0), 0, atol=0.2)
        assert_allclose(out.std(axis=0), 1, atol=0.15)
        assert kept.keys() == bn_param.keys()
        assert all(kept[key] is bn_param[key] for key in kept)

    @pytest.mark.parametrize("backward", [batchnorm_backward, batchnorm_backward_alt])
    def test_gradients(self, backward):
        x = 5 * randn(4, 5) + 12
        gamma, beta, dout = randn(5), randn(5), randn(4, 5)
        bn_param = {"mode": "train"}
        check_gradients(
            lambda *at: batchnorm_forward(*at, bn_param),
            *(backward, x, gamma, beta, dout),
            dx_within=2e-8,
        )

    @pytest.mark.parametrize("backward", [batchnorm_backward, batchnorm_backward_alt])
    def test_gradients_in_test_mode(self, backward):
        x = 5 * randn(4, 5) + 12
        gamma, beta, dout = randn(5), randn(5), randn(4, 5)
        bn_param = {"mode": "test", "running_mean": randn(5), "running_var": randn(5) ** 2 + 0.1}
        check_gradients(
            lambda *at: batchnorm_forward(*at, bn_param),
            *(backward, x, gamma, beta, dout),
            dx_within=2e-8,
        )

    @pytest.mark.parametrize("mode", ["train", "test"])
    def test_the_alternative_is_equal(self, mode):
        x = 5 * randn(100, 500) + 12
        gamma, beta, dout = randn(500), randn(500), randn(100, 500)
        bn_param = {"mode": mode, "running_mean": randn(500), "running_var": randn(500) ** 2}
        _, cache = batchnorm_forward(x, gamma, beta, bn_param)
        both = zip(
            batchnorm_backward(dout, cache), batchnorm_backward_alt(dout, cache), strict=True
        )
        for staged, closed in both:
            assert rel_error(staged, closed) < 1e-9
            assert_allclose(staged, closed, rtol=1e-12, atol=1e-13 * np.abs(closed).max())

    def test_the_two_ways_back_are_two(self, monkeypatch):
        """The witness must not lean on the formula that it witnesses."""
        _, cache = batchnorm_forward(randn(4, 5), randn(5), randn(5), {"mode": "train"})

        def refuse(*args):
            raise AssertionError("closed form")

        monkeypatch.setattr("matbackprop.batchnorm.affine.pulled", refuse)
        batchnorm_backward(randn(4, 5), cache)
        with pytest.raises(AssertionError, match="closed form"):
            batchnorm_backward_alt(randn(4, 5), cache)

    def test_eps_and_momentum_are_heeded(self):
        x = randn(6, 2)
        bn_param = {"mode": "train", "eps": 0.5, "momentum": 0.25, "running_mean": np.ones(2)}
        out, _ = batchnorm_forward(x, np.ones(2), np.zeros(2), bn_param)
        assert_allclose(out, (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + 0.5), rtol=1e-12)
        assert_allclose(bn_param["running_mean"], 0.25 + 0.75 * x.mean(axis=0), rtol=1e-14)
        assert_allclose(bn_param["running_var"], 0.75 * x.var(axis=0), rtol=1e-14)

    def test_running_statistics_are_replaced_not_overwritten(self):
        mean, variance = np.zeros(2), np.zeros(2)
        bn_param = {"mode": "train", "running_mean": mean, "running_var": variance}
        batchnorm_forward(randn(6, 2) + 3, np.ones(2), np.zeros(2), bn_param)
        assert not mean.any()
        assert not variance.any()
        assert bn_param["running_mean"].all()

    def test_lists_and_frames(self):
        x = np.array([[1, 2], [3, 5], [4, 9]])
        want, _ = batchnorm_forward(x + 0.0, np.ones(2), np.zeros(2), {"mode": "train"})
        for given in (x, x.tolist(), pd.DataFrame(x)):
            out, cache = batchnorm_forward(given, [1, 1], [0, 0], {"mode": "train"})
            assert_array_equal(out, want)
            assert batchnorm_backward(given, cache)[0].shape == (3, 2)


class TestLayernorm:
    def test_forward(self):
        a = activations(4, randn(50, 60), randn(60, 3))
        out, _ = layernorm_forward(a, np.ones(3), np.zeros(3), {"mode": "train"})
        assert_allclose(out.mean(axis=1), 0, atol=1e-14)
        assert_allclose(out.std(axis=1), 1, rtol=1e-6)
        out, _ = layernorm_forward(a, np.full(3, 3.0), np.full(3, 5.0), {"mode": "train"})
        assert_allclose(out.mean(axis=1), 5, rtol=1e-14)
        assert_allclose(out.std(axis=1), 3, rtol=1e-6)

    def test_gradients(self):
        x = 5 * randn(4, 5) + 12
        gamma, beta, dout = randn(5), randn(5), randn(4, 5)
        check_gradients(
            lambda *at: layernorm_forward(*at, {}),
            *(layernorm_backward, x, gamma, beta, dout),
            dx_within=2e-8,
        )

    def test_the_graph_can_be_walked_for_its_cache_too(self):
        x = randn(4, 5)
        _, cache = layernorm_forward(x, randn(5), randn(5), {})
        dout = randn(4, 5)
        both = zip(staged_pull_back(dout, cache), layernorm_backward(dout, cache), strict=True)
        for staged, closed in both:
            assert_allclose(staged, closed, rtol=1e-12, atol=1e-13)

    def test_eps(self):
        x = randn(4, 5)
        out, _ = layernorm_forward(x, np.ones(5), np.zeros(5), {"eps": 0.5})
        spread = np.sqrt(x.var(axis=1, keepdims=True) + 0.5)
        assert_allclose(out, (x - x.mean(axis=1, keepdims=True)) / spread, rtol=1e-12)


class TestSpatialBatchnorm:
    def test_training(self):
        x = 4 * randn(2, 3, 4, 5) + 10
        out, _ = spatial_batchnorm_forward(x, np.ones(3), np.zeros(3), {"mode": "train"})
        assert out.shape == x.shape
        assert_allclose(out.mean(axis=SPATIAL), 0, atol=1e-14)
        assert_allclose(out.std(axis=SPATIAL), 1, rtol=1e-6)
        gamma, beta = np.array([3, 4, 5]), np.array([6, 7, 8])  # integers, as in the notebook
        out, _ = spatial_batchnorm_forward(x, gamma, beta, {"mode": "train"})
        assert_allclose(out.mean(axis=SPATIAL), beta, rtol=1e-14)
        assert_allclose(out.std(axis=SPATIAL), gamma, rtol=1e-6)

    def test_test_time_after_many_batches(self):
        bn_param = {"mode": "train"}
        for _ in range(50):
            x = 2.3 * randn(10, 4, 11, 12) + 13
            spatial_batchnorm_forward(x, np.ones(4), np.zeros(4), bn_param)
        bn_param["mode"] = "test"
        x = 2.3 * randn(10, 4, 11, 12) + 13
        out, _ = spatial_batchnorm_forward(x, np.ones(4), np.zeros(4), bn_param)
        assert_allclose(out.mean(axis=SPATIAL), 0, atol=0.1)
        assert_allclose(out.std(axis=SPATIAL), 1, atol=0.05)

    @pytest.mark.parametrize("mode", ["train", "test"])
    def test_gradients(self, mode):
        x = 5 * randn(2, 3, 4, 5) + 12
        gamma, beta, dout = randn(3), randn(3), randn(2, 3, 4, 5)
        bn_param = {"mode": mode, "running_mean": randn(3), "running_var": randn(3) ** 2 + 0.1}
        check_gradients(
            lambda *at: spatial_batchnorm_forward(*at, bn_param),
            *(spatial_batchnorm_backward, x, gamma, beta, dout),
            dx_within=1e-6,  # single entries are nearly 0; the notebook allows as much
        )


@pytest.mark.parametrize("weights", [(1, 6, 1, 1), (6,)], ids=str)
class TestSpatialGroupnorm:
    def test_forward(self, weights):
        x = 4 * randn(2, 6, 4, 5) + 10
        out, _ = spatial_groupnorm_forward(
            x, np.ones(weights), np.zeros(weights), 2, {"mode": "train"}
        )
        assert out.shape == x.shape
        groups = out.reshape(4, -1)  # two rows of two groups
        assert_allclose(groups.mean(axis=1), 0, atol=1e-14)
        assert_allclose(groups.std(axis=1), 1, rtol=1e-6)

    def test_gradients(self, weights):
        x = 5 * randn(2, 6, 4, 5) + 12
        gamma, beta, dout = randn(*weights), randn(*weights), randn(2, 6, 4, 5)
        check_gradients(
            lambda *at: spatial_groupnorm_forward(*at, 2, {}),
            *(spatial_groupnorm_backward, x, gamma, beta, dout),
            dx_within=1e-6,
        )


RUNNING = {"running_mean": np.zeros(3), "running_var": np.ones(3)}


@pytest.mark.parametrize("mode", ["train", "test"])
def test_torch(mode, unavailable):
    try:
        import torch
    except ImportError:
        unavailable("torch")
    x, dout = randn(6, 3), randn(6, 3)
    gamma, beta = randn(3), randn(3)
    bn_param = {"mode": mode} | RUNNING
    tensors = {"mode": mode} | {key: torch.asarray(value) for key, value in RUNNING.items()}
    out, cache = batchnorm_forward(x, gamma, beta, bn_param)
    same, other = batchnorm_forward(*map(torch.asarray, (x, gamma, beta)), tensors)
    assert isinstance(same, torch.Tensor)
    assert_allclose(same.numpy(), out, rtol=1e-12, atol=1e-13)
    for key in RUNNING:
        assert isinstance(tensors[key], torch.Tensor)
        assert_allclose(tensors[key].numpy(), bn_param[key], rtol=1e-13)
    for backward in (batchnorm_backward, batchnorm_backward_alt):
        both = zip(backward(torch.asarray(dout), other), backward(dout, cache), strict=True)
        for theirs, ours in both:
            assert isinstance(theirs, torch.Tensor)
            assert_allclose(theirs.numpy(), ours, rtol=1e-12, atol=1e-13)
