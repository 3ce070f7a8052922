from typing import Any

import numpy as np
import pytest
import scipy
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from matbackprop.errors import OptionError
from matbackprop.linalg import (
    commutation,
    diagonal_selection,
    duplication,
    elimination,
    kron,
    vec,
    vech,
)

sizes = st.integers(1, 6)
seeds = st.integers(0, 2**32 - 1)


def equal(actual, desired):
    assert_array_equal(*(s.toarray() if hasattr(s, "toarray") else s for s in (actual, desired)))


# By hand, from the definitions ------------------------------------------------------------


def test_commutation_by_hand():
    equal(commutation(2, 2), [[1, 0, 0, 0], [0, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 1]])
    equal(  # vec(A) = (a11, a21, a12, a22, a13, a23), vec(Aᵀ) = (a11, a12, a13, a21, a22, a23)
        commutation(2, 3),
        np.eye(6)[[0, 2, 4, 1, 3, 5]],
    )


def test_duplication_by_hand():
    equal(duplication(2), [[1, 0, 0], [0, 1, 0], [0, 1, 0], [0, 0, 1]])


def test_elimination_by_hand():
    equal(elimination(2), [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 1]])


def test_diagonal_selection_by_hand():
    equal(diagonal_selection(2), [[1, 0], [0, 0], [0, 0], [0, 1]])


@pytest.mark.parametrize(
    ("matrix", "shape", "ones"),
    [
        (commutation(3, 4), (12, 12), 12),
        (duplication(4), (16, 10), 16),
        (elimination(4), (10, 16), 10),
        (diagonal_selection(4), (16, 4), 4),
        (commutation(1, 1), (1, 1), 1),
        (duplication(1), (1, 1), 1),
    ],
)
def test_sparse_float_ones_and_nothing_else(matrix, shape, ones):
    assert isinstance(matrix, scipy.sparse.csr_array)
    assert matrix.dtype == np.float64
    assert matrix.shape == shape
    assert matrix.nnz == ones
    assert_array_equal(matrix.data, 1.0)


# Identities ------------------------------------------------------------------------------


@given(sizes, sizes, seeds)
def test_commutation_transposes(m, n, seed):
    a = np.random.default_rng(seed).standard_normal((m, n))
    assert_array_equal(commutation(m, n) @ vec(a), vec(a.T))


@given(sizes, sizes)
def test_commutation_is_a_permutation_and_its_transpose_swaps_the_sizes(m, n):
    K = commutation(m, n)
    equal(K.T, commutation(n, m))
    equal(K.T @ K, np.eye(m * n))


@given(sizes, sizes, sizes, sizes, seeds)
def test_commutation_commutes_kronecker_factors(m, n, p, q, seed):
    rng = np.random.default_rng(seed)
    a, b = rng.standard_normal((m, n)), rng.standard_normal((p, q))
    assert_allclose(
        commutation(p, m) @ kron(a, b), kron(b, a) @ commutation(q, n), rtol=1e-12, atol=1e-12
    )


@given(sizes)
def test_trace_of_commutation_counts_the_diagonal(n):
    assert commutation(n, n).trace() == n


@given(sizes, seeds)
def test_duplication_and_elimination(n, seed):
    a = np.random.default_rng(seed).standard_normal((n, n))
    symmetric = a + a.T
    assert_array_equal(duplication(n) @ vech(symmetric), vec(symmetric))
    assert_array_equal(elimination(n) @ vec(a), vech(a))


@given(sizes)
def test_elimination_undoes_duplication(n):
    D, L = duplication(n), elimination(n)
    equal(L @ D, np.eye(n * (n + 1) // 2))
    equal(commutation(n, n) @ D, D)


@given(sizes, seeds)
def test_diagonal_selection(n, seed):
    rng = np.random.default_rng(seed)
    g, a = rng.standard_normal(n), rng.standard_normal((n, n))
    K = diagonal_selection(n)
    assert_array_equal(K @ g, vec(np.diag(g)))
    assert_array_equal(K.T @ vec(a), np.diag(a))
    equal(K.T @ K, np.eye(n))


# Bad input -------------------------------------------------------------------------------


@pytest.mark.parametrize("bad", [0, -1, 2.0, "3", None, True], ids=repr)
@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda n: commutation(n, 2), r"`commutation\(m, n\)` needs an integer m >= 1; got"),
        (lambda n: commutation(2, n), r"`commutation\(m, n\)` needs an integer n >= 1; got"),
        (duplication, r"`duplication\(n\)` needs an integer n >= 1; got"),
        (elimination, r"`elimination\(n\)` needs an integer n >= 1; got"),
        (diagonal_selection, r"`diagonal_selection\(n\)` needs an integer n >= 1; got"),
    ],
)
def test_sizes_are_positive_integers(call, message, bad):
    with pytest.raises(OptionError, match=message):
        call(bad)


def test_numpy_integers_are_integers():
    size: Any = np.int64(3)
    equal(duplication(size), duplication(3))
