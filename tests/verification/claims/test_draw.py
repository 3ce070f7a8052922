import numpy as np
import pytest
from numpy.testing import assert_allclose

from matbackprop.verification.claims import Draw, differential, pulled_back


@pytest.fixture
def draw(rng):
    return Draw(rng, r={})


def test_sizes_differ(draw):
    for _ in range(50):
        sizes = draw.sizes(4)
        assert len(set(sizes)) == 4
        assert all(3 <= size <= 7 for size in sizes)


def test_a_batch_has_columns_of_their_own_mean_and_scale(draw):
    batch = draw.batch()
    assert batch.X.shape == batch.dY.shape
    assert batch.gamma.shape == batch.beta.shape == batch.X.shape[1:]
    assert np.ptp(batch.X.mean(axis=0)) > 0.1
    assert draw.batch(eps=0.0).eps == 0


def test_the_two_derivatives_are_each_others_transposes(draw):
    def f(X):
        return np.tanh(X) @ X.T

    X, dX, dY = draw.matrix(3, 2), draw.matrix(3, 2), draw.matrix(3, 3)
    assert_allclose((dY * differential(f, X, dX)).sum(), (pulled_back(f, X, dY) * dX).sum())


def test_the_derivative_of_a_product_by_hand():
    assert differential(lambda X: X @ X, np.array([[3.0]]), np.array([[1.0]])) == [[6.0]]
    assert pulled_back(lambda x: x.sum(), np.ones(2), 2.0).tolist() == [2.0, 2.0]
