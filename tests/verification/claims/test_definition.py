"""The definitions that everything is held against, against NumPy and by their own laws."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from matbackprop.verification.claims.definition import (
    affine,
    batch_norm,
    batch_normalised,
    decaying_average,
    mean,
    normalised,
    variance,
)
from matbackprop.verification.claims.draw import differential

SHAPES = [(5, 3), (4, 3, 2), (3, 4, 2, 5)]


@pytest.fixture(params=SHAPES, ids=str)
def x(request, rng):
    return rng.standard_normal(request.param) * 2 + 1


def axes(x):
    return (0, *range(2, x.ndim))


def row(x):
    return (1, x.shape[1], *(1 for _ in x.shape[2:]))


def test_moments_are_numpy_s_over_every_axis_but_the_channel_s(x):
    assert_allclose(mean(x), x.mean(axis=axes(x), keepdims=True), rtol=0, atol=1e-14)
    assert_allclose(variance(x), x.var(axis=axes(x), keepdims=True), rtol=1e-13)
    assert mean(x).shape == variance(x).shape == row(x)


def test_variance_about_another_value_adds_the_square_of_its_distance(x, rng):
    distance = rng.standard_normal(row(x))
    assert_allclose(variance(x, mean(x) + distance), variance(x) + distance**2, rtol=1e-13)


def test_normalised_by_its_own_moments_it_has_mean_0_and_variance_1(x):
    Xhat = batch_normalised(x, 0.0)
    assert_allclose(mean(Xhat), 0, atol=1e-14)
    assert_allclose(variance(Xhat), 1, rtol=1e-13)


def test_moments_may_be_given_in_any_shape_with_an_entry_a_channel(x, rng):
    mu, var = rng.standard_normal(row(x)), rng.uniform(1, 2, row(x))
    expected = (x - mu) / np.sqrt(var + 0.3)
    assert_allclose(normalised(x, mu, var, 0.3), expected, rtol=1e-14)
    assert_allclose(normalised(x, mu.ravel(), var.ravel(), 0.3), expected, rtol=1e-14)
    with pytest.raises(ValueError, match="shorter"):
        normalised(x, mu.ravel()[:-1], var, 0.3)


def test_batch_norm_is_the_affine_part_after_the_normalisation(x, rng):
    gamma, beta = rng.standard_normal((2, *row(x)))
    expected = gamma * batch_normalised(x, 0.2) + beta
    assert_allclose(batch_norm(x, gamma, beta, 0.2), expected, rtol=1e-13, atol=1e-14)
    assert_allclose(affine(x, gamma.ravel(), beta.ravel()), gamma * x + beta, rtol=1e-14)


def test_a_complex_step_passes(x, rng):
    direction, h = rng.standard_normal(x.shape), 1e-6
    exact = differential(lambda v: batch_normalised(v, 0.1), x, direction)
    ahead, behind = (batch_normalised(x + s * h * direction, 0.1) for s in (1, -1))
    assert_allclose(exact, (ahead - behind) / (2 * h), rtol=0, atol=1e-7)


@pytest.mark.parametrize("steps", [1, 2, 6])
def test_decaying_average_is_what_step_after_step_gives(rng, steps):
    start, series, m = rng.standard_normal(3), rng.standard_normal((steps, 3)), 0.8
    running = start
    for new in series:
        running = m * running + (1 - m) * new
    assert_allclose(decaying_average(start, series, m), running, rtol=1e-13, atol=1e-15)
