"""The generic passes against their definitions, over any axes."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from matbackprop.batchnorm import passes
from matbackprop.batchnorm.arrays import count, spread, wide_dtype

SHAPE = (4, 3, 5)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("axes", [(0,), (1,), (0, 2), (1, 2), (0, 1, 2)], ids=str)
def test_definitions(rng, axes, dtype):
    X, dY = rng.standard_normal((2, *SHAPE)).astype(dtype)
    kept = [size for axis, size in enumerate(SHAPE) if axis not in axes]
    c, a, b, d = rng.standard_normal((4, *kept))
    c = c.astype(dtype)

    def full(stat):
        return np.expand_dims(stat, axes)

    within = {"rtol": 1e-5, "atol": 1e-5} if dtype == np.float32 else {"rtol": 1e-13, "atol": 1e-13}
    exact = X.astype(np.float64) - full(c)
    assert_allclose(passes.totals(X, axes), X.sum(axis=axes, dtype=float), rtol=1e-13, atol=1e-13)
    total, squares = passes.centred_sums(X, c, axes)
    assert_allclose(total, exact.sum(axis=axes), rtol=1e-12, atol=1e-13)
    assert_allclose(squares, (exact**2).sum(axis=axes), rtol=1e-12)
    total, cross = passes.cross_sums(dY, X, c, axes)
    assert_allclose(total, dY.sum(axis=axes, dtype=float), rtol=1e-12, atol=1e-13)
    assert_allclose(cross, (dY * exact).sum(axis=axes), rtol=1e-11, atol=1e-12)
    Y = passes.scale_shift(X, c, a, b, axes)
    assert Y.dtype == dtype
    assert_allclose(Y, exact * full(a) + full(b), **within)
    dX = passes.combine(dY, X, c, a, b, d, axes)
    assert dX.dtype == dtype
    assert_allclose(dX, (dY - full(d) - exact * full(b)) * full(a), **within)


def test_sums_are_wide():
    X = np.full((10_000_000, 1), 0.1, dtype=np.float32)
    assert passes.totals(X, (0,)).dtype == np.float64
    assert_allclose(passes.totals(X, (0,)), float(np.float32(0.1)) * 1e7, rtol=1e-9)


@pytest.mark.parametrize(
    ("dtype", "wide"),
    [(np.float32, np.float64), (np.float64, np.float64), (np.complex128, np.complex128)],
)
def test_wide(dtype, wide):
    assert wide_dtype(np.zeros(1, dtype)) == wide


def test_spread_and_count():
    X = np.zeros(SHAPE, np.float32)
    assert spread(np.arange(3.0), X, (0, 2)).shape == (1, 3, 1)
    assert spread(np.arange(3.0), X, (0, 2)).dtype == np.float32
    assert count(SHAPE, (0, 2)) == 20
