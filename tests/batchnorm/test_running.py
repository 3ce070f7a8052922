"""The two conventions of running statistics, against their definitions."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from matbackprop.batchnorm import Running
from matbackprop.batchnorm.centring import centred_moments
from matbackprop.batchnorm.running import RULES, updated

M = 7


@pytest.fixture
def batches(rng):
    return [rng.standard_normal((M, 2)) + k for k in range(4)]


def after(batches, convention, momentum):
    running = Running(np.zeros(2), np.full(2, RULES[convention].first_variance))
    for X in batches:
        running = updated(running, centred_moments(X, (0,)), M, convention, momentum)
    return running


@pytest.mark.parametrize("momentum", [0.0, 0.3, 1.0])
def test_torch(batches, momentum):
    mean, variance = np.zeros(2), np.ones(2)
    for X in batches:
        mean = (1 - momentum) * mean + momentum * X.mean(axis=0)
        variance = (1 - momentum) * variance + momentum * X.var(axis=0, ddof=1)
    running = after(batches, "torch", momentum)
    assert_allclose(running.mean, mean, rtol=1e-13, atol=1e-15)
    assert_allclose(running.variance, variance, rtol=1e-13)
    assert running.batches == 4


@pytest.mark.parametrize("momentum", [0.0, 0.3, 1.0])
def test_course(batches, momentum):
    mean, variance = np.zeros(2), np.zeros(2)
    for X in batches:
        mean = momentum * mean + (1 - momentum) * X.mean(axis=0)
        variance = momentum * variance + (1 - momentum) * X.var(axis=0)
    running = after(batches, "course", momentum)
    assert_allclose(running.mean, mean, rtol=1e-13, atol=1e-15)
    assert_allclose(running.variance, variance, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize(("convention", "ddof"), [("torch", 1), ("course", 0)])
def test_without_momentum_every_batch_weighs_the_same(batches, convention, ddof):
    running = after(batches, convention, None)
    assert_allclose(running.mean, np.mean([X.mean(axis=0) for X in batches], axis=0), rtol=1e-13)
    variances = [X.var(axis=0, ddof=ddof) for X in batches]
    assert_allclose(running.variance, np.mean(variances, axis=0), rtol=1e-13)


def test_the_dtype_of_the_statistics_stays(batches):
    running = Running(np.zeros(2, np.float32), np.ones(2, np.float32))
    new = updated(running, centred_moments(batches[0], (0,)), M, "torch", 0.1)
    assert new.mean.dtype == new.variance.dtype == np.float32
