"""Means in two parts, and variances about a pivot."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from matbackprop.batchnorm import centring
from matbackprop.batchnorm.centring import centred_moments, given_moments


def exactly(column):
    """Mean and variance of floating-point numbers, in rational numbers."""
    values = [Fraction(float(v)) for v in column]
    mean = sum(values) / len(values)
    return mean, sum((v - mean) ** 2 for v in values) / len(values)


@pytest.mark.parametrize("offset", [0.0, 1e3, 1e6, -3e7])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_an_offset_costs_no_digits(rng, offset, dtype):
    X = (rng.standard_normal((101, 1)) + offset).astype(dtype)
    moments = centred_moments(X, (0,))
    mean, variance = exactly(X[:, 0])
    assert moments.pivot.dtype == dtype
    rest = mean - Fraction(float(moments.pivot[0]))
    assert_allclose(moments.shift[0], float(rest), rtol=1e-12, atol=1e-15)
    assert_allclose(moments.variance[0], float(variance), rtol=1e-13)


@given(value=st.floats(-1e6, 1e6), rows=st.integers(2, 40))
def test_the_variance_of_a_constant_is_never_negative(value, rows):
    X = np.full((rows, 1), value, dtype=np.float32)
    moments = centred_moments(X, (0,))
    assert 0 <= moments.variance[0] <= 1e-12 * value**2
    assert_allclose(moments.mean, X[0], rtol=1e-7)


@pytest.mark.parametrize("axes", [(0,), (1,), (0, 2), (1, 2)], ids=str)
@pytest.mark.parametrize("ddof", [0, 1])
def test_other_axes(rng, axes, ddof):
    X = rng.standard_normal((4, 3, 5))
    moments = centred_moments(X, axes, ddof)
    assert_allclose(moments.mean, X.mean(axis=axes), rtol=1e-13, atol=1e-15)
    assert_allclose(moments.variance, X.var(axis=axes, ddof=ddof), rtol=1e-13)


def test_given_moments_lose_nothing(rng):
    mean = rng.standard_normal(4) + 1000
    moments = given_moments(np.zeros((2, 4), np.float32), mean, np.ones(4))
    assert moments.pivot.dtype == np.float32
    assert_array_equal(moments.mean, mean)


def test_a_variance_below_zero_by_rounding_is_zero(monkeypatch):
    """As where nothing wider than the data is at hand: Σ(X − c)² a little less than mδ²."""

    class Rounded:
        totals = staticmethod(lambda X, axes: X.sum(axis=axes))
        centred_sums = staticmethod(lambda X, c, axes: (np.array([2e-3]), np.array([0.9e-6])))

    monkeypatch.setattr(centring, "passes_for", lambda *arrays: Rounded)
    assert centred_moments(np.ones((4, 1)), (0,)).variance == [0.0]
