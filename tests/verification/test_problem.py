"""The question's problem, and the correct values that numDeriv gave for it."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

import matbackprop as mb

# By R's numDeriv, sum-of-squares loss, ddof = 1, eps = 0.
BETA = [0.9952330, 1.1510608, -4.0426069, -0.3169117]
GAMMA = [1.2770634, 1.9957144, -4.9466216, -0.6095949]
GAMMA2 = [-1.178837, 6.062955, -2.661451, 14.237266]
GAMMA1_ROW1 = [-0.32579718, 0.002395019, 6.9149220, 0.21395849]
GAMMA1_ROW7 = [-0.02800042, 0.043006473, -0.8519618, -0.01385921]


@pytest.fixture(scope="module")
def q():
    return mb.question()


def test_options_are_those_of_the_questions_code(q):
    assert q.network == mb.Network("relu", mb.BatchNorm(ddof=1, eps=0.0), "sse")


def test_data(q):
    assert (q.X.shape, q.y.shape, q.noise.shape) == ((10, 7), (10,), (10,))
    assert q.parameters.Gamma1.shape == (7, 4)
    assert q.parameters.gamma.tolist() == [2, 3, 4, 5]
    assert q.parameters.beta.tolist() == [-2, -3, -4, -5]
    # R's set.seed(1); rnorm(1), a number many people know by heart
    assert q.parameters.Gamma1[0, 0] == pytest.approx(-0.6264538107423324, abs=1e-16)
    assert (np.round(q.X) == q.X).all()
    assert np.abs(q.X).max() <= 5


def test_the_residuals_are_the_noise(q):
    fitted = mb.predict(q.network, q.parameters, q.X)
    assert_allclose(q.y - fitted, q.noise, atol=1e-14)


@pytest.mark.parametrize("formulation", mb.FORMULATIONS)
def test_correct_values(q, formulation):
    g = mb.gradient(q.network, q.parameters, q.X, q.y, formulation=formulation)
    assert_allclose(g.beta, BETA, atol=6e-8)
    assert_allclose(g.gamma, GAMMA, atol=6e-8)
    assert_allclose(g.Gamma2, GAMMA2, atol=6e-7)
    assert_allclose(g.Gamma1[0], GAMMA1_ROW1, rtol=2e-7)
    assert_allclose(g.Gamma1[6], GAMMA1_ROW7, rtol=2e-7)
