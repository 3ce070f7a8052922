"""Normalisation, its Jacobian and its pullback, against each other and against differences."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from matbackprop.batchnorm import BatchNorm, Moments, normalization_jacobian, normalize, pullback
from matbackprop.differences import complex_step

OPTIONS = [BatchNorm(0, 0.0), BatchNorm(1, 0.0), BatchNorm(0, 0.3), BatchNorm(1, 0.3)]
FIXED = Moments(mu=[0.3, -0.2, 1.0], sigma=[0.5, 2.0, 1.5])


@pytest.fixture
def Z(rng):
    return rng.standard_normal((6, 3))


@pytest.fixture
def gamma(rng):
    return rng.standard_normal(3)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("moments", [None, FIXED], ids=["batch", "fixed"])
class TestThreeWitnesses:
    def numeric(self, Z, options, gamma, moments):
        return complex_step(lambda z: normalize(z, options, moments=moments).Xhat * gamma, Z)

    def test_jacobian(self, Z, options, gamma, moments):
        J = normalization_jacobian(normalize(Z, options, moments=moments), gamma)
        dense = J @ np.eye(Z.size)
        assert_allclose(dense, self.numeric(Z, options, gamma, moments), atol=1e-13)
        assert_allclose(dense, dense.T, atol=1e-14)

    def test_pullback(self, rng, Z, options, gamma, moments):
        S = rng.standard_normal(Z.shape)
        b = normalize(Z, options, moments=moments)
        dZ, dgamma, dbeta = pullback(S, b, gamma)
        numeric = self.numeric(Z, options, gamma, moments).T @ S.ravel(order="F")
        assert_allclose(dZ.ravel(order="F"), numeric, atol=1e-13)
        assert_allclose(dgamma, np.diag(b.Xhat.T @ S), atol=1e-14)
        assert_allclose(dbeta, np.ones(6) @ S, atol=1e-14)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_eigenvalues_along_one_and_along_xhat(Z, options, gamma):
    """J_b removes the mean; along x̂ it leaves (γ/σ)·eps/σ²; elsewhere γ/σ."""
    b = normalize(Z, options)
    J = normalization_jacobian(b, gamma) @ np.eye(Z.size)
    for j in range(3):
        block = J[6 * j : 6 * (j + 1), 6 * j : 6 * (j + 1)]
        scale = gamma[j] / b.sigma[j]
        assert_allclose(block @ np.ones(6), 0, atol=1e-13)
        along = scale * options.eps / b.sigma[j] ** 2
        assert_allclose(block @ b.Xhat[:, j], along * b.Xhat[:, j], atol=1e-13)
        expected = np.sort([0.0, along] + [scale] * 4)
        assert_allclose(np.linalg.eigvalsh(block), expected, atol=1e-12)


def test_columns_of_the_pullback_sum_to_zero(rng, Z, gamma):
    dZ, _, _ = pullback(rng.standard_normal(Z.shape), normalize(Z, BatchNorm()), gamma)
    assert_allclose(dZ.sum(axis=0), 0, atol=1e-13)


def test_integers_are_promoted(gamma):
    whole = np.array([[1], [3], [10]], dtype=np.int8)
    assert normalize(whole, BatchNorm()).Xhat.dtype == np.float64
    b = normalize(whole, BatchNorm())
    assert_allclose(b.Xhat, normalize(whole + 0.0, BatchNorm()).Xhat, rtol=1e-15)
    dZ, _, _ = pullback(whole**2, b, np.ones(1))
    assert_allclose(dZ, pullback(whole**2 + 0.0, b, np.ones(1))[0], rtol=1e-15)


def test_beta_is_summed_in_float64(Z, gamma):
    b = normalize(Z.astype(np.float32), BatchNorm())
    assert pullback(Z.astype(np.float32), b, gamma)[2].dtype == np.float64


def test_float32_stays(Z, gamma):
    Z32 = Z.astype(np.float32)
    b = normalize(Z32, BatchNorm())
    dZ, dgamma, _ = pullback(Z32, b, gamma.astype(np.float32))
    assert (b.Xhat.dtype, dZ.dtype, dgamma.dtype) == (np.float32, np.float32, np.float64)
    assert_allclose(b.Xhat, normalize(Z, BatchNorm()).Xhat, atol=1e-6)
