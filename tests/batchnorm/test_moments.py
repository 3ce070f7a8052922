import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from matbackprop.batchnorm import BatchNorm, Moments, batch_moments
from matbackprop.errors import DataError, DtypeError, ShapeError


@pytest.mark.parametrize("ddof", [0, 1, 2])
def test_moments_are_those_of_numpy(rng, ddof):
    Z = rng.standard_normal((7, 3))
    mu, sigma = batch_moments(Z, BatchNorm(ddof=ddof, eps=0.25))
    assert_allclose(mu, Z.mean(axis=0), rtol=1e-14)
    assert_allclose(sigma, np.sqrt(Z.var(axis=0, ddof=ddof) + 0.25), rtol=1e-14)


def test_a_hand_value():
    mu, sigma = batch_moments(np.array([[1.0], [2.0], [6.0]]), BatchNorm(ddof=1, eps=2.0))
    assert mu.tolist() == [3.0]
    assert_allclose(sigma, [3.0], rtol=1e-15)  # (4 + 1 + 9)/2 + 2 = 9


def test_a_huge_offset_costs_no_digits(rng):
    Z = rng.standard_normal((1000, 1)).astype(np.float32)
    far = Z + np.float32(4096)
    exact = far.astype(np.float64)
    mu, sigma = batch_moments(far, BatchNorm(eps=0.0))
    assert_allclose(mu, exact.mean(axis=0), rtol=1e-13)
    assert_allclose(sigma, exact.std(axis=0), rtol=1e-13)


@pytest.mark.parametrize(("rows", "ddof"), [(1, 1), (1, 2), (2, 2)])
def test_too_few_rows(rows, ddof):
    text = rf"BatchNorm\(ddof={ddof}\)` needs more than {ddof} row.*got N = {rows}.*pass `moments=`"
    with pytest.raises(DataError, match=text):
        batch_moments(np.ones((rows, 2)), BatchNorm(ddof=ddof))


@given(value=st.floats(-1e8, 1e8), rows=st.integers(2, 50))
def test_a_constant_column_is_named(value, rows):
    Z = np.column_stack([np.arange(float(rows)), np.full(rows, value)])
    with pytest.raises(DataError, match=r"column 1 .* is constant at .*Use an eps > 0"):
        batch_moments(Z, BatchNorm(ddof=0, eps=0.0))


def test_a_column_constant_to_rounding_is_named():
    Z = np.full((9, 1), 0.1) * 3 + np.array([0, 1] * 4 + [0])[:, None] * 5e-17
    with pytest.raises(DataError, match=r"column 0 .* is constant"):
        batch_moments(Z, BatchNorm(eps=0.0))


def test_with_eps_a_constant_column_is_fine():
    _, sigma = batch_moments(np.ones((3, 1)), BatchNorm(eps=0.25))
    assert_allclose(sigma, [0.5])


def test_given_moments_are_copied_and_read_only():
    mu = np.zeros(2)
    moments = Moments(mu, np.ones(2))
    mu[0] = 5.0
    assert moments.mu[0] == 0.0
    with pytest.raises(ValueError, match="read-only"):
        moments.mu[0] = 1.0


@pytest.mark.parametrize(
    ("mu", "sigma", "error", "text"),
    [
        ([0.0], [1.0, 2.0], ShapeError, r"two vectors of one length.*mu \(1,\), sigma \(2,\)"),
        ([[0.0]], [1.0], ShapeError, "needs mu with 1 dimension"),
        ([0.0, 0.0], [1.0, 0.0], DataError, "needs sigma > 0; entry 1 .* is 0"),
        ([np.nan], [1.0], DataError, "mu has NaN at entry 0"),
        ([1j], [1.0], DtypeError, "real numbers in mu; got dtype complex128"),
    ],
)
def test_bad_moments(mu, sigma, error, text):
    with pytest.raises(error, match=text):
        Moments(mu, sigma)
